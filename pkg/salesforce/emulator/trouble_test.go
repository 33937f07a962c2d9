package emulator_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// Each feature licence has seats of its own, taken by active users who have the
// flag.
func TestFeatureLicences(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *emulator.OrgConfig) {
		cfg.FeatureLicenses = map[string]int{"UserPermissionsKnowledgeUser": 1}
	})
	full := `[{"message":"License Limit Exceeded","errorCode":"LICENSE_LIMIT_EXCEEDED","fields":[]}]`
	flag := `{"UserPermissionsKnowledgeUser":true}`
	user := func(name string) string { return version + "/sobjects/User/" + r.create(name) }
	seats := func(want int) {
		t.Helper()
		if used, _ := r.org.Seats("UserPermissionsKnowledgeUser"); used != want {
			t.Fatalf("%d seats used, want %d", used, want)
		}
	}
	ada, bob := user("ada"), user("bob")
	r.do("PATCH", ada, flag).is(t, 204)
	r.do("PATCH", ada, `{"UserPermissionsKnowledgeUser":true,"Title":"A"}`).is(t, 204) // has it already
	r.do("PATCH", bob, flag).same(t, 400, full)
	r.do("PATCH", bob, `{"UserPermissionsMarketingUser":true}`).is(t, 204) // another one, without end
	r.do("POST", version+"/composite/sobjects", collection(true, typed("User", strings.Replace(r.person("eve"), "{", `{"UserPermissionsKnowledgeUser":true,`, 1)))).is(t, 200)
	seats(1)
	r.do("PATCH", ada, `{"IsActive":false}`).is(t, 204)
	seats(0)
	r.do("PATCH", bob, flag).is(t, 204)
	r.do("PATCH", ada, `{"IsActive":true}`).same(t, 400, full)
	r.do("PATCH", "/_emulator/orgs/-/licenses/UserPermissionsKnowledgeUser", `{"seats":2}`).is(t, 204)
	r.do("PATCH", ada, `{"IsActive":true}`).is(t, 204)
	// What is rolled back gives its seat back.
	r.do("PATCH", "/_emulator/orgs/-/licenses/UserPermissionsKnowledgeUser", `{"seats":3}`).is(t, 204)
	eve := strings.Replace(r.person("eve"), "{", `{"UserPermissionsKnowledgeUser":true,`, 1)
	r.do("POST", version+"/composite/sobjects", collection(true, typed("User", eve), typed("User", `{"LastName":"x"}`))).is(t, 200)
	seats(2)
	var file bytes.Buffer
	if err := r.server.Save(&file); err != nil {
		t.Fatal(err)
	}
	again := emulator.New()
	if err := again.Load(&file); err != nil {
		t.Fatal(err)
	}
	if used, total := again.Orgs()[0].Seats("UserPermissionsKnowledgeUser"); used != 2 || total != 3 {
		t.Fatalf("after a restart %d of %d seats", used, total)
	}
}

