package push_test

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// mayLeave says of a desired state that the person's deactivation is held.
func mayLeave(d *events.Desired) {
	d.Held = []events.Hold{{Aspect: events.AspectActive, Cause: events.CauseSource("hr"), Wish: "gone"}}
}

// TestWhoMayLeaveIsMadeOnlyWhenTheyStay: whatever has them looked at, nobody whose
// deactivation is held gets a user, and who stays after all gets theirs.
func TestWhoMayLeaveIsMadeOnlyWhenTheyStay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	held := person(1, mayLeave)
	if o := r.push(held); o.Result != events.ResultApplied || o.UserID != "" {
		t.Errorf("outcome %+v", o)
	}
	if n := len(r.org.Users()); n != 1 {
		t.Errorf("%d users, want the one that was there", n)
	}
	if o := r.push(person(1)); o.UserID == "" || !r.user("person0001@example.com").IsActive {
		t.Errorf("who stays after all: %+v", o)
	}
}

// TestWhoMayLeaveIsNotLetInAgain: a user who is not active stays so while it is not
// decided whether they leave; what is said of them is written all the same.
func TestWhoMayLeaveIsNotLetInAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.push(person(1))
	r.push(leaver(1))
	retitled := func(d *events.Desired) { d.Fields["Title"], d.Assignments = "Chief", sets("Sales_Base", "HR_Data") }
	r.push(person(1, mayLeave, retitled))
	if u := r.user("person0001@example.com"); u.IsActive || len(u.PermissionSets) != 1 || u.Fields["Title"] != "Chief" {
		t.Errorf("while it is held: %+v", u)
	}
	r.push(person(1, retitled))
	if u := r.user("person0001@example.com"); !u.IsActive || len(u.PermissionSets) != 2 {
		t.Errorf("who stays after all: %+v", u)
	}
}
