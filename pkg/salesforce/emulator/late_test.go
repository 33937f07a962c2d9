package emulator_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// unanswered sends a call that is late, and sees that nobody answers.
func (r *rig) unanswered(method, path, body string) {
	r.t.Helper()
	if a, err := r.try(method, path, body); err == nil {
		r.t.Fatalf("%s %s was answered: %v", method, path, a)
	}
	r.org.Late().Calls() // under a lock that the call had too: the clock is the test's again
}

// count runs SOQL and says how many rows it has.
func (r *rig) count(soql string) int {
	r.t.Helper()
	n, err := r.org.Count(soql)
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

// lateEntry is the one journal entry of an applied call.
func (r *rig) lateEntry() emulator.JournalEntry {
	r.t.Helper()
	list := r.org.Journal(emulator.JournalFilter{Late: emulator.LateApplied})
	if len(list) != 1 {
		r.t.Fatalf("applied: %+v", list)
	}
	return list[0]
}

// Every kind of call that changes something can get no answer and be applied
// later; nothing of it is seen before.
func TestLateCallsAreAppliedLater(t *testing.T) {
	t.Parallel()
	user, grant := version+"/sobjects/User", version+"/sobjects/PermissionSetAssignment"
	active := "SELECT Id FROM User WHERE Username = 'ada@people.example' AND IsActive = true"
	frozen := "SELECT Id FROM UserLogin WHERE IsFrozen = true"
	given := "SELECT Id FROM PermissionSetAssignment WHERE PermissionSet.Name = 'HR_Data'"
	for name, c := range map[string]struct {
		prepare       func(r *rig, id string)
		send          func(r *rig, id string) (method, path, body string)
		soql          string
		before, after int
		status        int
	}{
		"create": {
			send:  func(r *rig, _ string) (string, string, string) { return "POST", user, r.person("eve") },
			soql:  "SELECT Id FROM User WHERE Username = 'eve@people.example'",
			after: 1, status: 201,
		},
		"upsert": {
			send: func(r *rig, _ string) (string, string, string) {
				return "PATCH", user + "/Rollcall_Key__c/k9", r.person("eve")
			},
			soql:  "SELECT Id FROM User WHERE Rollcall_Key__c = 'k9'",
			after: 1, status: 201,
		},
		"update": {
			send:  func(_ *rig, id string) (string, string, string) { return "PATCH", user + "/" + id, `{"Title":"A"}` },
			soql:  "SELECT Id FROM User WHERE Title = 'A'",
			after: 1, status: 204,
		},
		"deactivate": {
			send: func(_ *rig, id string) (string, string, string) {
				return "PATCH", user + "/" + id, `{"IsActive":false}`
			},
			soql:   active,
			before: 1, status: 204,
		},
		"reactivate": {
			prepare: func(r *rig, id string) { r.do("PATCH", user+"/"+id, `{"IsActive":false}`).is(r.t, 204) },
			send: func(_ *rig, id string) (string, string, string) {
				return "PATCH", user + "/" + id, `{"IsActive":true}`
			},
			soql:  active,
			after: 1, status: 204,
		},
		"freeze": {
			send: func(r *rig, id string) (string, string, string) {
				return "PATCH", version + "/sobjects/UserLogin/" + r.login(id), `{"IsFrozen":true}`
			},
			soql:  frozen,
			after: 1, status: 204,
		},
		"assign": {
			send: func(r *rig, id string) (string, string, string) {
				return "POST", grant, `{"AssigneeId":"` + id + `","PermissionSetId":"` + r.id("PermissionSet", "HR_Data") + `"}`
			},
			soql:  given,
			after: 1, status: 201,
		},
		"unassign": {
			prepare: func(r *rig, id string) { r.assign(id) },
			send: func(r *rig, _ string) (string, string, string) {
				return "DELETE", grant + "/" + r.first(given), ""
			},
			soql:   given,
			before: 1, status: 204,
		},
		"collection": {
			send: func(r *rig, _ string) (string, string, string) {
				return "POST", version + "/composite/sobjects", collection(false, typed("User", r.person("eve")), typed("User", r.person("ada")))
			},
			soql:  "SELECT Id FROM User WHERE Username LIKE 'eve%'",
			after: 1, status: 200,
		},
		"composite": {
			send: func(r *rig, _ string) (string, string, string) {
				return "POST", version + "/composite", `{"compositeRequest":[{"method":"POST","url":"` + user + `","referenceId":"u","body":` + r.person("eve") + `}]}`
			},
			soql:  "SELECT Id FROM User WHERE Username LIKE 'eve%'",
			after: 1, status: 200,
		},
		"bulk job": {
			send: func(r *rig, id string) (string, string, string) {
				job := version + "/jobs/ingest/" + r.do("POST", version+"/jobs/ingest", `{"object":"User","operation":"update"}`).object(r.t)["id"].(string)
				r.do("PUT", job+"/batches", "Id,Title\n"+id+",A\n").is(r.t, 201)
				return "PATCH", job, `{"state":"UploadComplete"}`
			},
			soql:  "SELECT Id FROM User WHERE Title = 'A'",
			after: 1, status: 200,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			id := r.create("ada")
			if c.prepare != nil {
				c.prepare(r, id)
			}
			method, path, body := c.send(r, id)
			fault := r.plan(emulator.Fault{Effect: emulator.EffectLate, Times: 1})
			before := r.org.Counters()
			r.unanswered(method, path, body)
			if n := r.count(c.soql); n != c.before {
				t.Fatalf("%d before, want %d", n, c.before)
			}
			calls := r.org.Late().Calls()
			if len(calls) != 1 || calls[0].Method != method || calls[0].Path != path || calls[0].Fault != fault || !calls[0].Due.IsZero() {
				t.Fatalf("waiting: %+v", calls)
			}
			if err := r.org.Late().Apply(calls[0].ID); err != nil {
				t.Fatal(err)
			}
			if n := r.count(c.soql); n != c.after {
				t.Fatalf("%d after, want %d", n, c.after)
			}
			r.struck(fault, 1)
			received := r.org.Journal(emulator.JournalFilter{Late: emulator.LateWaiting})
			if len(received) != 1 || received[0].Seq != calls[0].Seq || received[0].Status != 0 || !received[0].Dropped || received[0].FaultID != fault {
				t.Fatalf("journal: %+v", received)
			}
			if e := r.lateEntry(); e.Of != calls[0].Seq || e.Status != c.status || e.FaultID != fault || e.Operation != calls[0].Operation || !e.Mutating {
				t.Fatalf("journal: %+v", e)
			}
			if n := r.org.Counters(); n.APICalls-before.APICalls != 1 || n.MutatingCalls-before.MutatingCalls != 1 || n.LateCalls != 1 || n.LateApplied != 1 {
				t.Fatalf("counters %+v, before %+v", n, before)
			}
		})
	}
}

