package emulator_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// Ten cursors stay open for a user, and each belongs to its session. [R]
func TestCursorsAreFewAndOfOneSession(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for i := range 200 {
		if _, err := r.org.Create("User", map[string]any{"Username": fmt.Sprintf("u%d@people.example", i)}); err != nil {
			t.Fatal(err)
		}
	}
	open := func() string {
		a := r.do("GET", version+"/query?q=SELECT+Id+FROM+User", "", "Sforce-Query-Options", "batchSize=200")
		next, _ := a.object(t)["nextRecordsUrl"].(string)
		return next
	}
	gone := `[{"message":"invalid query locator","errorCode":"INVALID_QUERY_LOCATOR"}]`
	first, second := open(), open()
	for range 9 {
		open()
	}
	r.do("GET", first, "").same(t, 400, gone)
	r.do("GET", second, "").is(t, 200)
	mine := r.token
	r.token, _ = r.org.AccessToken(emulator.IntegrationUsername)
	r.do("GET", second, "").same(t, 400, gone)
	r.token = mine
	r.do("GET", second, "").is(t, 200)
}

// Bounds of a collection and of a composite: what fits, and one more. [D]
func TestBoundsOfManyInOne(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	runs := func(n int) string {
		records := make([]string, n)
		for i := range records {
			records[i] = `{"attributes":{"type":"` + []string{"Contact", "Account"}[i%2] + `"},"LastName":"A"}`
		}
		return collection(false, records...)
	}
	r.do("POST", version+"/composite/sobjects", runs(10)).is(t, 200)
	r.do("POST", version+"/composite/sobjects", runs(11)).is(t, 400)
	queries := func(n int) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = fmt.Sprintf(`{"method":"GET","url":"%s/query?q=SELECT+Id+FROM+Profile","referenceId":"q%d"}`, version, i)
		}
		return `{"compositeRequest":[` + strings.Join(parts, ",") + `]}`
	}
	r.do("POST", version+"/composite", queries(5)).is(t, 200)
	r.do("POST", version+"/composite", queries(6)).is(t, 400)
	part := `{"compositeRequest":[{"method":"%s","url":"` + version + `/limits","referenceId":"x","httpHeaders":{"%s":"x"}}]}`
	r.do("POST", version+"/composite", fmt.Sprintf(part, "GET", "X-Mine")).is(t, 200)
	r.do("POST", version+"/composite", fmt.Sprintf(part, "get", "X-Mine")).is(t, 400)
	for _, header := range []string{"Accept", "authorization", "Content-Type"} {
		r.do("POST", version+"/composite", fmt.Sprintf(part, "GET", header)).is(t, 400)
	}
}

// Only a success says how much of the daily limit is used. [R api-evangelist]
func TestLimitInfoOnSuccessAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for path, want := range map[string]bool{"/limits": true, "/sobjects/Nope": false, "/query?q=x": false} {
		if a := r.do("GET", version+path, ""); (a.header.Get("Sforce-Limit-Info") != "") != want {
			t.Errorf("%s: HTTP %d with %q", path, a.status, a.header.Get("Sforce-Limit-Info"))
		}
	}
}

func TestUpdateOnlyCreatesNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	path := version + "/sobjects/User/Rollcall_Key__c/k1?updateOnly=true"
	r.do("PATCH", path, r.person("ada")).is(t, 404)
	r.create("ada", "Rollcall_Key__c", "k1")
	r.do("PATCH", path, `{"Title":"A"}`).is(t, 200) // [D]
}

// Its own username in other letters is no duplicate.
func TestUsernameInOtherLetters(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.create("Ada")
	for _, name := range []string{"ADA", "ada"} {
		r.do("PATCH", version+"/sobjects/User/"+id, `{"Username":"`+name+`@people.example"}`).is(t, 204)
	}
}

// A change of what makes a user setup work may not stand beside a Contact. [D]
func TestSetupFieldsDoNotMix(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.create("ada")
	for field, value := range map[string]string{"ProfileId": `"` + r.id("Profile", emulator.StandardUserProfile) + `"`, "IsActive": "true", "Username": `"ada@people.example"`, "UserRoleId": "null", "ForecastEnabled": "false"} {
		contact := r.do("POST", version+"/sobjects/Contact", `{"LastName":"A"}`).object(t)["id"].(string)
		list := r.do("PATCH", version+"/composite/sobjects", collection(false, `{"attributes":{"type":"Contact"},"id":"`+contact+`","Title":"A"}`, `{"attributes":{"type":"User"},"id":"`+id+`","`+field+`":`+value+`}`)).list(t)
		if list[1]["success"] != false || !strings.Contains(string(encodeJSON(t, list[1])), "MIXED_DML_OPERATION") {
			t.Errorf("%s: %v", field, list[1])
		}
	}
}

