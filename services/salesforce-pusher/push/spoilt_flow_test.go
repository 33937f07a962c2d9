package push_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// TestOneRecordMakesItsBatch500 has one person's record spoil every call that it
// is in: it is found, the others go through in the same step, and none of them
// has an attempt counted.
func TestOneRecordMakesItsBatch500(t *testing.T) {
	t.Parallel()
	const guilty = "person0137@example.com"
	for name, c := range map[string]struct {
		fault  emulator.Fault
		before bool
		change func(*events.Desired)
		calls  string
	}{
		"create": {fault: emulator.Fault{Object: "User", Field: "Username", Value: guilty}, change: func(*events.Desired) {}, calls: "collections.create"},
		"update": {fault: emulator.Fault{Object: "User", Field: "Username", Value: guilty}, before: true,
			change: func(d *events.Desired) { d.Fields["Title"] = "Chief" }, calls: "collections.update"},
		"deactivate": {fault: emulator.Fault{Object: "User", Field: "Username", Value: guilty}, before: true,
			change: func(d *events.Desired) { d.Active, d.Assignments = false, nil }, calls: "collections.update"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start()
			people := crowd(200)
			if c.before {
				r.awaitOutcomes(r.want(people...))
			}
			c.fault.Effect = emulator.EffectGackRecord
			fault := r.plan(c.fault)
			for i := range people {
				c.change(&people[i])
				people[i] = hashed(people[i])
			}
			r.org.ResetJournal()
			r.awaitOutcomes(r.want(people...))
			r.emu.RemoveFault(fault)
			for _, d := range people {
				o := r.outcome(d.Key)
				switch bad := d.Match.Username == guilty; {
				case !bad && (o.Result != events.ResultApplied || o.Attempt != 0):
					t.Errorf("%s: %s, attempt %d, %+v", d.Key, o.Result, o.Attempt, o.Failure)
				case bad && (o.Result != events.ResultFailed || o.Failure.Cause != events.CauseUnknown || !strings.Contains(o.Failure.ErrorID, "8425053-14906")):
					t.Errorf("%s: %s, %+v", d.Key, o.Result, o.Failure)
				}
			}
			if n := len(r.org.Journal(emulator.JournalFilter{Operation: c.calls})); n > 20 {
				t.Errorf("%d calls of %s", n, c.calls)
			}
			r.mu.Lock()
			held := len(r.history) > 0
			r.mu.Unlock()
			if held {
				t.Error("the org was held for one person's record")
			}
			if n := len(r.org.Users()); n != 201 && n != 200 {
				t.Errorf("%d users", n)
			}
		})
	}
}

// TestAssignmentsOfOneMakeTheBatch500 has one person's permission set spoil every
// call that it is in.
func TestAssignmentsOfOneMakeTheBatch500(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	people := crowd(60)
	none := make([]events.Desired, len(people))
	for i := range people {
		none[i] = person(i, func(d *events.Desired) { d.Assignments = nil })
	}
	r.awaitOutcomes(r.want(none...))
	guilty := r.user("person0037@example.com")
	fault := r.plan(emulator.Fault{Effect: emulator.EffectGackRecord, Object: "PermissionSetAssignment", Field: "AssigneeId", Value: guilty.ID})
	r.awaitOutcomes(r.want(people...))
	r.emu.RemoveFault(fault)
	for _, d := range people {
		o, bad := r.outcome(d.Key), d.Match.Username == guilty.Username
		if bad != (o.Result == events.ResultFailed) || bad == (o.Attempt == 0) {
			t.Errorf("%s: %s, attempt %d, %+v", d.Key, o.Result, o.Attempt, o.Failure)
		}
		if n := len(r.user(d.Match.Username).PermissionSets); bad != (n == 0) {
			t.Errorf("%s has %d permission sets", d.Key, n)
		}
	}
}

// TestCreatesAppliedBefore500 has a batch of creates be applied and answered by an
// unexpected error: nobody has two users, nobody's attempt is counted.
func TestCreatesAppliedBefore500(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	fault := r.plan(emulator.Fault{Operation: "collections.create", Object: "User", Effect: emulator.EffectGackAfterCommit, Times: 1})
	r.start()
	r.awaitOutcomes(r.want(crowd(50)...))
	r.struck(fault, 1)
	r.nobodyFailed()
	if n := len(r.org.Users()); n != 51 {
		t.Errorf("%d users, want 51", n)
	}
	for _, d := range crowd(50) {
		if o := r.outcome(d.Key); !slices.Contains(o.Actions, "created") {
			t.Errorf("%s: %v, want the user to be known as made by Rollcall", d.Key, o.Actions)
		}
	}
	if u := r.user("person0001@example.com"); len(u.PermissionSets) != 1 {
		t.Errorf("user %+v", u)
	}
}
