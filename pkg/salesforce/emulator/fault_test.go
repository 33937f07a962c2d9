package emulator_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func TestFaultsAsResources(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	planned := r.do("POST", "/_emulator/faults", `{"operation":"query","effect":"gack","times":1,"after":1}`)
	planned.is(t, 201)
	id := planned.object(t)["id"].(string)
	r.query("SELECT Id FROM Profile").is(t, 200)
	r.query("SELECT Id FROM Profile").is(t, 500)
	r.query("SELECT Id FROM Profile").is(t, 200)
	if used := r.do("GET", "/_emulator/faults/"+id, "").object(t)["used"]; used != 1.0 {
		t.Fatalf("used %v", used)
	}
	r.do("DELETE", "/_emulator/faults/"+id, "").is(t, 204)
	r.do("GET", "/_emulator/faults/"+id, "").is(t, 404)
	r.do("POST", "/_emulator/faults", `{"effect":"nope"}`).is(t, 400)
	r.do("POST", "/_emulator/faults", `{"efect":"gack"}`).is(t, 400)
	if list := r.do("GET", "/_emulator/faults", "").list(t); len(list) != 0 {
		t.Fatalf("faults %v", list)
	}
}

func TestTornAnswerWasApplied(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.plan(emulator.Fault{Operation: "collections.create", Effect: emulator.EffectTorn, Times: 1})
	a, _ := r.try("POST", version+"/composite/sobjects", collection(false, typed("User", r.person("torn"))))
	if json.Valid([]byte(a.body)) {
		t.Fatalf("body %q is whole", a.body)
	}
	if _, found := r.org.UserByUsername("torn@people.example"); !found {
		t.Fatal("not applied")
	}
}

func TestGackAfterCommitAndHTML(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.plan(emulator.Fault{Operation: "sobject.create", Effect: emulator.EffectGackAfterCommit, Times: 1})
	r.do("POST", version+"/sobjects/User", r.person("gack")).is(t, 500)
	if _, found := r.org.UserByUsername("gack@people.example"); !found {
		t.Fatal("not applied")
	}
	r.plan(emulator.Fault{Operation: "any", Effect: emulator.EffectUnavailable, Times: 1})
	a := r.do("GET", version+"/limits", "")
	if a.status != 503 || !strings.HasPrefix(a.body, "<!DOCTYPE") {
		t.Fatalf("answer %v", a)
	}
}

func TestTokenFault(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.plan(emulator.Fault{Operation: "token", Effect: emulator.EffectTokenError, Code: "rate_limit_exceeded", Message: "login rate exceeded", Times: 1})
	ask := func() answer {
		return r.form(tokenPath, "grant_type", "client_credentials", "client_id", clientID, "client_secret", clientSecret)
	}
	ask().same(t, 400, `{"error":"rate_limit_exceeded","error_description":"login rate exceeded"}`)
	ask().is(t, 200)
}

func TestSlowFaultUsesTheInjectedWait(t *testing.T) {
	t.Parallel()
	var waited atomic.Int64
	r := newRig(t, nil, emulator.WithSleep(func(_ *http.Request, d time.Duration) { waited.Add(int64(d)) }))
	r.plan(emulator.Fault{Operation: "limits", Effect: emulator.EffectSlow, DelayMillis: 3000})
	r.do("GET", version+"/limits", "").is(t, 200)
	if waited.Load() != int64(3*time.Second) {
		t.Fatalf("waited %v", time.Duration(waited.Load()))
	}
}

func TestRecordErrorInsideComposite(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.plan(emulator.Fault{Operation: "composite", Effect: emulator.EffectRecordError, Object: "User", Field: "Username", Value: "ada@people.example",
		Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "No Adas here"})
	a := r.do("POST", version+"/composite", `{"compositeRequest":[{"method":"POST","url":"`+version+`/sobjects/User","referenceId":"u","body":`+r.person("ada")+`}]}`)
	if !strings.Contains(a.body, `[{"message":"No Adas here","errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","fields":[]}]`) {
		t.Fatalf("answer %s", a.body)
	}
	r.struck(id, 1)
}

func TestJournalKeepsNoQueryValuesAndIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil, emulator.WithJournalSize(3))
	for range 5 {
		r.query("SELECT Id FROM Profile")
	}
	r.create("ada")
	entries := r.server.Journal(emulator.JournalFilter{})
	if len(entries) != 3 || entries[0].Seq != 4 || entries[2].Seq != 6 {
		t.Fatalf("journal %+v", entries)
	}
	last := entries[2]
	if !last.Mutating || last.Operation != "sobject.create" || last.Object != "User" || last.Records != 1 || last.Status != 201 ||
		len(last.Touched) != 2 || strings.Contains(entries[0].Path, "SELECT") {
		t.Fatalf("entry %+v", last)
	}
	if got := r.do("GET", "/_emulator/journal?mutating=true", "").list(t); len(got) != 1 {
		t.Fatalf("mutating %v", got)
	}
	sum := r.do("GET", "/_emulator/summary", "").object(t)
	if sum["apiCalls"] != 6.0 || sum["mutatingCalls"] != 1.0 || sum["usersActive"] != 2.0 {
		t.Fatalf("summary %v", sum)
	}
	r.do("DELETE", "/_emulator/journal", "").is(t, 204)
	if n := r.org.Counters().APICalls; n != 0 {
		t.Fatalf("%d calls after a reset", n)
	}
}