// A late call meets the org as it is then: a username that was taken meanwhile,
// a seat that is gone. The journal says what it touched and what was refused.
func TestLateCallsMeetTheOrgOfThen(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.plan(emulator.Fault{Operation: "mutating", Effect: emulator.EffectLate, Times: 2})
	r.unanswered("POST", version+"/composite/sobjects", collection(false, typed("User", r.person("eve")), typed("User", r.person("bob"))))
	r.unanswered("POST", version+"/sobjects/User", r.person("cid"))
	eve := r.create("eve", "LastName", "Other")
	late := r.org.Late()
	if err := late.Apply(late.Calls()[0].ID); err != nil {
		t.Fatal(err)
	}
	e := r.lateEntry()
	if e.Records != 2 || e.Failed != 1 || len(e.Touched) != 2 || e.Touched[1] != "bob@people.example" {
		t.Fatalf("journal: %+v", e)
	}
	if u, _ := r.org.UserByUsername("eve@people.example"); u.ID != eve || u.LastName != "Other" {
		t.Fatalf("eve is %+v", u)
	}
	used, _ := r.org.Seats(emulator.SalesforceLicense)
	if err := r.org.SetSeats(emulator.SalesforceLicense, used); err != nil {
		t.Fatal(err)
	}
	if err := late.Apply(); err != nil {
		t.Fatal(err)
	}
	list := r.org.Journal(emulator.JournalFilter{Late: emulator.LateApplied})
	if last := list[len(list)-1]; last.Status != 400 || last.Failed != 1 || len(last.Touched) != 0 {
		t.Fatalf("journal: %+v", last)
	}
}

