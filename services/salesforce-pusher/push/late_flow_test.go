package push_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// soonLate shortens the ten minutes in which a call may be applied late. It is
// long enough for a busy machine to get through a test's wishes before it is over.
func soonLate(s *setup) {
	s.cfg.CallTimeout, s.cfg.ClaimTTL, s.cfg.LateFor = 4*time.Second, 6*time.Second, 12*time.Second
}

// late is a call that gets no answer, and that the org applies when told to.
func (r *rig) late(operation, object string) string {
	r.t.Helper()
	return r.plan(emulator.Fault{Operation: operation, Object: object, Effect: emulator.EffectLate, Times: 1})
}

// applyLate has the org apply what it did not answer, while it still may.
func (r *rig) applyLate(k events.Key, faults ...string) {
	r.t.Helper()
	for _, f := range faults {
		r.struck(f, 1)
	}
	if n := len(r.org.Late().Calls()); n != len(faults) {
		r.t.Fatalf("%d late calls wait, want %d", n, len(faults))
	}
	if until := r.link(k).UnsureUntil; !until.After(time.Now()) {
		r.t.Fatalf("the link is unsure until %s: a late call after that is none of ours", until)
	}
	if err := r.org.Late().Apply(); err != nil {
		r.t.Fatal(err)
	}
}

// lookedAt waits until nothing is unsure any more of a person.
func (r *rig) lookedAt(k events.Key) {
	r.t.Helper()
	for {
		r.mu.Lock()
		was := r.seqs[k]
		r.mu.Unlock()
		if r.link(k).UnsureUntil.IsZero() {
			return
		}
		r.until("the look", func() bool { return r.seqs[k] > was })
	}
}

// lateCase is a call that gets no answer, is overtaken by another wish, and is
// applied after that.
type lateCase struct {
	before            []events.Desired
	operation, object string
	// lost is the wish whose call gets no answer, then the one that overtakes it.
	lost, then events.Desired
	// meanwhile has to hold before the late call is applied, and right at the end.
	meanwhile, right func(u emulator.User) bool
}

func lateCases() map[string]lateCase {
	titled := func(i int, title string) events.Desired {
		return person(i, func(d *events.Desired) { d.Fields["Title"] = title })
	}
	without := func(i int) events.Desired { return person(i, func(d *events.Desired) { d.Assignments = nil }) }
	list := func(d ...events.Desired) []events.Desired { return d }
	return map[string]lateCase{
		"create, then left": {operation: "collections.create", object: "User", lost: person(1), then: leaver(1),
			right: func(u emulator.User) bool { return !u.IsActive }},
		"update, then another": {before: list(person(2)), operation: "collections.update", object: "User", lost: titled(2, "A"), then: titled(2, "B"),
			right: func(u emulator.User) bool { return u.Fields["Title"] == "B" }},
		"deactivate, then back": {before: list(person(3)), operation: "collections.update", object: "User", lost: leaver(3), then: titled(3, "B"),
			right: func(u emulator.User) bool { return u.IsActive && !u.IsFrozen && u.Fields["Title"] == "B" }},
		"reactivate, then left again": {before: list(person(4), leaver(4)), operation: "collections.update", object: "User", lost: person(4), then: leaver(4),
			meanwhile: func(u emulator.User) bool { return u.IsFrozen && !u.IsActive },
			right:     func(u emulator.User) bool { return !u.IsActive }},
		"freeze, then back": {before: list(person(5)), operation: "collections.update", object: "UserLogin", lost: leaver(5), then: person(5),
			right: func(u emulator.User) bool { return u.IsActive && !u.IsFrozen }},
		"assign, then not wanted": {before: list(without(6)), operation: "collections.create", object: "PermissionSetAssignment", lost: person(6), then: without(6),
			right: func(u emulator.User) bool { return len(u.PermissionSets) == 0 }},
		"unassign, then wanted again": {before: list(person(7)), operation: "collections.delete", lost: without(7), then: person(7),
			right: func(u emulator.User) bool { return slices.Contains(u.PermissionSets, "Sales_Base") }},
	}
}

// TestLateCallsAreSetRight tries every kind of call.
func TestLateCallsAreSetRight(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(soonLate, func(s *setup) { s.cfg.FreezeFirst = true })
	for name, c := range lateCases() {
		for _, d := range c.before {
			if o := r.push(d); o.Result != events.ResultApplied {
				t.Fatalf("%s, before: %+v", name, o)
			}
		}
		fault := r.late(c.operation, c.object)
		r.push(c.lost)
		if o := r.push(c.then); o.Result != events.ResultApplied {
			t.Errorf("%s: the wish that overtakes: %s %+v", name, o.Result, o.Failure)
		}
		if c.meanwhile != nil {
			if u := r.user(c.then.Match.Username); !c.meanwhile(u) {
				t.Errorf("%s, before the call is applied: %+v", name, u)
			}
		}
		r.applyLate(c.then.Key, fault)
	}
	for name, c := range lateCases() {
		r.lookedAt(c.then.Key)
		if u := r.user(c.then.Match.Username); !c.right(u) {
			t.Errorf("%s, at the end: active %v, frozen %v, title %v, sets %v", name, u.IsActive, u.IsFrozen, u.Fields["Title"], u.PermissionSets)
		}
	}
	if n := len(r.org.Users()); n != 1+len(lateCases()) {
		t.Errorf("%d users, want one for each", n)
	}
	calls := r.org.Counters().APICalls
	for _, c := range lateCases() {
		r.push(c.then)
	}
	if n := r.org.Counters().APICalls - calls; n != 0 {
		t.Errorf("sure again, the same wishes took %d calls", n)
	}
}

