package push_test

import (
	"slices"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// namesOfKinds are, by kind, names that the emulated org has.
func namesOfKinds() map[string][]string {
	return map[string][]string{
		"permissionSetLicenses": {"SalesUserPsl"},
		"permissionSets":        {"Sales_All", "HR_Data"}, // the first is a permission set group
		"groups":                {"Sales_Team", "Support_Queue"},
	}
}

// assigned are the records of a kind that a user has in the org.
func (r *rig) assigned(k events.AssignmentKind, userID string) int {
	r.t.Helper()
	got, err := r.org.Query("SELECT Id FROM " + k.Object + " WHERE " + k.User + " = '" + userID + "'")
	if err != nil {
		r.t.Fatal(err)
	}
	return len(got)
}

// doubt makes a link as it is after a call without an answer, of whose
// assignments nothing is known.
func (r *rig) doubt(k events.Key) {
	r.t.Helper()
	l := r.link(k)
	l.Unsure, l.Assigned, l.AppliedHash = true, nil, ""
	r.write(l)
}

// write stores a link as if somebody else had.
func (r *rig) write(l events.Link) {
	r.t.Helper()
	if _, err := r.bus.Commit(r.t.Context(), events.StreamRoster, []bus.Group{{{Subject: events.LinkSubject(orgName, l.Key), Data: encode(r.t, l)}}}); err != nil {
		r.t.Fatal(err)
	}
}

// TestEveryKindIsGivenAndTaken goes through the table of assignment kinds: a row
// is all that a kind takes, and one without names here has not been tried.
func TestEveryKindIsGivenAndTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.start()
	for i, k := range events.AssignmentKinds() {
		names := namesOfKinds()[k.Key]
		if len(names) == 0 {
			t.Fatalf("there are no names of %s in this test", k.Many)
		}
		has := func(names ...string) events.Desired {
			return person(i, func(d *events.Desired) { d.Assignments = map[string][]string{k.Key: names} })
		}
		o := r.push(has(names...))
		expect(t, o, events.ResultApplied, "created", "assigned")
		if n := r.assigned(k, o.UserID); n != len(names) {
			t.Errorf("%s: %d given, want %d", k.Many, n, len(names))
		}
		calls := w.APICalls()
		expect(t, r.push(has(names...)), events.ResultApplied)
		if n := w.APICalls() - calls; n != 0 {
			t.Errorf("%s: the same wish again took %d calls", k.Many, n)
		}
		expect(t, r.push(has()), events.ResultApplied, "unassigned")
		if n := r.assigned(k, o.UserID); n != 0 {
			t.Errorf("%s: %d left", k.Many, n)
		}
	}
}

// TestAllKindsAtOnce needs more queries than one composite call may hold, to
// find names and to find what a user has already. A feature licence is a field
// like any other.
func TestAllKindsAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	all := person(1, func(d *events.Desired) {
		d.Role, d.Assignments = "Sales Rep", namesOfKinds()
		d.Fields["UserPermissionsMarketingUser"] = true
	})
	expect(t, r.push(all), events.ResultApplied, "created", "assigned")
	u := r.user("person0001@example.com")
	if u.Fields["UserPermissionsMarketingUser"] != true {
		t.Errorf("the feature licence is %v", u.Fields["UserPermissionsMarketingUser"])
	}
	for _, k := range events.AssignmentKinds() {
		if r.assigned(k, u.ID) < len(namesOfKinds()[k.Key]) {
			t.Errorf("not all %s are given", k.Many)
		}
	}
	// Read back from nothing: what is there is found, and nothing is done again.
	r.doubt(all.Key)
	expect(t, r.repoke(all.Key), events.ResultApplied)
}

