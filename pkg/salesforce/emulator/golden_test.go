package emulator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func TestRecordedSuccessBodies(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	a := r.do("POST", version+"/sobjects/User", r.person("ada"))
	id := a.object(t)["id"].(string)
	a.same(t, 201, `{"id":"`+id+`","success":true,"errors":[]}`) // [R amp-labs create-ok.json]
	if len(id) != 18 || !strings.HasPrefix(id, "005") {
		t.Fatalf("id %q", id)
	}
	if a := r.do("PATCH", version+"/sobjects/User/"+id, `{"Title":"A"}`); a.status != 204 || a.body != "" {
		t.Fatalf("update %v", a)
	}
	a = r.do("PATCH", version+"/sobjects/User/Rollcall_Key__c/k9", r.person("new"))
	made := a.object(t)["id"].(string)
	a.same(t, 201, `{"id":"`+made+`","success":true,"errors":[],"created":true}`)
	r.do("PATCH", version+"/sobjects/User/Rollcall_Key__c/k9", `{"Title":"B"}`).same(t, 200, `{"id":"`+made+`","success":true,"errors":[],"created":false}`)
	r.do("PATCH", "/services/data/v45.0/sobjects/User/Rollcall_Key__c/k9", `{"Title":"B"}`).is(t, 204)
	r.do("PATCH", version+"/sobjects/User/Username/new@people.example", `{"Title":"C"}`).is(t, 200)

	set := r.id("PermissionSet", "HR_Data")
	grant := fmt.Sprintf(`{"AssigneeId":"%s","PermissionSetId":"%s"}`, id, set)
	a = r.do("POST", version+"/sobjects/PermissionSetAssignment", grant)
	a.is(t, 201)
	if first := a.object(t)["id"].(string); !strings.HasPrefix(first, "0Pa") {
		t.Fatalf("assignment id %q", first)
	}
	// [R amp-labs err-duplicate-permission-assignment.json]: two spaces, 15 character ids.
	r.do("POST", version+"/sobjects/PermissionSetAssignment", grant).same(t, 400,
		`[{"message":"Duplicate PermissionSetAssignment.  Assignee: `+id[:15]+`; Permission Set: `+set[:15]+`","errorCode":"DUPLICATE_VALUE","fields":["AssigneeId","PermissionSetId"]}]`)
}

func TestRecordedMixedDML(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	list := r.do("POST", version+"/composite/sobjects", collection(false, typed("User", r.person("mix")), `{"attributes":{"type":"Contact"},"LastName":"A"}`)).list(t)
	got := list[1]["errors"].([]any)[0].(map[string]any)
	if got["statusCode"] != "MIXED_DML_OPERATION" ||
		got["message"] != "DML operation on setup object is not permitted after you have updated a non-setup object (or vice versa): Contact, original object: User" {
		t.Fatalf("error %v", got)
	}
	id := r.create("other")
	// An update that leaves the setup fields alone may stand beside a Contact. [D]
	list = r.do("PATCH", version+"/composite/sobjects", collection(false, `{"attributes":{"type":"User"},"id":"`+id+`","Title":"X"}`)).list(t)
	if list[0]["success"] != true {
		t.Fatalf("results %v", list)
	}
}

func TestRecordedDeleted(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.do("POST", version+"/sobjects/Account", `{"Name":"A"}`).object(t)["id"].(string)
	r.do("DELETE", version+"/sobjects/Account/"+id, "").is(t, 204)
	// [R amp-labs crm/delete/not-found.json]
	r.do("DELETE", version+"/sobjects/Account/"+id, "").same(t, 404, `[{"message":"entity is deleted","errorCode":"ENTITY_IS_DELETED","fields":[]}]`)
	user := r.create("stay")
	r.do("DELETE", version+"/sobjects/User/"+user, "").is(t, 400)
	if _, there := r.org.UserByUsername("stay@people.example"); !there {
		t.Fatal("a user was deleted")
	}
}

func TestRecordedVersions(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.token = ""
	list := r.do("GET", "/services/data/", "").list(t)
	first, last := list[0], list[len(list)-1]
	if first["version"] != "20.0" || first["label"] != "Winter '11" || last["version"] != "67.0" || last["label"] != "Summer '26" ||
		last["url"] != "/services/data/v67.0" {
		t.Fatalf("versions %v ... %v", first, last)
	}
	r.token, _ = r.org.AccessToken(emulator.IntegrationUsername)
	r.do("GET", "/services/data/v20.0/limits", "").is(t, 410) // [R Pipedream #3134]
	r.do("GET", "/services/data/v99.0/limits", "").is(t, 404)
}

// The names of headers that every data answer carries, and the form of a time.
func TestRecordedHeaders(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	a := r.query("SELECT CreatedDate FROM User") // [R amp-labs PR #2980, jsforce PR #1301]
	for _, name := range []string{"Date", "Strict-Transport-Security", "X-Content-Type-Options", "X-XSS-Protection", "X-Robots-Tag", "Cache-Control",
		"Set-Cookie", "Vary", "Server", "X-Sfdc-Request-Id", "X-Request-Id", "Sforce-Limit-Info"} {
		if a.header.Get(name) == "" {
			t.Errorf("no %s in %v", name, a.header)
		}
	}
	if !strings.Contains(a.body, `"CreatedDate":"2026-03-01T08:00:00.000+0000"`) { // [R] form
		t.Errorf("body %s", a.body)
	}
	r.token = "00Dxx!wrong"
	a = r.do("GET", version+"/limits", "") // [R api-evangelist]
	if a.header.Get("WWW-Authenticate") == "" || a.header.Get("Sforce-Limit-Info") != "" {
		t.Errorf("headers of a 401: %v", a.header)
	}
}