// TestNobodyIsMadeTwiceUnderTwoNames: a create without an answer, then another
// username: the second user would be a second one.
func TestNobodyIsMadeTwiceUnderTwoNames(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(soonLate)
	fault := r.late("collections.create", "User")
	expectFailed(t, r.push(person(1)), events.CauseTimeout)
	renamed := person(1, func(d *events.Desired) {
		d.Match.Username, d.Fields["Username"] = "renamed@example.com", "renamed@example.com"
	})
	r.want(renamed)
	r.idle()
	if n := len(r.org.Users()); n != 1 {
		t.Fatalf("%d users while the create may still be applied, want the admin alone", n)
	}
	r.applyLate("key0001", fault)
	r.until("the look", func() bool { return r.outcomes["key0001"].Result == events.ResultApplied })
	if u := r.user("renamed@example.com"); !u.IsActive || len(r.org.Users()) != 2 {
		t.Errorf("%+v, %d users; want the late one, renamed, and no other", u, len(r.org.Users()))
	}
}

// TestACrashBetweenCallAndCommitIsLookedAt: the worker is gone after the call, and
// the call is applied later still.
func TestACrashBetweenCallAndCommitIsLookedAt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.start(soonLate)
	if o := r.push(person(1)); o.Result != events.ResultApplied {
		t.Fatalf("%+v", o)
	}
	first.stop()
	// What a worker leaves that dies between its call and its commit.
	l := r.link("key0001")
	l.Claim = &events.Claim{Worker: "gone", Revision: l.AppliedRevision, Until: time.Now().Add(-3 * time.Second)}
	r.write(l)
	r.start(soonLate)
	o := r.push(leaver(1))
	if o.Result != events.ResultApplied || !r.link("key0001").UnsureUntil.After(time.Now()) {
		t.Fatalf("%+v, link %+v: want the leaver out, and the link unsure", o, r.link("key0001"))
	}
	if u := r.user("person0001@example.com"); u.IsActive || !u.IsFrozen {
		t.Errorf("active %v, frozen %v: want out, and frozen until it is sure", u.IsActive, u.IsFrozen)
	}
	if err := r.org.UpdateUser("person0001@example.com", map[string]any{"IsActive": true}); err != nil { // as the dead worker's call would
		t.Fatal(err)
	}
	r.lookedAt("key0001")
	if u := r.user("person0001@example.com"); u.IsActive {
		t.Error("a leaver is active after the look")
	}
}

// TestALostGiveIsLookedForUntilItCannotCome: the first call gets no answer, its
// repeat succeeds, and what it gave is taken away before the first one lands.
func TestALostGiveIsLookedForUntilItCannotCome(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(soonLate)
	without := person(1, func(d *events.Desired) { d.Assignments = nil })
	r.push(without)
	fault := r.late("collections.create", "PermissionSetAssignment")
	r.push(person(1))
	expect(t, r.push(person(1, func(d *events.Desired) { d.Fields["Title"] = "again" })), events.ResultApplied, "updated", "assigned")
	expect(t, r.push(without), events.ResultApplied, "updated", "unassigned")
	r.applyLate("key0001", fault)
	r.lookedAt("key0001")
	if u := r.user("person0001@example.com"); len(u.PermissionSets) != 0 {
		t.Errorf("after the look the person has %v", u.PermissionSets)
	}
}

// TestWhoIsKeptActiveIsFrozenAfterALostFreeze: the org refuses the deactivation,
// and the freeze in its place gets no answer and is never applied.
func TestWhoIsKeptActiveIsFrozenAfterALostFreeze(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(soonLate)
	r.push(person(1))
	if err := r.org.RefuseDeactivation("person0001@example.com", emulator.Refusal{Message: "You cannot deactivate a user who is the default owner of cases"}); err != nil {
		t.Fatal(err)
	}
	fault := r.plan(emulator.Fault{Operation: "collections.update", Object: "UserLogin", Effect: emulator.EffectDropBefore, Times: 1})
	r.push(leaver(1))
	r.struck(fault, 1)
	expectFailed(t, r.repoke("key0001"), events.CauseDeactivationRefused)
	if u := r.user("person0001@example.com"); !u.IsFrozen {
		t.Error("a leaver whom Salesforce keeps active is not frozen")
	}
}
