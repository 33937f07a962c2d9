package push_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func TestLostReplyMakesNoSecondUser(t *testing.T) {
	t.Parallel()
	for _, effect := range []emulator.Effect{emulator.EffectDropAfter, emulator.EffectTorn, emulator.EffectGackAfterCommit} {
		for _, object := range []string{"User", "PermissionSetAssignment"} {
			t.Run(fmt.Sprintf("%s of %s", effect, object), func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				fault := r.plan(emulator.Fault{Operation: "collections.create", Object: object, Effect: effect, Times: 1})
				r.start()
				people := crowd(20)
				r.awaitOutcomes(r.want(people...))
				r.struck(fault, 1)
				for _, p := range people {
					expect(t, r.outcome(p.Key), events.ResultApplied, "created", "assigned")
				}
				if n := len(r.org.Users()); n != 21 {
					t.Errorf("%d users, want 21", n)
				}
				expect(t, r.push(person(1, func(d *events.Desired) { d.Assignments = nil })), events.ResultApplied, "unassigned")
				expect(t, r.push(people[1]), events.ResultApplied, "assigned")
				if l := r.link("key0001"); l.Unsure || l.Claim != nil || l.UserID == "" || len(l.Assigned) != 1 {
					t.Errorf("link %+v", l)
				}
			})
		}
	}
}

// TestWhatWasPerhapsGivenIsTakenAway: nobody knows whether the assignment was
// made, the person is not to have it any more, and the worker that looks next
// has never heard of it.
func TestWhatWasPerhapsGivenIsTakenAway(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	given := r.plan(emulator.Fault{Operation: "collections.create", Object: "PermissionSetAssignment", Effect: emulator.EffectDropAfter, Times: 1})
	blind := r.plan(emulator.Fault{Operation: "composite", After: 1, Effect: emulator.EffectDailyLimit}) // the first one reads the names
	first := r.start()
	r.want(person(1))
	r.held(events.CauseThrottled)
	first.stop()
	r.struck(given, 1)
	if u := r.user("person0001@example.com"); len(u.PermissionSets) != 1 {
		t.Fatalf("user %+v, want the assignment made", u)
	}
	r.emu.RemoveFault(blind)
	revisions := r.want(person(1, func(d *events.Desired) { d.Assignments = sets("HR_Data") }))
	r.start()
	r.awaitOutcomes(revisions)
	if u := r.user("person0001@example.com"); len(u.PermissionSets) != 1 || u.PermissionSets[0] != "HR_Data" {
		t.Errorf("permission sets %v, want HR_Data alone", u.PermissionSets)
	}
}

// TestLostRemovalIsNotTakenForDone: the removal got lost on the way, and the
// worker has never heard of what it removes.
func TestLostRemovalIsNotTakenForDone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.start()
	r.push(person(1))
	first.stop()
	fault := r.plan(emulator.Fault{Operation: "collections.delete", Effect: emulator.EffectGack, Times: 1})
	r.start()
	o := r.push(person(1, func(d *events.Desired) { d.Assignments = nil }))
	r.struck(fault, 1)
	expectFailed(t, o, events.CauseUnknown)
	if t.Failed() {
		return // nothing would come of another look
	}
	expect(t, r.repoke("key0001"), events.ResultApplied, "unassigned")
	if u := r.user("person0001@example.com"); len(u.PermissionSets) != 0 {
		t.Errorf("permission sets %v, want none", u.PermissionSets)
	}
}

func TestLostUpdateIsReadBack(t *testing.T) {
	t.Parallel()
	for _, effect := range []emulator.Effect{emulator.EffectDropAfter, emulator.EffectGack} {
		r := newRig(t)
		r.start()
		r.push(person(1))
		fault := r.plan(emulator.Fault{Operation: "collections.update", Effect: effect, Times: 1})
		o := r.push(person(1, func(d *events.Desired) { d.Fields["Title"] = "Manager" }))
		r.struck(fault, 1)
		if effect == emulator.EffectGack {
			expectFailed(t, o, events.CauseUnknown) // not applied: the read back says so
			o = r.repoke("key0001")
		}
		expect(t, o, events.ResultApplied, "updated")
		if u := r.user("person0001@example.com"); u.Fields["Title"] != "Manager" {
			t.Errorf("%s: user %+v", effect, u)
		}
	}
}

func TestLostCreateThatWasNotAppliedIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	fault := r.plan(emulator.Fault{Operation: "collections.create", Effect: emulator.EffectDropBefore, Times: 1})
	r.start()
	o := r.push(person(1))
	r.struck(fault, 1)
	expectFailed(t, o, events.CauseTimeout)
	if l := r.link("key0001"); !l.Unsure {
		t.Error("the link is sure after a lost create")
	}
	expect(t, r.repoke("key0001"), events.ResultApplied, "created", "assigned")
}

func TestBadPersonDelaysOnlyThemselves(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	locked := r.plan(emulator.Fault{Object: "User", Field: "Username", Value: "person0003@example.com", Effect: emulator.EffectLockRow, Times: 1})
	people := crowd(10)
	people[4] = person(4, func(d *events.Desired) { d.Fields["Alias"] = "far too long" })
	people[5] = person(5, func(d *events.Desired) { d.Profile = "No Such Profile" })
	people[6] = person(6, func(d *events.Desired) { d.Assignments = sets("Sales_Base", "No_Such_Set") })
	people[7] = person(7, func(d *events.Desired) { d.Fields["No_Such__c"] = "x" })
	people[8] = person(8, func(d *events.Desired) {
		d.Problem = &events.Failure{Cause: events.CauseMapping, Message: "no such key", Expression: "person.title"}
	})
	r.start()
	r.awaitOutcomes(r.want(people...))
	r.struck(locked, 1)
	for i, cause := range map[int]events.Cause{3: events.CauseLocked, 4: events.CauseInvalid, 5: events.CauseMisconfigured,
		6: events.CauseGroupMapping, 7: events.CauseMisconfigured, 8: events.CauseMapping} {
		expectFailed(t, r.outcome(people[i].Key), cause)
	}
	for _, i := range []int{0, 1, 2, 9} {
		expect(t, r.outcome(people[i].Key), events.ResultApplied, "created", "assigned")
	}
	if u := r.user("person0006@example.com"); len(u.PermissionSets) != 1 {
		t.Errorf("a bad group kept the rest from %+v", u)
	}
	if f := r.outcome("key0006").Failure; !strings.Contains(f.Message, "permission set No_Such_Set") {
		t.Errorf("failure %+v does not name what is missing", f)
	}
	if _, err := r.org.Create("PermissionSet", map[string]any{"Name": "No_Such_Set", "Label": "Made since"}); err != nil {
		t.Fatal(err)
	}
	r.until("the set to be found", func() bool { return true })
	expect(t, r.repokeUntilApplied("key0006"), events.ResultApplied, "assigned")
}

// repokeUntilApplied allows for what the pusher remembers for a second.
func (r *rig) repokeUntilApplied(k events.Key) events.Outcome {
	r.t.Helper()
	for range 200 {
		if o := r.repoke(k); o.Result == events.ResultApplied {
			return o
		}
	}
	return r.outcome(k)
}

func TestWholeCallRefusedForOneRecord(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	fault := r.plan(emulator.Fault{Operation: "collections.create", Object: "User", Field: "Username", Value: "person0011@example.com",
		Effect: emulator.EffectStatus, Status: 400,
		Body: `[{"errorCode":"JSON_PARSER_ERROR","message":"Cannot deserialize instance of date from VALUE_STRING value x at [line:1, column:1]"}]`})
	r.start()
	people := crowd(40)
	r.awaitOutcomes(r.want(people...))
	for i, p := range people {
		if i == 11 {
			expectFailed(t, r.outcome(p.Key), events.CauseInvalid)
			continue
		}
		expect(t, r.outcome(p.Key), events.ResultApplied, "created", "assigned")
	}
	if f, _ := r.emu.Fault(fault); f.Used > 8 {
		t.Errorf("it took %d calls to find one record of 40", f.Used)
	}
}

