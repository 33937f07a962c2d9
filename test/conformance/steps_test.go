package conformance

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/shapetest"
)

// TestEmulatorConforms runs the steps on the emulator, always.
func TestEmulatorConforms(t *testing.T) {
	t.Parallel()
	o, _ := emulated(t)
	conform(t, o)
}

// TestOrgConforms runs the same steps on a real org, when one is given.
func TestOrgConforms(t *testing.T) {
	t.Parallel()
	conform(t, realOrg(t))
}

// conform is the list of steps. Each states a fact that is recorded,
// documented, or needed by code that works: nothing here is an assumption.
func conform(t *testing.T, o *target) {
	t.Helper()
	o.signIn(t)
	o.sweep(t)
	for _, step := range []struct {
		name string
		run  func(*target, *testing.T)
	}{
		{"token", (*target).tokenSteps},
		{"session", (*target).sessionSteps},
		{"user", (*target).userSteps},
		{"refusals", (*target).refusalSteps},
		{"query", (*target).querySteps},
		{"collections", (*target).collectionSteps},
		{"composite", (*target).compositeSteps},
		{"batch", (*target).batchSteps},
		{"bulk", (*target).bulkSteps},
		{"line endings", (*target).lineEndingSteps},
		{"bulk query", (*target).bulkQuerySteps},
		{"form of calls", (*target).formSteps},
		{"leaving", (*target).leavingSteps},
		{"permission set", (*target).assignmentSteps},
	} {
		t.Run(step.name, func(t *testing.T) { step.run(o, t) })
	}
}

func (o *target) signIn(t *testing.T) {
	t.Helper()
	a := o.credentials(t)
	var token struct {
		AccessToken string `json:"access_token"`
		InstanceURL string `json:"instance_url"`
	}
	if err := json.Unmarshal([]byte(a.body), &token); err != nil || a.status != http.StatusOK || token.AccessToken == "" {
		t.Fatalf("sign-in: HTTP %d %s", a.status, a.body)
	}
	o.token, o.instance = token.AccessToken, token.InstanceURL
}

func (o *target) credentials(t *testing.T) answer {
	t.Helper()
	return o.sign(t, "grant_type", "client_credentials", "client_id", o.key, "client_secret", o.secret)
}

// No expires_in and no refresh_token; refusals are 400 and two texts.
func (o *target) tokenSteps(t *testing.T) {
	t.Helper()
	o.credentials(t).must(t, 200, `{"access_token":"<text>!<text>","scope":"<text>","instance_url":"http<text>","token_type":"Bearer",
		"?id":"<text>/id/<id>/<id>","?signature":"<text>","?issued_at":"<text>","?api_instance_url":"<text>"}`)
	o.sign(t, "grant_type", "client_credentials", "client_id", "nobody", "client_secret", "x").
		must(t, 400, `{"error":"invalid_client_id","error_description":"client identifier invalid"}`)
	o.sign(t, "grant_type", "client_credentials", "client_id", o.key, "client_secret", "wrong").
		must(t, 400, `{"error":"invalid_client","error_description":"invalid client credentials"}`)
	o.sign(t, "grant_type", "nonsense", "client_id", o.key, "client_secret", o.secret).
		must(t, 400, `{"error":"unsupported_grant_type","error_description":"grant type not supported"}`)
	o.sign(t, "grant_type", "refresh_token", "refresh_token", "5Aep861nothing", "client_id", o.key, "client_secret", o.secret).
		must(t, 400, `{"error":"invalid_grant","error_description":"expired access/refresh token"}`)
}

