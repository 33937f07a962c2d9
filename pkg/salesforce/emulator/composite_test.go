package emulator_test

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func TestCompositeReferencesAnEarlierPart(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	set := r.id("PermissionSet", "HR_Data")
	a := r.do("POST", version+"/composite", `{"allOrNone":true,"compositeRequest":[
		{"method":"POST","url":"`+version+`/sobjects/User","referenceId":"u","body":`+r.person("ada")+`},
		{"method":"POST","url":"`+version+`/sobjects/PermissionSetAssignment","referenceId":"p","body":{"AssigneeId":"@{u.id}","PermissionSetId":"`+set+`"}},
		{"method":"PATCH","url":"`+version+`/sobjects/User/@{u.id}","referenceId":"f","body":{"Title":"Boss"}},
		{"method":"GET","url":"`+version+`/query?q=SELECT+Id+FROM+User+WHERE+Id='@{u.id}'","referenceId":"q"}]}`)
	u, found := r.org.UserByUsername("ada@people.example")
	if !found || len(u.PermissionSets) != 1 || u.Fields["Title"] != "Boss" {
		t.Fatalf("user %v: %s", u, a.body)
	}
	parts := a.object(t)["compositeResponse"].([]any)
	patch := parts[2].(map[string]any)
	if patch["body"] != nil || patch["httpStatusCode"] != 204.0 {
		t.Fatalf("patch %v", patch)
	}
	if s := r.org.Summary(); s.APICalls != 1 || s.MutatingCalls != 1 {
		t.Fatalf("summary %+v", s)
	}
}

func TestRecordedCompositeHalted(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	a := r.do("POST", version+"/composite/", `{"allOrNone":true,"compositeRequest":[
		{"method":"POST","url":"`+version+`/sobjects/User","referenceId":"ref1","body":`+r.person("ada")+`},
		{"method":"POST","url":"`+version+`/sobjects/User","referenceId":"ref2","body":`+r.person("ada")+`},
		{"method":"PATCH","url":"`+version+`/sobjects/User/@{ref1.id}","referenceId":"ref3","body":{"Title":"A"}}]}`)
	parts := a.object(t)["compositeResponse"].([]any)
	halted := `{"body":[{"errorCode":"PROCESSING_HALTED","message":"The transaction was rolled back since another operation in the same transaction failed."}],"httpHeaders":{},"httpStatusCode":400,"referenceId":"ref1"}` // [R apache/camel]
	if got := canonical(t, string(encodeJSON(t, parts[0]))); got != canonical(t, halted) {
		t.Fatalf("first part %s", got)
	}
	if !strings.Contains(string(encodeJSON(t, parts[1])), "DUPLICATE_USERNAME") || !strings.Contains(string(encodeJSON(t, parts[2])), "PROCESSING_HALTED") {
		t.Fatalf("parts %s", a.body)
	}
	if _, found := r.org.UserByUsername("ada@people.example"); found {
		t.Fatal("the user was not rolled back")
	}
}

func TestRecordedCompositeSuccess(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	a := r.do("POST", version+"/composite", `{"compositeRequest":[{"method":"POST","url":"`+version+`/sobjects/Account","referenceId":"refAccount","body":{"Name":"A"}}]}`)
	part := a.object(t)["compositeResponse"].([]any)[0].(map[string]any)
	id := part["body"].(map[string]any)["id"].(string)
	a.same(t, 200, `{"compositeResponse":[{"body":{"id":"`+id+`","success":true,"errors":[]},"httpHeaders":{"Location":"/services/data/v63.0/sobjects/Account/`+id+`"},"httpStatusCode":201,"referenceId":"refAccount"}]}`)
}

func TestCompositeEnvelope(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	sub := `{"method":"GET","url":"` + version + `/limits","referenceId":"x"}`
	r.do("POST", version+"/composite", `{"compositeRequest":[`+sub+`,`+sub+`]}`).is(t, 400)
	many := make([]string, 26)
	for i := range many {
		many[i] = strings.Replace(sub, `"x"`, `"x`+string(rune('a'+i))+`"`, 1)
	}
	r.do("POST", version+"/composite", `{"compositeRequest":[`+strings.Join(many, ",")+`]}`).is(t, 400)
	r.do("POST", version+"/composite", `{"compositeRequest":[`+strings.Join(many[:25], ",")+`]}`).is(t, 200)
}

