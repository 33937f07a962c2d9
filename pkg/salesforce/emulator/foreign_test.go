package emulator_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// What a client gets that asks for a resource in a way it does not have.
func TestMethods(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, ask := range []struct {
		method, path string
		status       int
	}{
		{"DELETE", "/limits", 405}, {"HEAD", "/limits", 200}, {"POST", "", 405}, {"HEAD", "", 200},
		{"PUT", "/sobjects/User", 405}, {"PATCH", "/sobjects/User", 405}, {"DELETE", "/sobjects", 405},
		{"POST", "/sobjects/User/describe", 405}, {"HEAD", "/sobjects/User/describe", 200},
		{"HEAD", "/sobjects/User/" + r.create("ada"), 200}, {"PUT", "/sobjects/User/005000000000001AAA", 405},
		{"PUT", "/composite/sobjects/User", 405}, {"PUT", "/composite/sobjects", 405}, {"GET", "/composite", 405}, {"GET", "/composite/sobjects/User/Id/x", 404},
		{"DELETE", "/jobs/ingest", 405}, {"PUT", "/jobs/ingest/750000000000001AAA", 405}, {"POST", "/jobs/ingest/750000000000001AAA/batches", 405},
		{"POST", "/query?q=SELECT+Id+FROM+User", 405}, {"HEAD", "/query?q=SELECT+Id+FROM+User", 200},
	} {
		a := r.do(ask.method, version+ask.path, "")
		if a.status != ask.status || ask.status == 405 && a.list(t)[0]["errorCode"] != "METHOD_NOT_ALLOWED" || ask.method == "HEAD" && a.body != "" {
			t.Errorf("%s %s: %d %s, want %d", ask.method, ask.path, a.status, a.body, ask.status)
		}
	}
	r.do("GET", "/services/data/63.0/limits", "").is(t, 404)
	r.do("GET", "/services/data/v63/limits", "").is(t, 404)
}

// [R nforce #74]
func TestMediaTypes(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	body := `{"Name":"A"}`
	for _, kind := range []string{"multipart/related", "application/x-www-form-urlencoded", "application/xml", "text/plain"} {
		r.do("POST", version+"/sobjects/Account", body, "Content-Type", kind).same(t, 415,
			`[{"message":"MediaType of '`+kind+`' is not supported by this resource","errorCode":"UNSUPPORTED_MEDIA_TYPE"}]`)
	}
	for _, kind := range []string{"application/json", "application/json;charset=UTF-8", "Application/JSON; charset=utf-8", ""} {
		r.do("POST", version+"/sobjects/Account", body, "Content-Type", kind).is(t, 201)
	}
	job := version + "/jobs/ingest/" + r.do("POST", version+"/jobs/ingest", `{"object":"Account","operation":"insert"}`).object(t)["id"].(string)
	r.do("PUT", job+"/batches", "Name\nA\n", "Content-Type", "application/json").is(t, 415)
	r.do("PUT", job+"/batches", "Name\nA\n", "Content-Type", "text/csv; charset=UTF-8").is(t, 201)
}

func TestXMLIsNotSpoken(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.do("GET", version+"/limits", "", "Accept", "application/xml").is(t, 406)
	for _, accept := range []string{"application/json", "*/*", "text/html,application/xml;q=0.9,*/*;q=0.8", "application/xml, application/json", "text/csv"} {
		r.do("GET", version+"/limits", "", "Accept", accept).is(t, 200)
	}
}

// Clients with a username and a password begin with a SOAP login, and read XML
// out of the refusal.
func TestSOAPLoginIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	a := r.do("POST", "/services/Soap/u/59.0/", "<env:Envelope/>", "Content-Type", "text/xml")
	a.is(t, 500)
	var fault struct {
		Code    string `xml:"Body>Fault>detail>LoginFault>exceptionCode"`
		Message string `xml:"Body>Fault>detail>LoginFault>exceptionMessage"`
		Text    string `xml:"Body>Fault>faultstring"`
	}
	if err := xml.Unmarshal([]byte(a.body), &fault); err != nil {
		t.Fatal(err)
	}
	// [R OpenFn adaptors #1715]
	if fault.Text != "INVALID_OPERATION: SOAP API login() is disabled by default in this org. Contact the org administrator to enable SOAP API login()." ||
		fault.Code != "INVALID_OPERATION" || !strings.HasSuffix(fault.Text, fault.Message) || a.header.Get("Content-Type") != "text/xml;charset=UTF-8" {
		t.Fatalf("fault %+v, header %v", fault, a.header)
	}
}