// Nobody locks themselves out. Codes [D WSDL]; that one cannot deactivate
// oneself is an assumption.
func TestOwnUserIsSafe(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	u, _ := r.org.UserByUsername(emulator.IntegrationUsername)
	r.do("PATCH", version+"/sobjects/User/"+u.ID, `{"IsActive":false}`).is(t, 400)
	login := r.query("SELECT Id FROM UserLogin WHERE UserId = '" + u.ID + "'").object(t)["records"].([]any)[0].(map[string]any)["Id"].(string)
	if a := r.do("PATCH", version+"/sobjects/UserLogin/"+login, `{"IsFrozen":true}`); a.status != 400 || !strings.Contains(a.body, "CANNOT_FREEZE_SELF") {
		t.Errorf("frozen: %v", a)
	}
	if a := r.do("PATCH", version+"/sobjects/UserLogin/"+login, `{"IsPasswordLocked":true}`); a.status != 400 || !strings.Contains(a.body, "CANNOT_PASSWORD_LOCKOUT") {
		t.Errorf("locked out: %v", a)
	}
}

// Seats go with active users: from licence to licence, and of permission set
// licences with the assignment, also over a restart.
func TestSeatsMove(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *emulator.OrgConfig) { cfg.Licenses[1].Seats, cfg.PermissionSetLicenses[1].Seats = 1, 1 })
	full := `[{"message":"License Limit Exceeded","errorCode":"LICENSE_LIMIT_EXCEEDED","fields":[]}]`
	ada, bob := r.create("ada"), r.create("bob")
	platform := `{"ProfileId":"` + r.id("Profile", emulator.PlatformUserProfile) + `"}`
	r.do("PATCH", version+"/sobjects/User/"+ada, platform).is(t, 204)
	r.do("PATCH", version+"/sobjects/User/"+bob, platform).same(t, 400, full)
	if used, _ := r.org.Seats(emulator.SalesforceLicense); used != 2 { // bob, and the integration user
		t.Errorf("%d seats of the licence that ada left", used)
	}
	licence := r.query("SELECT Id FROM PermissionSetLicense WHERE DeveloperName = 'SalesUserPsl'").object(t)["records"].([]any)[0].(map[string]any)["Id"].(string)
	assign := func(user string) answer {
		return r.do("POST", version+"/sobjects/PermissionSetLicenseAssign", `{"AssigneeId":"`+user+`","PermissionSetLicenseId":"`+licence+`"}`)
	}
	assign(ada).is(t, 201)
	assign(bob).same(t, 400, full)
	var file bytes.Buffer
	if err := r.server.Save(&file); err != nil {
		t.Fatal(err)
	}
	again := emulator.New()
	if err := again.Load(&file); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"SalesUserPsl", emulator.PlatformLicense} {
		if used, _ := again.Orgs()[0].Seats(name); used != 1 {
			t.Errorf("after a restart %d seats of %s", used, name)
		}
	}
	both := fmt.Sprintf(`{"AssigneeId":"%s","PermissionSetId":"%s","PermissionSetGroupId":"%s"}`, ada, r.id("PermissionSet", "HR_Data"),
		r.query("SELECT Id FROM PermissionSetGroup").object(t)["records"].([]any)[0].(map[string]any)["Id"])
	r.do("POST", version+"/sobjects/PermissionSetAssignment", both).is(t, 400) // exactly one of the two [D]
}

// What the authorization code flow refuses, and how long a code lives.
func TestAuthorizeBounds(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *emulator.OrgConfig) {
		cfg.Clients[0].RequirePKCE, cfg.Clients[0].PreAuthorized = true, []string{"INTEGRATION@rollcall.example"} // usernames have no case
	})
	if _, err := r.org.Create("User", map[string]any{"Username": "nobody@people.example"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ask  []string
		want string
	}{
		{nil, "invalid_request"}, // no challenge
		{[]string{"code_challenge", "x", "code_challenge_method", "plain"}, "invalid_request"},
		{[]string{"code_challenge", "x", "scope", "api wave_api"}, "invalid_scope"},                       // [S]
		{[]string{"code_challenge", "x", "response_type", "token"}, "unsupported_response_type"},          // [D]
		{[]string{"code_challenge", "x", "username", "nobody@people.example"}, "OAUTH_APP_ACCESS_DENIED"}, // [S]
	} {
		if got := r.code("allow", c.ask...); got.Get("error") != c.want {
			t.Errorf("%v: %v, want %s", c.ask, got, c.want)
		}
	}
	code := r.code("allow", "code_challenge", "x").Get("code")
	r.now = r.now.Add(16 * time.Minute)
	r.exchange(code, "code_verifier", "y").same(t, 400, refused("invalid_grant", "expired authorization code"))
}

// The app's scopes, without those that only a person at a browser gets. [S
// simple-salesforce PR #662]
func TestScopesOfClientCredentials(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *emulator.OrgConfig) {
		cfg.Clients[0].Scopes = []string{"full", "api", "web", "refresh_token", "offline_access", "id"}
	})
	if got := r.signIn().object(t)["scope"]; got != "api id" {
		t.Errorf("scope %q", got)
	}
}

// A call to an org's own host by a token of another is no session, and a
// resource below no host at all is not found.
func TestUnknownPlaces(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, path := range []string{"/", "/services", "/services/oauth2/nothing", version + "/nothing", version + "/sobjects/User/x/y/z"} {
		if a := r.do(http.MethodGet, path, ""); a.status != 404 || a.list(t)[0]["errorCode"] != "NOT_FOUND" {
			t.Errorf("%s: %v", path, a)
		}
	}
}
