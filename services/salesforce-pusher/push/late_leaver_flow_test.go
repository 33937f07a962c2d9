package push_test

import (
	"slices"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// TestWhatWasTakenLateFromALeaverIsGivenAgain: a removal without an answer is
// applied after the person has left. Nobody reads what a leaver has, so what they
// had counts for nothing when they are back.
func TestWhatWasTakenLateFromALeaverIsGivenAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(soonLate)
	r.push(person(1))
	fault := r.late("collections.delete", "")
	r.push(person(1, func(d *events.Desired) { d.Assignments = nil }))
	if o := r.push(leaver(1)); o.Result != events.ResultApplied {
		t.Fatalf("the leaver: %s %+v", o.Result, o.Failure)
	}
	r.applyLate(person(1).Key, fault)
	r.lookedAt(person(1).Key)
	if o := r.push(person(1)); o.Result != events.ResultApplied {
		t.Fatalf("who is back: %s %+v", o.Result, o.Failure)
	}
	if u := r.user(person(1).Match.Username); !u.IsActive || u.IsFrozen || !slices.Contains(u.PermissionSets, "Sales_Base") {
		t.Errorf("who is back: active %t, frozen %t, sets %v", u.IsActive, u.IsFrozen, u.PermissionSets)
	}
}

// TestWhatWasWrittenLateToALeaverIsWrittenAgain: so with fields. Of a leaver's user
// none is read, and the one who is back has what they had before.
func TestWhatWasWrittenLateToALeaverIsWrittenAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(soonLate)
	r.push(person(1))
	fault := r.late("collections.update", "User")
	r.push(person(1, func(d *events.Desired) { d.Fields["Title"] = "Boss" }))
	if o := r.push(leaver(1)); o.Result != events.ResultApplied {
		t.Fatalf("the leaver: %s %+v", o.Result, o.Failure)
	}
	r.applyLate(person(1).Key, fault)
	r.lookedAt(person(1).Key)
	if o := r.push(person(1)); o.Result != events.ResultApplied {
		t.Fatalf("who is back: %s %+v", o.Result, o.Failure)
	}
	if u := r.user(person(1).Match.Username); !u.IsActive || u.Fields["Title"] != "Clerk" {
		t.Errorf("who is back: active %t, title %v", u.IsActive, u.Fields["Title"])
	}
}