// What is due is applied before the next request is looked at, in the order in
// which it is due, and not a moment sooner.
func TestLateCallsFollowTheClock(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.create("ada")
	for title, millis := range map[string]int{"first": 60_000, "second": 600_000} {
		r.plan(emulator.Fault{Field: "Title", Value: title, Effect: emulator.EffectLate, Times: 1, LateMillis: millis})
	}
	path := version + "/sobjects/User/" + id
	r.unanswered("PATCH", path, `{"Title":"second"}`)
	r.unanswered("PATCH", path, `{"Title":"first"}`)
	title := func() any { return r.do("GET", path+"?fields=Title", "").object(t)["Title"] }
	r.now = r.now.Add(59 * time.Second)
	if got := title(); got != nil {
		t.Fatalf("title %v", got)
	}
	r.now = r.now.Add(time.Second)
	if got := title(); got != "first" {
		t.Fatalf("title %v", got)
	}
	stamp := r.do("GET", path+"?fields=LastModifiedDate,SystemModstamp", "").object(t)
	if want := "2026-03-01T08:01:00.000+0000"; stamp["LastModifiedDate"] != want || stamp["SystemModstamp"] != want {
		t.Fatalf("stamps %v", stamp)
	}
	r.now = r.now.Add(9 * time.Minute)
	r.org.Late().ApplyDue()
	if got := title(); got != "second" {
		t.Fatalf("title %v", got)
	}
	for i, title := range []string{"never", "last", "sooner"} {
		r.plan(emulator.Fault{Field: "Title", Value: title, Effect: emulator.EffectLate, Times: 1, LateMillis: []int{0, 2000, 1000}[i]})
		r.unanswered("PATCH", path, `{"Title":"`+title+`"}`)
	}
	r.now = r.now.Add(time.Hour)
	if got := title(); got != "last" {
		t.Fatalf("title %v", got)
	}
	if left := r.org.Late().Calls(); len(left) != 1 || !left[0].Due.IsZero() {
		t.Fatalf("waiting: %+v", left)
	}
}

// Without a clock of the test's, time does it.
func TestLateCallsNeedNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := emulator.New()
		org := server.AddOrg(emulator.DefaultOrg(clientID, clientSecret))
		token, err := org.AccessToken(emulator.IntegrationUsername)
		if err != nil {
			t.Fatal(err)
		}
		u, _ := org.UserByUsername(emulator.IntegrationUsername)
		if _, err := server.Plan(emulator.Fault{Effect: emulator.EffectLate, Times: 1, LateMillis: 600_000}); err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if what, _ := recover().(error); !errors.Is(what, http.ErrAbortHandler) { // no connection that could be closed
					t.Errorf("the call ended with %v", what)
				}
			}()
			serve(server, token, http.MethodPatch, version+"/sobjects/User/"+u.ID, `{"Title":"A"}`)
		}()
		time.Sleep(10*time.Minute - time.Millisecond) //nolint:forbidigo // the bubble's clock
		if u, _ := org.UserByUsername(emulator.IntegrationUsername); u.Fields["Title"] != nil {
			t.Fatal("applied too soon")
		}
		time.Sleep(time.Millisecond) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		if u, _ := org.UserByUsername(emulator.IntegrationUsername); u.Fields["Title"] != "A" {
			t.Fatalf("user %+v", u)
		}
	})
}