func TestRefusedDeactivationFreezes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.push(person(1))
	if err := r.org.RefuseDeactivation("person0001@example.com", emulator.Refusal{Message: "You cannot deactivate a user who is the default owner of cases"}); err != nil {
		t.Fatal(err)
	}
	o := r.push(leaver(1))
	expectFailed(t, o, events.CauseDeactivationRefused)
	if u := r.user("person0001@example.com"); !u.IsFrozen || !u.IsActive || !strings.Contains(o.Failure.Message, "default owner of cases") {
		t.Errorf("user %+v, failure %+v", u, o.Failure)
	}
	expect(t, r.push(person(1)), events.ResultApplied, "unfrozen")
	if u := r.user("person0001@example.com"); u.IsFrozen {
		t.Error("still frozen after coming back")
	}
}

func TestFreezeFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(func(s *setup) { s.cfg.FreezeFirst = true })
	r.push(person(1))
	expect(t, r.push(leaver(1)), events.ResultApplied, "frozen", "deactivated")
	if u := r.user("person0001@example.com"); !u.IsFrozen || u.IsActive {
		t.Errorf("user %+v", u)
	}
	expect(t, r.push(person(1)), events.ResultApplied, "reactivated", "unfrozen")
}

func TestNoSeatFails(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := r.org.SetSeats(emulator.SalesforceLicense, 3); err != nil { // the integration user has one
		t.Fatal(err)
	}
	r.start()
	people := crowd(5)
	r.awaitOutcomes(r.want(people...))
	without := 0
	for _, p := range people {
		if o := r.outcome(p.Key); o.Result == events.ResultFailed {
			without++
			expectFailed(t, o, events.CauseLicence)
		}
	}
	if without != 3 {
		t.Errorf("%d people without a seat, want 3", without)
	}
}

func TestDiscardedRevisionIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.emu.TakeUsernames("person0001@example.com")
	r.start()
	o := r.push(person(1))
	expectFailed(t, o, events.CauseDuplicate)
	r.discard("key0001", o.Revision)
	calls := r.org.Counters().APICalls
	expect(t, r.repoke("key0001"), events.ResultDiscarded)
	if n := r.org.Counters().APICalls - calls; n != 0 {
		t.Errorf("%d calls for a discarded revision", n)
	}
	r.emu.ReleaseUsernames("person0001@example.com")
	expect(t, r.push(person(1)), events.ResultApplied, "created", "assigned") // a new revision
}

func TestStaleNamesAreResolvedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.start()
	r.push(person(1))
	fault := r.plan(emulator.Fault{Operation: "collections.create", Object: "User", Effect: emulator.EffectRecordError,
		Code: "INVALID_CROSS_REFERENCE_KEY", Message: "invalid cross reference id", Times: 1})
	before := w.APICalls()
	expectFailed(t, r.push(person(2)), events.CauseMisconfigured)
	r.struck(fault, 1)
	if n := w.APICalls() - before; n != 3 { // create, look-up, names
		t.Errorf("%d calls, want 3", n)
	}
}

// TestAValueThatSpeaksOfLimitsHoldsNobodyElse: Salesforce quotes the value it
// refuses, and it may be any words.
func TestAValueThatSpeaksOfLimitsHoldsNobodyElse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	people := crowd(10)
	for i, words := range []string{"ConcurrentRequests ", "TotalRequests Limit exceeded. ", "Bad_OAuth_Token "} {
		people[i] = person(i, func(d *events.Desired) { d.Fields["LastName"] = words + strings.Repeat("x", 80) })
	}
	r.start()
	r.awaitOutcomes(r.want(people...))
	for i, p := range people {
		if i < 3 {
			expectFailed(t, r.outcome(p.Key), events.CauseInvalid)
			continue
		}
		expect(t, r.outcome(p.Key), events.ResultApplied, "created", "assigned")
	}
	if len(r.history) != 0 {
		t.Errorf("the org was %v", r.history)
	}
}