func TestResourcesOfAVersion(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	list := r.do("GET", version+"/", "").object(t)
	u, _ := r.org.UserByUsername(emulator.IntegrationUsername)
	if list["sobjects"] != version+"/sobjects" || list["identity"] != r.web.URL+"/id/"+r.org.ID()+"/"+u.ID {
		t.Fatalf("resources %v", list)
	}
	for name, path := range list {
		if name != "identity" {
			if a := r.do("GET", path.(string), ""); a.status == 404 && name != "jobs" {
				t.Errorf("%s is listed, and answers %v", name, a)
			}
		}
	}
}

// A filter that an id cannot have: code [R restforce #557], texts [R jsforce
// #684, LightningFlowComponents #255].
func TestFiltersOnIDs(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for filter, want := range map[string]string{"= 'abc'": "invalid ID field: abc", "IN ('abc')": "invalid ID field: abc", "LIKE '005%'": "invalid operator on id field"} {
		a := r.query("SELECT Id FROM User WHERE Id " + filter)
		a.is(t, 400)
		if e := a.list(t)[0]; e["errorCode"] != "INVALID_QUERY_FILTER_OPERATOR" || !strings.HasSuffix(e["message"].(string), "^\nERROR at Row:1:Column:27\n"+want) {
			t.Errorf("%s: %v", filter, e)
		}
	}
}

// A row is read through its relations too. [D]
func TestReadingThroughRelations(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	user := version + "/sobjects/User/" + r.create("ada")
	if got := r.do("GET", user+"?fields=LastName,profile.userlicense.Name", "").object(t); got["Profile"].(map[string]any)["UserLicense"].(map[string]any)["Name"] != "Salesforce" || got["LastName"] != "ada" {
		t.Fatalf("user %v", got)
	}
	if got := r.do("GET", user+"/Profile?fields=Name", "").object(t); got["Name"] != emulator.StandardUserProfile {
		t.Fatalf("profile %v", got)
	}
	r.do("GET", user+"/Manager", "").is(t, 404) // there is none
	r.do("GET", user+"/Nothing", "").is(t, 404)
	r.do("GET", user+"?fields=Nothing.Name", "").is(t, 400)
	r.do("GET", user+"?fields=Profile.Nothing", "").is(t, 400)
	r.do("DELETE", user+"/Profile", "").is(t, 405)
}

// Every record that shares its external id with another of the same request is
// refused, and none of them is written.
func TestRepeatedExternalIDs(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	list := r.do("PATCH", version+"/composite/sobjects/User/Rollcall_Key__c", collection(false, typed("User", r.person("ada", "Rollcall_Key__c", "k1")),
		typed("User", r.person("bob", "Rollcall_Key__c", "k2")), typed("User", r.person("eve", "Rollcall_Key__c", "K1")))).list(t)
	for i, want := range []string{"k1", "", "K1"} {
		if want == "" {
			if list[i]["success"] != true {
				t.Errorf("result %v", list[i])
			}
			continue
		}
		e := list[i]["errors"].([]any)[0].(map[string]any)
		if e["statusCode"] != "DUPLICATE_VALUE" || e["message"] != "Duplicate external id specified: "+want {
			t.Errorf("error %v", e)
		}
	}
	job, done := r.ingest(`{"object":"User","operation":"upsert","externalIdFieldName":"Rollcall_Key__c"}`, "Rollcall_Key__c,Title\nk2,A\nk2,B\n")
	if failed := r.do("GET", job+"/failedResults", "").body; done["numberRecordsFailed"] != 2.0 || strings.Count(failed, "DUPLICATE_VALUE:Duplicate external id specified: k2:Rollcall_Key__c --") != 2 {
		t.Errorf("job %v: %s", done, failed)
	}
}

// A flag is true or false, and never null: nobody is deactivated by accident.
func TestNullIsNoFlag(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.create("ada")
	a := r.do("PATCH", version+"/sobjects/User/"+id, `{"IsActive":null}`)
	a.same(t, 400, `[{"message":"Cannot deserialize instance of boolean from VALUE_NULL value null or request may be missing a required field at [line:1, column:13]","errorCode":"JSON_PARSER_ERROR"}]`)
	if u, _ := r.org.UserByUsername("ada@people.example"); !u.IsActive {
		t.Fatal("deactivated by a null")
	}
	job, done := r.ingest(`{"object":"User","operation":"update"}`, "Id,IsActive\n"+id+",#N/A\n")
	if done["numberRecordsFailed"] != 1.0 {
		t.Errorf("job %s %v", job, done)
	}
}

func TestPasswordFlowIsOff(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.form(tokenPath, "grant_type", "password", "client_id", "nobody", "client_secret", clientSecret).same(t, 400, refused("invalid_client_id", "client identifier invalid"))
	r.form(tokenPath, "grant_type", "password", "client_id", clientID, "client_secret", clientSecret, "username", "a", "password", "b").same(t, 400, refused("invalid_grant", "authentication failure"))
}