func (o *target) sessionSteps(t *testing.T) {
	t.Helper()
	a := o.query(t, "SELECT Id FROM Organization")
	if info := a.header.Get("Sforce-Limit-Info"); !regexp.MustCompile(`^api-usage=\d+/\d+$`).MatchString(info) {
		t.Errorf("Sforce-Limit-Info %q", info)
	}
	dead := *o
	dead.token = "00D000000000001!AQnobody"
	a = dead.query(t, "SELECT Id FROM Organization")
	a.must(t, 401, `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`)
	if len(a.header.Values("WWW-Authenticate")) == 0 || a.header.Get("Sforce-Limit-Info") != "" {
		t.Errorf("headers of a 401: %v", a.header)
	}
	// The list of versions needs no token.
	var versions []map[string]any
	if err := json.Unmarshal([]byte(dead.do(t, http.MethodGet, "/services/data", nil).body), &versions); err != nil || len(versions) == 0 {
		t.Fatalf("versions: %v", err)
	}
	for _, key := range []string{"version", "url", "label"} {
		if _, ok := versions[0][key].(string); !ok || len(versions[0]) != 3 {
			t.Errorf("version %v", versions[0])
		}
	}
}

// A user is made, read, changed, and never deleted; names have no case.
func (o *target) userSteps(t *testing.T) {
	t.Helper()
	a := o.do(t, http.MethodPost, version+"/sobjects/User", o.person(t, "ada"))
	a.must(t, 201, `{"id":"<id>","success":true,"errors":[]}`)
	id := a.idOf(t)
	if len(id) != 18 || !strings.HasPrefix(id, "005") {
		t.Errorf("id %q", id)
	}
	o.do(t, http.MethodGet, version+"/sobjects/user/"+id+"?fields=Username,isactive", nil).must(t, 200,
		text(`{"attributes":{"type":"User","url":"%s/sobjects/User/%s"},"Username":"%s","IsActive":true,"?Id":"<id>"}`, version, id, o.username("ada")))
	o.do(t, http.MethodPatch, version+"/sobjects/user/"+id+"/", `{"title":"Countess"}`).must(t, 204, "")
	o.do(t, http.MethodPost, version+"/sobjects/User/"+id+"?_HttpMethod=PATCH", `{"Department":"Engines"}`).must(t, 204, "")
	o.do(t, http.MethodPatch, version+"/sobjects/User/Username/"+o.username("ada"), `{"Title":"Lady"}`).
		must(t, 200, `{"id":"`+id+`","success":true,"errors":[],"created":false}`)
	o.query(t, "SELECT Title, Department FROM User WHERE Id = '"+id+"'").must(t, 200, text(
		`{"totalSize":1,"done":true,"records":[{"attributes":{"type":"User","url":"%s/sobjects/User/%s"},"Title":"Lady","Department":"Engines"}]}`, version, id))
	o.do(t, http.MethodGet, version+"/sobjects/User/describe", nil).must(t, 200,
		`{"name":"User","keyPrefix":"005","deletable":false,"undeletable":false,"createable":true,"updateable":true,"queryable":true,"...":null}`)
}