func TestAdminPlantsWhatClientsSee(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.create("ada")
	user := "/_emulator/orgs/" + r.org.ID() + "/users/ada@people.example"
	r.do("PATCH", user, `{"IsActive":false,"Title":"Gone","IsFrozen":true}`).is(t, 204)
	u, _ := r.org.UserByUsername("ada@people.example")
	if u.ID != id || u.IsActive || !u.IsFrozen || u.Fields["Title"] != "Gone" {
		t.Fatalf("user %+v", u)
	}
	r.do("POST", "/_emulator/orgs/-/users/planted@people.example", `{"LastName":"P","Profile":"Standard Platform User"}`).is(t, 204)
	if u, found := r.org.UserByUsername("planted@people.example"); !found || u.License != emulator.PlatformLicense {
		t.Fatalf("planted %+v", u)
	}
	r.do("PATCH", "/_emulator/orgs/-/licenses/Salesforce", `{"seats":1}`).is(t, 204)
	if a := r.do("POST", version+"/sobjects/User", r.person("late")); !strings.Contains(a.body, "LICENSE_LIMIT_EXCEEDED") {
		t.Fatalf("answer %v", a)
	}
	r.do("POST", "/_emulator/orgs/-/refusals/planted@people.example", `{"message":"You cannot deactivate the Default Workflow User"}`).is(t, 204)
	r.do("PATCH", "/_emulator/orgs/-/apps/"+clientID, `{"clientSecret":"new"}`).is(t, 204)
	r.form(tokenPath, "grant_type", "client_credentials", "client_id", clientID, "client_secret", clientSecret).is(t, 400)
	r.do("POST", "/_emulator/usernames", `["taken@people.example"]`).is(t, 204)
	r.do("POST", "/_emulator/orgs/-/grants", `{"clientId":"`+clientID+`","username":"`+emulator.IntegrationUsername+`"}`).is(t, 201)
	r.do("GET", "/_emulator/state?stable=true", "").is(t, 200)
	r.do("DELETE", "/_emulator/orgs/-/tokens", "").is(t, 204)
	r.do("GET", version+"/limits", "").is(t, 401)
	r.do("POST", "/_emulator/orgs", `{"name":"Second","users":[]}`).is(t, 201)
	r.do("GET", "/_emulator/orgs/nope", "").is(t, 404)
}

func TestAdminCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil, emulator.WithoutAdmin())
	r.do("GET", "/_emulator/summary", "").is(t, 404)
}

func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.create("ada", "Rollcall_Key__c", "k1", "ManagerId", r.create("boss"))
	r.server.TakeUsernames("taken@people.example")
	refresh, err := r.org.Grant(clientID, emulator.IntegrationUsername)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := r.server.Save(&file); err != nil {
		t.Fatal(err)
	}
	copied := newRig(t, nil)
	copied.server = emulator.New(emulator.WithClock(func() time.Time { return r.now }))
	if err := copied.server.Load(bytes.NewReader(file.Bytes())); err != nil {
		t.Fatal(err)
	}
	copied.org = copied.server.Org(r.org.ID())
	copied.web.Config.Handler = copied.server
	if got, want := encodeJSON(t, copied.org.State(false)), encodeJSON(t, r.org.State(false)); !bytes.Equal(got, want) {
		t.Fatalf("state\n got %s\nwant %s", got, want)
	}
	copied.token = copied.refresh(refresh).object(t)["access_token"].(string)
	if a := copied.do("POST", version+"/sobjects/User", copied.person("taken")); !strings.Contains(a.body, "DUPLICATE_USERNAME") {
		t.Fatalf("answer %v", a)
	}
	copied.create("next")
	if err := copied.server.Load(bytes.NewReader(file.Bytes())); err == nil {
		t.Fatal("loaded over orgs")
	}
}

func TestHostilityIsRepeatable(t *testing.T) {
	t.Parallel()
	run := func() []int {
		r := newRig(t, nil, emulator.WithHostility(7, 0.5), emulator.WithSleep(func(*http.Request, time.Duration) {}))
		var got []int
		for range 40 {
			a, err := r.try("GET", version+"/limits", "")
			if err != nil && !errors.Is(err, http.ErrServerClosed) {
				a.status = -1
			}
			got = append(got, a.status)
		}
		return got
	}
	first, second := run(), run()
	wrong := 0
	for i := range first {
		if first[i] != second[i] {
			t.Fatalf("call %d: %d then %d", i, first[i], second[i])
		}
		if first[i] != 200 {
			wrong++
		}
	}
	if wrong < 5 || wrong > 35 {
		t.Fatalf("%d of 40 went wrong", wrong)
	}
}