// TestQueuesAreKeptLikeGroups gives and takes membership of a queue by the
// difference, and leaves alone what Rollcall did not give.
func TestQueuesAreKeptLikeGroups(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.start()
	in := func(groups ...string) events.Desired {
		return person(1, func(d *events.Desired) { d.Assignments = map[string][]string{"groups": groups} })
	}
	expect(t, r.push(in("Support_Queue", "Sales_Team")), events.ResultApplied, "created", "assigned")
	if got := r.user("person0001@example.com").Groups; !slices.Equal(got, []string{"Sales Team", "Support Queue"}) {
		t.Errorf("groups %v", got)
	}
	id := r.idOf("User", "Pat Person0001")
	if _, err := r.org.Create("GroupMember", map[string]any{"GroupId": r.idOf("Group", "All_Staff"), "UserOrGroupId": id}); err != nil {
		t.Fatal(err)
	}
	before := w.APICalls()
	expect(t, r.push(in("Support_Queue", "Sales_Team")), events.ResultApplied)
	if n := w.APICalls() - before; n != 0 {
		t.Errorf("the same wish again took %d API calls", n)
	}
	expect(t, r.push(in("Sales_Team")), events.ResultApplied, "unassigned")
	if got := r.user("person0001@example.com").Groups; !slices.Equal(got, []string{"All Staff", "Sales Team"}) {
		t.Errorf("groups %v, want the queue taken, and what somebody else gave left", got)
	}
}

// TestAMoverWhoIsRefusedTheNewKeepsNothingOld: what is too much is taken before
// anything is given, also where what is given is refused for ever.
func TestAMoverWhoIsRefusedTheNewKeepsNothingOld(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	had := person(1, func(d *events.Desired) {
		d.Assignments = map[string][]string{"permissionSets": {"HR_Data"}, "groups": {"Sales_Team"}}
	})
	expect(t, r.push(had), events.ResultApplied, "created", "assigned")
	if err := r.org.SetSeats("SalesUserPsl", 0); err != nil {
		t.Fatal(err)
	}
	moved := person(1, func(d *events.Desired) {
		d.Fields["Title"] = "Manager"
		d.Assignments = map[string][]string{"permissionSetLicenses": {"SalesUserPsl"}, "permissionSets": {"Sales_Base"}}
	})
	expectFailed(t, r.push(moved), events.CauseLicence)
	u := r.user("person0001@example.com")
	if slices.Contains(u.PermissionSets, "HR_Data") || len(u.Groups) != 0 || u.Fields["Title"] != "Manager" {
		t.Errorf("kept %v and %v, title %v; want nothing old, and the fields as they should be", u.PermissionSets, u.Groups, u.Fields["Title"])
	}
	if err := r.org.SetSeats("SalesUserPsl", 1); err != nil {
		t.Fatal(err)
	}
	expect(t, r.repokeUntilApplied(moved.Key), events.ResultApplied, "assigned")
}

// TestAMisspeltSetTakesNothingAwayFromAnybody: the name is wrong for everybody,
// and they all keep what they have.
func TestAMisspeltSetTakesNothingAwayFromAnybody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.awaitOutcomes(r.want(crowd(20)...))
	wrong := crowd(20)
	for i := range wrong {
		wrong[i].Assignments = sets("Sales_Bse")
		wrong[i] = hashed(wrong[i])
	}
	r.awaitOutcomes(r.want(wrong...))
	for i, d := range wrong {
		expectFailed(t, r.outcome(d.Key), events.CauseGroupMapping)
		if got := r.user(d.Match.Username).PermissionSets; !slices.Equal(got, []string{"Sales_Base"}) {
			t.Errorf("person %d has %v", i, got)
		}
	}
}

// TestNoKindIsGivenWithoutTheRight: an org that lets anybody give what a kind
// stands for, as an emulated object without a rule would, shows nothing of what
// happens to people once the integration user lost its rights.
func TestNoKindIsGivenWithoutTheRight(t *testing.T) {
	t.Parallel()
	for _, k := range events.AssignmentKinds() {
		t.Run(k.ID, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start()
			id := r.push(person(1, func(d *events.Desired) { d.Assignments = nil })).UserID
			if err := r.org.Deny(emulator.IntegrationUsername, emulator.DenyManageUsers, emulator.DenyAssignPermissionSets); err != nil {
				t.Fatal(err)
			}
			given := person(1, func(d *events.Desired) { d.Assignments = map[string][]string{k.Key: namesOfKinds()[k.Key]} })
			revision := r.want(given)[given.Key]
			r.until("what comes of it", func() bool {
				return r.health.State == events.HealthHeld || r.outcomes[given.Key].Revision == revision
			})
			if n := r.assigned(k, id); n != 0 {
				t.Errorf("%d %s are given", n, k.Many)
			}
		})
	}
}