// What a single record is refused for, with the recorded texts.
func (o *target) refusalSteps(t *testing.T) {
	t.Helper()
	with := func(name, field string, value any) map[string]any {
		p := o.person(t, name)
		p["IsActive"] = false // nothing here is to take a seat, should it pass
		p[field] = value
		if value == nil {
			delete(p, field)
		}
		return p
	}
	for _, r := range []struct {
		body any
		code string
		text string
		more string // of the pattern: the fields
	}{
		{with("none", "LastName", nil), "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", `,"fields":["LastName"]`},
		{with("taken", "Username", o.username("ada")), "DUPLICATE_USERNAME", "Duplicate Username.<br>The username already exists in this or another Salesforce organization. Usernames must be unique across all Salesforce organizations. To resolve, use a different username (it doesn't need to match the user's email address). ", `,"fields":["Username"]`},
		{with("nick", "CommunityNickname", o.run+"ada"), "DUPLICATE_COMM_NICKNAME", "Duplicate Nickname.<br>Another user has already selected this nickname.<br>Please select another.", `,"fields":["CommunityNickname"]`},
		{with("mail", "Email", "foo"), "INVALID_EMAIL_ADDRESS", "Email: invalid email address: foo", `,"fields":["Email"]`},
		{with("form", "Username", "john"), "FIELD_INTEGRITY_EXCEPTION", "Username must be in the form of an email address (for example, john@acme.com): Username", `,"fields":["Username"]`},
		{with("long", "Department", strings.Repeat("x", 81)), "STRING_TOO_LONG", "Department: data value too large: " + strings.Repeat("x", 81) + " (max length=80)", `,"fields":["Department"]`},
		{with("pick", "LocaleSidKey", "xx"), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Locale: bad value for restricted picklist field: xx", `,"fields":["LocaleSidKey"]`},
		{with("type", "ProfileId", "001000000000001AAA"), "MALFORMED_ID", "Profile ID: id value of incorrect type: 001000000000001AAA", `,"fields":["ProfileId"]`},
		{`{"NoSuchField__c":"x"}`, "INVALID_FIELD", "No such column 'NoSuchField__c' on sobject of type User", ``},
		{"", "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body.", ``},
	} {
		want, err := json.Marshal(r.text)
		if err != nil {
			t.Fatal(err)
		}
		a := o.do(t, http.MethodPost, version+"/sobjects/User", r.body)
		if err := shapetest.Like(a.body, `[{"errorCode":"`+r.code+`","message":`+string(want)+r.more+`}]`); err != nil || a.status != 400 {
			t.Errorf("%s: HTTP %d: %v", r.code, a.status, err)
		}
	}
	missing := `[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]`
	o.do(t, http.MethodPost, version+"/sobjects/NoSuchObject__c", `{}`).must(t, 404, missing)
	o.do(t, http.MethodGet, version+"/sobjects/User/23foo", nil).
		must(t, 404, `[{"errorCode":"NOT_FOUND","message":"Provided external ID field does not exist or is not accessible: 23foo"}]`)
	o.do(t, http.MethodPatch, version+"/sobjects/User/Namez/x", `{"Title":"x"}`).
		must(t, 404, `[{"errorCode":"NOT_FOUND","message":"Provided external ID field does not exist or is not accessible: Namez"}]`)
}

func (o *target) querySteps(t *testing.T) {
	t.Helper()
	o.query(t, "SELECT count() FROM User WHERE Username = '"+o.username("nobody")+"'").must(t, 200, `{"totalSize":0,"done":true,"records":[]}`)
	o.query(t, "SELECT Profile.Name, Manager.Name FROM User WHERE Username = '"+o.username("ada")+"'").must(t, 200,
		`{"totalSize":1,"done":true,"records":[{"attributes":{"type":"User","url":"<text>"},"Profile":{"attributes":{"type":"Profile","url":"<text>"},"Name":"`+o.profile+`"},"Manager":null}]}`)
	if a := o.query(t, "q"); a.status != 400 || !strings.Contains(a.body, `"errorCode":"MALFORMED_QUERY"`) {
		t.Errorf("nonsense: HTTP %d %s", a.status, a.body)
	}
	o.query(t, "SELECT Id,Name,BillingCity,IsDeleted FROM Accout").must(t, 400,
		`[{"errorCode":"INVALID_TYPE","message":"\nName,BillingCity,IsDeleted FROM Accout\n                                ^\nERROR at Row:1:Column:43\nsObject type 'Accout' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."}]`)
	o.do(t, http.MethodGet, version+"/query/01g000000000000AAA-2000", nil).must(t, 400, `[{"message":"invalid query locator","errorCode":"INVALID_QUERY_LOCATOR"}]`)
	// A quote is escaped by a backslash, and nothing else ends the text.
	o.query(t, `SELECT Id FROM User WHERE LastName = 'O\'Brien\' OR Id != \''`).must(t, 200, `{"totalSize":0,"done":true,"records":[]}`)
}

// One result per record in the order of the request, and 200 whatever happened.
func (o *target) collectionSteps(t *testing.T) {
	t.Helper()
	typed := func(p map[string]any) map[string]any {
		p["attributes"] = map[string]string{"type": "User"}
		p["IsActive"] = false
		return p
	}
	bad := typed(o.person(t, "bad"))
	delete(bad, "LastName")
	missing := `{"success":false,"errors":[{"statusCode":"REQUIRED_FIELD_MISSING","message":"Required fields are missing: [LastName]","fields":["LastName"]}]}`
	path := version + "/composite/sobjects"
	o.do(t, http.MethodPost, path, map[string]any{"allOrNone": true, "records": []any{typed(o.person(t, "one")), bad}}).must(t, 200,
		`[{"success":false,"errors":[{"statusCode":"ALL_OR_NONE_OPERATION_ROLLED_BACK","message":"Record rolled back because not all records were valid and the request was using AllOrNone header","fields":[]}]},`+missing+`]`)
	o.query(t, "SELECT count() FROM User WHERE Username = '"+o.username("one")+"'").must(t, 200, `{"totalSize":0,"done":true,"records":[]}`)
	o.do(t, http.MethodPost, path, map[string]any{"allOrNone": false, "records": []any{bad, typed(o.person(t, "one"))}}).must(t, 200,
		`[`+missing+`,{"id":"<id>","success":true,"errors":[]}]`)
	o.do(t, http.MethodPost, path, `{"records":[]}`).must(t, 400, `[{"message":"At least 1 record is required","errorCode":"REQUIRED_FIELD_MISSING"}]`)
	o.do(t, http.MethodPost, path, `{"records":[`+strings.Repeat(`{"attributes":{"type":"User"}},`, 200)+`{"attributes":{"type":"User"}}]}`).must(t, 400,
		`[{"message":"record limit reached. cannot submit more than 200 records into this call","errorCode":"EXCEEDED_ID_LIMIT"}]`)
	o.do(t, http.MethodPatch, path, `{"records":[{"attributes":{"type":"User"},"Title":"x"}]}`).must(t, 200,
		`[{"success":false,"errors":[{"statusCode":"MISSING_ARGUMENT","message":"Id not specified in an update call","fields":[]}]}]`)
}

func (o *target) compositeSteps(t *testing.T) {
	t.Helper()
	part := func(method, path, ref string, body any) map[string]any {
		return map[string]any{"method": method, "url": version + path, "referenceId": ref, "body": body}
	}
	id := o.id(t, "SELECT Id FROM User WHERE Username = '"+o.username("ada")+"'")
	parts := func(list ...map[string]any) map[string]any {
		return map[string]any{"allOrNone": true, "compositeRequest": list}
	}
	o.do(t, http.MethodPost, version+"/composite", parts(part("PATCH", "/sobjects/User/"+id, "refUser", map[string]any{"Title": "Composed"}))).must(t, 200,
		`{"compositeResponse":[{"body":null,"httpHeaders":{},"httpStatusCode":204,"referenceId":"refUser"}]}`)
	halted := `[{"errorCode":"PROCESSING_HALTED","message":"The transaction was rolled back since another operation in the same transaction failed."}]`
	o.do(t, http.MethodPost, version+"/composite", parts(
		part("PATCH", "/sobjects/User/"+id, "ref1", map[string]any{"Title": "Rolled back"}),
		part("PATCH", "/sobjects/User/"+id, "ref2", map[string]any{"Email": "foo"}))).must(t, 200,
		`{"compositeResponse":[{"body":`+halted+`,"httpHeaders":{},"httpStatusCode":400,"referenceId":"ref1"},
		{"body":[{"message":"Email: invalid email address: foo","errorCode":"INVALID_EMAIL_ADDRESS","fields":["Email"]}],"httpHeaders":{},"httpStatusCode":400,"referenceId":"ref2"}]}`)
	o.query(t, "SELECT Title FROM User WHERE Id = '"+id+"'").must(t, 200,
		`{"totalSize":1,"done":true,"records":[{"attributes":{"type":"User","url":"<text>"},"Title":"Composed"}]}`)
}

func (o *target) batchSteps(t *testing.T) {
	t.Helper()
	id := o.id(t, "SELECT Id FROM User WHERE Username = '"+o.username("ada")+"'")
	part := func(body map[string]any) map[string]any {
		return map[string]any{"method": "PATCH", "url": "v63.0/sobjects/user/" + id, "richInput": body}
	}
	o.do(t, http.MethodPost, version+"/composite/batch", map[string]any{"batchRequests": []any{part(map[string]any{"Title": "Batched"}), part(map[string]any{"x": 1})}}).must(t, 200,
		`{"hasErrors":true,"results":[{"statusCode":204,"result":null},{"statusCode":400,"result":[{"errorCode":"INVALID_FIELD","message":"No such column &#39;x&#39; on sobject of type User"}]}]}`)
}