// A held call waits until its caller gives up, ten minutes at most, and can be
// applied before.
func TestLateCallsCanBeHeld(t *testing.T) {
	t.Parallel()
	held, gone := make(chan time.Duration), make(chan struct{})
	r := newRig(t, nil, emulator.WithSleep(func(req *http.Request, d time.Duration) {
		held <- d
		<-req.Context().Done()
		close(gone)
	}))
	r.plan(emulator.Fault{Effect: emulator.EffectLate, Times: 1, Hold: true})
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.web.URL+version+"/sobjects/User", strings.NewReader(r.person("eve")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	ended := make(chan error, 1)
	go func() {
		res, err := http.DefaultTransport.RoundTrip(req)
		if err == nil {
			_ = res.Body.Close()
		}
		ended <- err
	}()
	select {
	case d := <-held:
		if d != 10*time.Minute {
			t.Fatalf("held for %v", d)
		}
	case err := <-ended:
		t.Fatalf("it ended by itself: %v", err)
	}
	if err := r.org.Late().Apply(); err != nil {
		t.Fatal(err)
	}
	if _, there := r.org.UserByUsername("eve@people.example"); !there {
		t.Fatal("not applied")
	}
	giveUp()
	<-gone
	if err := <-ended; err == nil {
		t.Fatal("it was answered")
	}
}

// Reads are never late, also not those in a composite, and a plan that says
// nonsense is refused.
func TestReadsAreNeverLate(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	fault := r.plan(emulator.Fault{Effect: emulator.EffectLate})
	r.query("SELECT Id FROM User").is(t, 200)
	read := `{"method":"GET","url":"` + version + `/limits","referenceId":"r"}`
	r.do("POST", version+"/composite", `{"compositeRequest":[`+read+`]}`).is(t, 200)
	r.do("POST", version+"/composite/batch", `{"batchRequests":[{"method":"GET","url":"v63.0/limits"}]}`).is(t, 200)
	r.struck(fault, 0)
	r.unanswered("POST", version+"/composite", `{"compositeRequest":[`+read+`,{"method":"PATCH","url":"`+version+`/sobjects/User/x","referenceId":"w","body":{}}]}`)
	for _, wrong := range []emulator.Fault{
		{Effect: emulator.EffectLate, LateMillis: 600_001}, {Effect: emulator.EffectLate, LateMillis: -1},
		{Effect: emulator.EffectGack, LateMillis: 1}, {Effect: emulator.EffectDropAfter, Hold: true},
	} {
		if _, err := r.server.Plan(wrong); err == nil {
			t.Errorf("%+v was planned", wrong)
		}
	}
}

// The same for programs: list, apply in an order, say when, forget.
func TestLateCallsAsResources(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	path := version + "/sobjects/User/" + r.create("ada")
	r.do("POST", "/_emulator/faults", `{"operation":"sobject.update","effect":"late","lateMillis":1000}`).is(t, 201)
	for _, title := range []string{"A", "B", "C", "D"} {
		r.unanswered("PATCH", path, `{"Title":"`+title+`"}`)
	}
	list := r.do("GET", "/_emulator/late", "").list(t)
	if len(list) != 4 || list[0]["operation"] != "sobject.update" || list[0]["due"] != "2026-03-01T08:00:01Z" {
		t.Fatalf("waiting: %v", list)
	}
	id := func(i int) string { return list[i]["id"].(string) }
	r.do("POST", "/_emulator/late", `{"ids":["`+id(1)+`","`+id(0)+`"]}`).is(t, 204)
	wantTitle := func(want string) {
		t.Helper()
		if u, _ := r.org.UserByUsername("ada@people.example"); u.Fields["Title"] != want {
			t.Fatalf("title %v, want %s", u.Fields["Title"], want)
		}
	}
	wantTitle("A") // the first came last
	r.do("POST", "/_emulator/late/"+id(0), "").is(t, 404)
	r.do("PATCH", "/_emulator/late/"+id(2), `{"inMillis":5000}`).is(t, 204)
	r.now = r.now.Add(2 * time.Second)
	r.do("POST", "/_emulator/late", `{"due":true}`).is(t, 204)
	wantTitle("D")
	r.do("POST", "/_emulator/late/"+id(2)+"?org="+r.org.ID(), "").is(t, 204)
	wantTitle("C")
	r.unanswered("PATCH", path, `{"Title":"E"}`)
	r.do("DELETE", "/_emulator/late", "").is(t, 204)
	r.do("POST", "/_emulator/late", "").is(t, 204)
	wantTitle("C")
	r.do("POST", "/_emulator/late", `{"sed":1}`).is(t, 400)
	r.do("PUT", "/_emulator/late", "").is(t, 405)
	if got := r.do("GET", "/_emulator/journal?late=applied", "").list(t); len(got) != 4 || got[0]["of"] != list[1]["seq"] {
		t.Fatalf("journal %v", got)
	}
}

// A seed decides the order in which all are applied.
func TestLateCallsInAnOrderOfASeed(t *testing.T) {
	t.Parallel()
	orders := map[string]bool{}
	for seed := range uint64(20) {
		var last string
		for range 2 {
			r := newRig(t, nil)
			r.plan(emulator.Fault{Effect: emulator.EffectLate})
			u, _ := r.org.UserByUsername(emulator.IntegrationUsername)
			for _, title := range []string{"A", "B", "C"} {
				r.unanswered("PATCH", version+"/sobjects/User/"+u.ID, `{"Title":"`+title+`"}`)
			}
			r.org.Late().ApplyShuffled(seed)
			u, _ = r.org.UserByUsername(emulator.IntegrationUsername)
			got := u.Fields["Title"].(string)
			if last != "" && got != last {
				t.Fatalf("seed %d: %s, then %s", seed, last, got)
			}
			last = got
		}
		orders[last] = true
	}
	if len(orders) != 3 {
		t.Fatalf("the last was only ever %v", orders)
	}
}

// Hostility makes a share of the calls late that change something, by a time
// within a bound.
func TestHostilityMakesCallsLate(t *testing.T) {
	t.Parallel()
	run := func() (late []time.Duration) {
		r := newRig(t, nil)
		r.do("POST", "/_emulator/hostility", `{"seed":7,"lateRate":0.5,"lateWithinMillis":60000}`).is(t, 204)
		path := version + "/sobjects/User/" + r.first("SELECT Id FROM User")
		for range 40 {
			_, _ = r.try("PATCH", path, `{"Title":"A"}`) // late ones get no answer
			r.query("SELECT Id FROM Profile").is(t, 200)
		}
		for _, c := range r.org.Late().Calls() {
			late = append(late, c.Due.Sub(r.now))
		}
		r.do("DELETE", "/_emulator/hostility", "").is(t, 204)
		r.do("PATCH", path, `{"Title":"B"}`).is(t, 204)
		return late
	}
	first, second := run(), run()
	if len(first) < 10 || len(first) > 30 || len(first) != len(second) {
		t.Fatalf("%d and %d of 40 were late", len(first), len(second))
	}
	for i, d := range first {
		if d != second[i] || d <= 0 || d > time.Minute {
			t.Fatalf("late by %v, then %v", d, second[i])
		}
	}
	r := newRig(t, nil)
	for _, wrong := range []string{`{"rate":1.1}`, `{"lateRate":-1}`, `{"lateRate":1,"lateWithinMillis":600001}`} {
		r.do("POST", "/_emulator/hostility", wrong).is(t, 400)
	}
}
