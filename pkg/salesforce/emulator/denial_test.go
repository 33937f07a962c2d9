package emulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// What stands in the integration user's way answers every data call, until it
// is taken away.
func TestDenialsOfTheAPI(t *testing.T) {
	t.Parallel()
	for denial, want := range map[emulator.Denial]struct {
		status int
		body   string
	}{
		emulator.DenyAPIEnabled:  {403, `[{"message":"This feature is not currently enabled for this user","errorCode":"FUNCTIONALITY_NOT_ENABLED"}]`},
		emulator.DenyAPIAccess:   {403, `[{"message":"API is disabled for this User","errorCode":"API_CURRENTLY_DISABLED"}]`},
		emulator.DenyOrgAPI:      {403, `[{"message":"The REST API is not enabled for this Organization.","errorCode":"API_DISABLED_FOR_ORG"}]`},
		emulator.DenyRESTSession: {401, `[{"message":"This session is not valid for use with the REST API","errorCode":"INVALID_SESSION_ID"}]`},
		emulator.DenyPassword:    {403, `[{"message":"The users password has expired, you must call SetPassword before attempting any other API operations","errorCode":"INVALID_OPERATION_WITH_EXPIRED_PASSWORD"}]`},
	} {
		for _, username := range []string{"", emulator.IntegrationUsername} {
			t.Run(string(denial)+" "+username, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, nil)
				path := strings.TrimSuffix("/_emulator/orgs/-/denials/"+username, "/")
				r.do("POST", path, `["`+string(denial)+`"]`).is(t, 204)
				r.query("SELECT Id FROM User").same(t, want.status, want.body)
				r.do("GET", "/services/oauth2/userinfo", "").is(t, 200) // sign-in goes on
				r.do("DELETE", path, "").is(t, 204)
				r.query("SELECT Id FROM User").is(t, 200)
			})
		}
	}
}

// Without Manage Users everything can be read and nothing be written, and
// describe says so beforehand.
func TestMissingRights(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.create("ada")
	set := r.id("PermissionSet", "HR_Data")
	group := r.id("Group", "All Staff")
	want := `[{"message":"insufficient access rights on object id","errorCode":"INSUFFICIENT_ACCESS_OR_READONLY","fields":[]}]`
	if err := r.org.Deny(emulator.IntegrationUsername, emulator.DenyManageUsers); err != nil {
		t.Fatal(err)
	}
	r.do("POST", version+"/sobjects/User", r.person("late")).same(t, 400, want)
	r.do("PATCH", version+"/sobjects/User/"+id, `{"IsActive":false}`).same(t, 400, want)
	r.do("POST", version+"/sobjects/GroupMember", `{"GroupId":"`+group+`","UserOrGroupId":"`+id+`"}`).same(t, 400, want)
	if d := r.do("GET", version+"/sobjects/User/describe", "").object(t); d["createable"] != false || d["updateable"] != false || d["queryable"] != true {
		t.Fatalf("describe says createable %v, updateable %v", d["createable"], d["updateable"])
	}
	grant := `{"AssigneeId":"` + id + `","PermissionSetId":"` + set + `"}`
	row := r.do("POST", version+"/sobjects/PermissionSetAssignment", grant).object(t)["id"].(string) // another right
	if err := r.org.Deny(emulator.IntegrationUsername, emulator.DenyAssignPermissionSets); err != nil {
		t.Fatal(err)
	}
	r.do("DELETE", version+"/sobjects/PermissionSetAssignment/"+row, "").same(t, 400, want)
	if err := r.org.Allow(emulator.IntegrationUsername, emulator.DenyManageUsers); err != nil {
		t.Fatal(err)
	}
	r.do("PATCH", version+"/sobjects/User/"+id, `{"Title":"Boss"}`).is(t, 204)
	r.do("DELETE", version+"/sobjects/PermissionSetAssignment/"+row, "").is(t, 400)
	if err := r.org.Allow(emulator.IntegrationUsername); err != nil {
		t.Fatal(err)
	}
	r.do("DELETE", version+"/sobjects/PermissionSetAssignment/"+row, "").is(t, 204)
}

func TestDenialsAreChecked(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.do("POST", "/_emulator/orgs/-/denials", `["everything"]`).is(t, 400)
	r.do("POST", "/_emulator/orgs/-/denials/nobody@people.example", `["api_enabled"]`).is(t, 400)
	r.do("GET", version+"/limits", "").is(t, 200)
}

// What keeps the integration user from signing in, app and scopes included.
func TestSignInTroubleByState(t *testing.T) {
	t.Parallel()
	app := "/_emulator/orgs/-/apps/" + clientID
	for name, c := range map[string]struct{ method, path, body, want string }{
		"login":           {"POST", "/_emulator/orgs/-/denials/" + emulator.IntegrationUsername, `["login"]`, `{"error":"invalid_grant","error_description":"authentication failure"}`},
		"inactive":        {"PATCH", "/_emulator/orgs/-/users/" + emulator.IntegrationUsername, `{"IsActive":false}`, `{"error":"invalid_grant","error_description":"inactive user"}`},
		"app blocked":     {"PATCH", app, `{"disabled":true}`, `{"error":"invalid_client_id","error_description":"client identifier invalid"}`},
		"not approved":    {"PATCH", app, `{"preAuthorized":[]}`, `{"error":"invalid_app_access","error_description":"user is not admin approved to access this app"}`}, // [R]
		"no run-as user":  {"PATCH", app, `{"runAsUsername":""}`, `{"error":"invalid_grant","error_description":"no client credentials user enabled"}`},
		"flow off":        {"PATCH", app, `{"flows":["refresh_token"]}`, `{"error":"invalid_grant","error_description":"client credentials flow not enabled"}`},
		"no usable scope": {"PATCH", app, `{"scopes":["refresh_token"]}`, `{"error":"invalid_grant","error_description":"no valid scopes defined"}`},
		"secret changed":  {"PATCH", app, `{"clientSecret":"new"}`, `{"error":"invalid_client","error_description":"invalid client credentials"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.do(c.method, c.path, c.body).is(t, 204)
			r.form(tokenPath, "grant_type", "client_credentials", "client_id", clientID, "client_secret", clientSecret).same(t, 400, c.want)
		})
	}
}

func TestTokenWithoutTheAPIScope(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.do("PATCH", "/_emulator/orgs/-/apps/"+clientID, `{"scopes":["id","openid"]}`).is(t, 204)
	r.token = r.form(tokenPath, "grant_type", "client_credentials", "client_id", clientID, "client_secret", clientSecret).object(t)["access_token"].(string)
	r.do("GET", version+"/limits", "").same(t, 401, `[{"message":"This session is not valid for use with the REST API","errorCode":"INVALID_SESSION_ID"}]`)
	r.do("GET", "/services/oauth2/userinfo", "").is(t, 200)
}

func TestPropagationCanBeSlowedLater(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.do("PATCH", "/_emulator/orgs/-/propagation", `{"seconds":300}`).is(t, 204)
	r.do("POST", "/_emulator/orgs/-/apps", `{"clientId":"fresh","clientSecret":"x","runAsUsername":"`+emulator.IntegrationUsername+`"}`).is(t, 204)
	ask := func() answer {
		return r.form(tokenPath, "grant_type", "client_credentials", "client_id", "fresh", "client_secret", "x")
	}
	ask().same(t, 400, `{"error":"invalid_client_id","error_description":"client identifier invalid"}`)
	r.now = r.now.Add(5 * time.Minute)
	ask().is(t, 200)
}
