package push_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func expect(t *testing.T, o events.Outcome, result events.Result, actions ...string) {
	t.Helper()
	slices.Sort(actions)
	got := slices.Sorted(slices.Values(o.Actions))
	if o.Result != result || !slices.Equal(got, actions) {
		t.Errorf("outcome %s %v %+v, want %s %v", o.Result, got, o.Failure, result, actions)
	}
}

func expectFailed(t *testing.T, o events.Outcome, cause events.Cause) {
	t.Helper()
	if o.Result != events.ResultFailed || o.Failure == nil || o.Failure.Cause != cause {
		t.Errorf("outcome %s %v %+v, want failed for %s", o.Result, o.Actions, o.Failure, cause)
	}
}

func TestLifeOfAPerson(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.start()

	expect(t, r.push(person(1)), events.ResultApplied, "created", "assigned")
	u := r.user("person0001@example.com")
	if !u.IsActive || u.Profile != emulator.StandardUserProfile || !slices.Equal(u.PermissionSets, []string{"Sales_Base"}) || u.Fields["Title"] != "Clerk" {
		t.Errorf("user after creation: %+v", u)
	}

	before := w.APICalls()
	expect(t, r.push(person(1)), events.ResultApplied)
	if n := w.APICalls() - before; n != 0 {
		t.Errorf("the same wish again took %d API calls", n)
	}

	moved := person(1, func(d *events.Desired) {
		d.Fields["Title"], d.Fields["FirstName"] = "Manager", nil
		d.Role, d.Assignments = "Sales Rep", map[string][]string{"groups": {"Sales_Team"}, "permissionSets": {"Sales_All", "HR_Data"}}
	})
	expect(t, r.push(moved), events.ResultApplied, "updated", "assigned", "unassigned")
	u = r.user("person0001@example.com")
	if u.Fields["Title"] != "Manager" || u.FirstName != "" || u.Role != "Sales Rep" ||
		!slices.Equal(u.PermissionSets, []string{"HR_Data"}) || !slices.Equal(u.PermissionSetGroups, []string{"Sales_All"}) || !slices.Equal(u.Groups, []string{"Sales Team"}) {
		t.Errorf("user after move: %+v", u)
	}

	expect(t, r.push(leaver(1)), events.ResultApplied, "deactivated")
	if u = r.user("person0001@example.com"); u.IsActive || u.Fields["Title"] != "Manager" {
		t.Errorf("user after leaving: %+v", u)
	}
	expect(t, r.push(person(1)), events.ResultApplied, "reactivated", "updated", "assigned", "unassigned")
	if u = r.user("person0001@example.com"); !u.IsActive || u.Role != "" || len(u.Groups) != 0 || !slices.Equal(u.PermissionSets, []string{"Sales_Base"}) {
		t.Errorf("user after return: %+v", u)
	}
	if n := len(r.org.Users()); n != 2 {
		t.Errorf("%d users in the org, want 2", n)
	}
}

// load is a first load: it waits behind single changes, so it may be gathered.
func load(n int) []events.Desired {
	people := crowd(n)
	for i := range people {
		people[i].Lane = events.LaneBackfill
	}
	return people
}

// lingering gathers for longer than a busy machine takes to hand out a batch.
func lingering(s *setup) { s.cfg.Linger = 2 * time.Second }

// TestLookUpFirstTakesSixteenCalls is what create-first saves; see
// docs/decisions/0009-create-first.md.
func TestLookUpFirstTakesSixteenCalls(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	people := load(1000)
	for i := range people {
		people[i].Match.Email = people[i].Match.Username
		people[i] = hashed(people[i])
	}
	revisions := r.want(people...)
	r.start(lingering, func(s *setup) { s.cfg.Match = []string{"federation_id", "username", "email"} })
	r.awaitOutcomes(revisions)
	n := r.org.Counters()
	t.Logf("calls: %v", n.ByOperation)
	if n.APICalls != 16 {
		t.Errorf("%d API calls, want 16: %v", n.APICalls, n.ByOperation)
	}
}

func TestThousandNewPeopleTakeElevenCalls(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	people := load(1000)
	revisions := r.want(people...)
	w := r.start(lingering)
	r.awaitOutcomes(revisions)
	r.idle()
	n := r.org.Counters()
	t.Logf("calls: %v", n.ByOperation)
	if n.APICalls > 11 || w.APICalls() != uint64(n.APICalls) {
		t.Errorf("%d API calls (%d counted), want at most 11: %v", n.APICalls, w.APICalls(), n.ByOperation)
	}
	if got := len(r.org.Users()); got != 1001 {
		t.Errorf("%d users, want 1001", got)
	}

	r.poke(keysOf(people)...)
	r.idle()
	if again := r.org.Counters().APICalls - n.APICalls; again != 0 {
		t.Errorf("publishing the same work again took %d calls", again)
	}
}