func TestRecordedBatch(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.create("ada")
	r.do("POST", version+"/composite/batch", `{"batchRequests":[
		{"method":"PATCH","url":"v48.0/sobjects/user/`+id+`","richInput":{"IsActive":false}},
		{"method":"PATCH","url":"v48.0/sobjects/User/`+id+`","richInput":{"x":1}}]}`).same(t, 200,
		`{"hasErrors":true,"results":[{"statusCode":204,"result":null},{"statusCode":400,"result":[{"errorCode":"INVALID_FIELD","message":"No such column &#39;x&#39; on sobject of type User"}]}]}`)
	halted := r.do("POST", version+"/composite/batch", `{"haltOnError":true,"batchRequests":[
		{"method":"PATCH","url":"v48.0/sobjects/User/`+id+`","richInput":{"x":1}},
		{"method":"GET","url":"v48.0/limits"}]}`).object(t)
	if halted["results"].([]any)[1].(map[string]any)["statusCode"] != 412.0 { // [D]
		t.Fatalf("batch %v", halted)
	}
}

func TestGroupMemberTwiceIsOneRow(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.create("ada")
	body := `{"GroupId":"` + r.id("Group", "All Staff") + `","UserOrGroupId":"` + id + `"}`
	first := r.do("POST", version+"/sobjects/GroupMember", body)
	second := r.do("POST", version+"/sobjects/GroupMember", body)
	if first.body != second.body || second.status != 201 {
		t.Fatalf("answers %v %v", first, second)
	}
	if n, _ := r.org.Count("SELECT Id FROM GroupMember"); n != 1 {
		t.Fatalf("%d rows", n)
	}
	row := first.object(t)["id"].(string)
	r.do("DELETE", version+"/composite/sobjects?ids="+row, "").same(t, 200, `[{"id":"`+row+`","success":true,"errors":[]}]`)
}

func TestSeatsFreezeAndReactivation(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *emulator.OrgConfig) { cfg.Licenses[0].Seats = 2 })
	id := r.create("ada")
	row := r.query("SELECT Id, IsFrozen FROM UserLogin WHERE UserId = '" + id + "'").object(t)["records"].([]any)[0].(map[string]any)
	r.do("PATCH", version+"/sobjects/UserLogin/"+row["Id"].(string), `{"IsFrozen":true}`).is(t, 204)
	if used, _ := r.org.Seats("Salesforce"); used != 2 {
		t.Fatalf("%d seats after a freeze, want 2", used)
	}
	r.do("PATCH", version+"/sobjects/User/"+id, `{"IsActive":false}`).is(t, 204)
	r.create("next")
	r.do("PATCH", version+"/sobjects/User/"+id, `{"IsActive":true}`).same(t, 400, `[{"message":"License Limit Exceeded","errorCode":"LICENSE_LIMIT_EXCEEDED","fields":[]}]`)
	r.query("SELECT UsedLicenses, TotalLicenses FROM UserLicense WHERE Name = 'Salesforce' AND UsedLicenses = 2").is(t, 200)
	if err := r.org.RefuseDeactivation("next@people.example", emulator.Refusal{Message: "Cannot complete this operation. Cannot inactivate user that is the value of a hierarchy field: User Hierarchy. : Jane Doe"}); err != nil {
		t.Fatal(err)
	}
	u, _ := r.org.UserByUsername("next@people.example")
	r.do("PATCH", version+"/sobjects/User/"+u.ID, `{"IsActive":false}`).is(t, 400)
	if u, _ = r.org.UserByUsername("next@people.example"); !u.IsActive {
		t.Fatal("refused, and deactivated all the same")
	}
}

func TestUsernamesAreGlobal(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	second := emulator.DefaultOrg("other", "other")
	second.Users[0]["Username"] = "integration@second.example"
	org := r.server.AddOrg(second)
	if _, err := org.Create("User", map[string]any{"Username": "ada@people.example", "IsActive": false}); err != nil {
		t.Fatal(err)
	}
	r.server.TakeUsernames("grace@people.example")
	for _, name := range []string{"ada", "grace"} {
		if a := r.do("POST", version+"/sobjects/User", r.person(name)); !strings.Contains(a.body, "DUPLICATE_USERNAME") {
			t.Fatalf("%s: %s", name, a.body)
		}
	}
	// The token decides which of two orgs on one host is meant.
	token, err := org.AccessToken("integration@second.example")
	if err != nil {
		t.Fatal(err)
	}
	r.token = token
	r.query("SELECT Id FROM User WHERE Username = 'ada@people.example'").is(t, 200)
	if got := r.do("GET", "/orgs/"+org.ID()+version+"/limits", ""); got.status != 200 {
		t.Fatalf("by prefix: %v", got)
	}
	if got := r.do("GET", "/orgs/"+r.org.ID()+version+"/limits", ""); got.status != 401 {
		t.Fatalf("a token of another org: %v", got)
	}
}