// Field-level security: what is read-only says so when it is written, what is
// hidden is not there.
func TestFieldAccess(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *emulator.OrgConfig) {
		cfg.FieldAccess = map[string]emulator.FieldAccess{"User.Department": emulator.FieldReadOnly, "User.Title": emulator.FieldReadOnly, "User.Rollcall_Key__c": emulator.FieldHidden}
	})
	id := r.create("ada")
	user := version + "/sobjects/User/" + id
	r.do("PATCH", user, `{"Department":"A","Title":"B","Phone":"1"}`).same(t, 400, // [R amp-labs] text
		`[{"message":"Unable to create/update fields: Department, Title. Please check the security settings of this field and verify that it is read/write for your profile or permission set.","errorCode":"INVALID_FIELD_FOR_INSERT_UPDATE","fields":["Department","Title"]}]`)
	r.do("PATCH", user, `{"Rollcall_Key__c":"k"}`).same(t, 400, `[{"message":"No such column 'Rollcall_Key__c' on sobject of type User","errorCode":"INVALID_FIELD"}]`) // [R]
	r.query("SELECT Department FROM User").is(t, 200)
	for _, soql := range []string{"SELECT Rollcall_Key__c FROM User", "SELECT Id FROM User WHERE Rollcall_Key__c = null", "SELECT Id FROM User ORDER BY Rollcall_Key__c"} {
		if a := r.query(soql); a.status != 400 || !strings.Contains(a.body, "No such column 'Rollcall_Key__c' on entity 'User'") {
			t.Errorf("%s: %v", soql, a)
		}
	}
	r.do("PATCH", version+"/sobjects/User/Rollcall_Key__c/k", `{"Title":"A"}`).is(t, 404)
	r.do("GET", user+"?fields=Rollcall_Key__c", "").is(t, 400)
	if _, there := r.do("GET", user, "").object(t)["Rollcall_Key__c"]; there {
		t.Error("a hidden field is read")
	}
	for _, f := range r.do("GET", version+"/sobjects/User/describe", "").object(t)["fields"].([]any) {
		switch f := f.(map[string]any); f["name"] {
		case "Rollcall_Key__c":
			t.Error("a hidden field is described")
		case "Department":
			if f["createable"] != false || f["updateable"] != false {
				t.Errorf("field %v", f)
			}
		}
	}
	job := version + "/jobs/ingest/" + r.do("POST", version+"/jobs/ingest", `{"object":"User","operation":"update"}`).object(t)["id"].(string)
	r.do("PUT", job+"/batches", "Id,Rollcall_Key__c\n"+id+",k\n").is(t, 201)
	r.do("PATCH", job, `{"state":"UploadComplete"}`).is(t, 200)
	r.do("GET", job, "")
	if done := r.do("GET", job, "").object(t); done["errorMessage"] != "InvalidBatch : Field name not found : Rollcall_Key__c" {
		t.Errorf("job %v", done)
	}
	if _, err := r.org.Query("SELECT Rollcall_Key__c FROM User"); err != nil { // a test sees everything
		t.Error(err)
	}
	r.do("PATCH", user, `{"ManagerId":"`+r.create("boss")+`"}`).is(t, 204)
	r.do("GET", user+"/Manager", "").is(t, 200)
	r.do("PATCH", "/_emulator/orgs/-/fields/User.ManagerId", `{"access":"none"}`).is(t, 204)
	r.do("GET", user+"/Manager", "").is(t, 404)
	r.query("SELECT Manager.Name FROM User").is(t, 400)
	r.do("PATCH", "/_emulator/orgs/-/fields/User.Department", `{"access":"edit"}`).is(t, 204)
	r.do("PATCH", user, `{"Department":"A"}`).is(t, 204)
	r.do("PATCH", "/_emulator/orgs/-/fields/User.Nope", `{"access":"edit"}`).is(t, 400)
	r.do("PATCH", "/_emulator/orgs/-/fields/User.LastName", `{"access":"none"}`).is(t, 400)
	r.do("PATCH", "/_emulator/orgs/-/fields/User.Title", `{"access":"some"}`).is(t, 400)
}

// 3,600 logins of a user within an hour, of whatever flow. [D, R restforce PR #744]
func TestLoginRate(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *emulator.OrgConfig) { cfg.LoginsPerHour, cfg.Clients[0].RefreshRotation = 3, true })
	token, err := r.org.Grant(clientID, emulator.IntegrationUsername)
	if err != nil {
		t.Fatal(err)
	}
	r.signIn().is(t, 200)
	r.now = r.now.Add(30 * time.Minute)
	r.signIn().is(t, 200)
	token = r.refresh(token).object(t)["refresh_token"].(string)
	over := `{"error":"rate_limit_exceeded","error_description":"login rate exceeded"}`
	r.signIn().same(t, 400, over)
	r.refresh(token).same(t, 400, over)
	r.now = r.now.Add(31 * time.Minute) // the first one left the hour
	r.refresh(token).is(t, 200)         // and the refusal did not rotate
	r.signIn().same(t, 400, over)
	r.do("PATCH", "/_emulator/orgs/-/limits", `{"loginsPerHour":10}`).is(t, 204)
	r.signIn().is(t, 200)
	r.do("GET", version+"/limits", "").is(t, 200) // the daily limit is as it was
}

// Under rotation a refused refresh leaves the token alone: the user may come
// back.
func TestRefusedRefreshDoesNotRotate(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *emulator.OrgConfig) { cfg.Clients[0].RefreshRotation = true })
	token, err := r.org.Grant(clientID, emulator.IntegrationUsername)
	if err != nil {
		t.Fatal(err)
	}
	for _, trouble := range []struct{ plant, lift, want string }{
		{`{"IsActive":false}`, `{"IsActive":true}`, "inactive user"},
		{`{"IsFrozen":true}`, `{"IsFrozen":false}`, "authentication failure"},
	} {
		user := "/_emulator/orgs/-/users/" + emulator.IntegrationUsername
		r.do("PATCH", user, trouble.plant).is(t, 204)
		r.refresh(token).same(t, 400, refused("invalid_grant", trouble.want))
		r.do("PATCH", user, trouble.lift).is(t, 204)
		token = r.refresh(token).object(t)["refresh_token"].(string)
	}
}
