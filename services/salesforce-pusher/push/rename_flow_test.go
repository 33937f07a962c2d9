package push_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// called is a person who should have another username.
func called(i int, username string, change ...func(*events.Desired)) events.Desired {
	return person(i, append([]func(*events.Desired){func(d *events.Desired) {
		d.Match.Username, d.Fields["Username"] = username, username
	}}, change...)...)
}

func nameOf(i int) string { return fmt.Sprintf("person%04d@example.com", i) }

// existing people are made, one by one in the org's order.
func (r *rig) crowded(n int) *worker {
	r.t.Helper()
	w := r.start()
	r.awaitOutcomes(r.want(crowd(n)...))
	return w
}

// isCalled fails the test unless the person's own user has the username.
func (r *rig) isCalled(i int, username string) {
	r.t.Helper()
	u := r.user(username)
	if want := r.link(person(i).Key).UserID; u.ID != want {
		r.t.Errorf("%s is user %s, want person %d's %s", username, u.ID, i, want)
	}
}

// together publishes work while nobody fetches, so that it makes one batch.
func (r *rig) together(w *worker, people ...events.Desired) *worker {
	r.t.Helper()
	w.stop()
	revisions := r.want(people...)
	w = r.start(lingering)
	r.awaitOutcomes(revisions)
	r.idle()
	return w
}

func TestAChainOfUsernamesEndsInOneBatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		reverse bool
		calls   int64
	}{
		{"whoever frees comes first", true, 1}, // as if nobody wanted a username that somebody has
		{"whoever frees comes last", false, 3}, // one more for the look, one for the second try
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			w := r.crowded(11)
			var people []events.Desired
			for i := range 10 {
				people = append(people, called(i, nameOf(i+1)))
			}
			people = append(people, called(10, "last@example.com"))
			if c.reverse {
				for i := range people[:5] {
					people[i], people[10-i] = people[10-i], people[i]
				}
			}
			before := r.org.Counters().APICalls
			w = r.together(w, people...)
			for _, p := range people {
				o := r.outcome(p.Key)
				expect(t, o, events.ResultApplied, "updated")
				if o.Failures != 0 {
					t.Errorf("%s failed %d times", p.Key, o.Failures)
				}
			}
			for i := range 10 {
				r.isCalled(i, nameOf(i+1))
			}
			r.isCalled(10, "last@example.com")
			n := r.org.Counters().APICalls - before
			if names := int64(1); n > c.calls+names { // a new process resolves names once
				t.Errorf("%d calls, want at most %d: %v", n, c.calls+names, r.org.Counters().ByOperation)
			}
			_ = w
		})
	}
}

func TestSwapsEndInOneBatchAndDelayNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.crowded(9)
	manager := func(d *events.Desired) { d.Fields["Title"] = "Manager" }
	people := []events.Desired{
		called(0, nameOf(1), manager), called(1, nameOf(0)), // two swap
		called(2, nameOf(3)), called(3, nameOf(4)), called(4, nameOf(2)), // three in a circle
		person(5, manager), person(6, manager), // bystanders
		called(7, nameOf(8)), called(8, "free@example.com"), // a chain
	}
	before := r.org.Counters()
	people[1] = called(1, nameOf(0), func(d *events.Desired) { d.Fields["FederationIdentifier"], d.Match.FederationID = "fed0000", "fed0000" })
	people[0] = called(0, nameOf(1), manager, func(d *events.Desired) { d.Fields["FederationIdentifier"], d.Match.FederationID = "fed0001", "fed0001" })
	r.together(w, people...)
	for _, p := range people {
		o := r.outcome(p.Key)
		expect(t, o, events.ResultApplied, "updated")
		if o.Failures != 0 {
			t.Errorf("%s failed %d times", p.Key, o.Failures)
		}
	}
	after := r.org.Counters()
	// All, then the passing names and who waited for them, the last of each circle,
	// and what else the first of them should have. One look, and a new process's names.
	if updates, calls := after.ByOperation["collections.update"]-before.ByOperation["collections.update"], after.APICalls-before.APICalls; updates != 4 || calls != 6 {
		t.Errorf("%d updates, %d calls, want 4 and 6: %v", updates, calls, after.ByOperation)
	}
	for i, name := range []string{nameOf(1), nameOf(0), nameOf(3), nameOf(4), nameOf(2), nameOf(5), nameOf(6), nameOf(8), "free@example.com"} {
		r.isCalled(i, name)
	}
	if u := r.user(nameOf(1)); u.Fields["Title"] != "Manager" || u.FederationIdentifier != "fed0001" {
		t.Errorf("user %+v after the swap", u)
	}
	for _, u := range r.org.Users() {
		if strings.HasPrefix(u.Username, "rollcall-passing") {
			t.Errorf("user %s is still called %s", u.ID, u.Username)
		}
	}
}

// TestASwapWithSomebodyRefusedIsUndone: whoever got a passing username gets back
// what they had, where the other one cannot be renamed.
func TestASwapWithSomebodyRefusedIsUndone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.crowded(2)
	bad := called(1, nameOf(0))
	fault := r.plan(emulator.Fault{Operation: "collections.update", Object: "User", Field: "Username", Value: nameOf(0), Effect: emulator.EffectRecordError,
		Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "no", Times: 1, After: 1})
	before := r.org.Counters().ByOperation["collections.update"]
	r.together(w, called(0, nameOf(1)), bad)
	r.struck(fault, 1)
	if n := r.org.Counters().ByOperation["collections.update"] - before; n != 4 { // refused, passing, refused, given back
		t.Errorf("%d updates, want 4", n)
	}
	r.isCalled(0, nameOf(0))
	r.isCalled(1, nameOf(1))
	expectFailed(t, r.outcome("key0001"), events.CauseMisconfigured)
	o := r.outcome("key0000")
	expectFailed(t, o, events.CauseWaiting)
	if !strings.Contains(o.Failure.Message, "key0001") || !strings.Contains(o.Failure.Message, nameOf(0)) {
		t.Errorf("%q does not say who has it and what they are to be called", o.Failure.Message)
	}
	r.poke("key0000", "key0001")
	r.until("the swap", func() bool {
		return r.outcomes["key0000"].Result == events.ResultApplied && r.outcomes["key0001"].Result == events.ResultApplied
	})
	r.isCalled(0, nameOf(1))
	r.isCalled(1, nameOf(0))
}

// TestACrashInTheMiddleOfASwapEndsRight kills the worker before or after each of
// the calls of a swap.
func TestACrashInTheMiddleOfASwapEndsRight(t *testing.T) {
	t.Parallel()
	for _, call := range []int{1, 2, 3} {
		for _, applied := range []bool{false, true} {
			t.Run(fmt.Sprintf("update %d, applied %v", call, applied), func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				r.crowded(2).stop()
				seen := 0
				kill := &killer{applied: applied, claimed: make(chan struct{}), release: make(chan struct{}), at: func(req *http.Request) bool {
					if req.Method != http.MethodPatch {
						return false
					}
					seen++
					return seen == call
				}}
				revisions := r.want(called(0, nameOf(1)), called(1, nameOf(0)))
				dead := r.start(short, lingering, gated(kill.before))
				kill.arm(dead)
				t.Cleanup(sync.OnceFunc(func() { close(kill.release); dead.stop() }))
				select {
				case <-kill.claimed:
				case <-time.After(patience):
					t.Fatal("there was no such call")
				}
				r.start(short)
				r.awaitOutcomes(revisions)
				r.idle()
				for range 3 { // as retry-scheduler would
					for _, k := range []events.Key{"key0000", "key0001"} {
						if r.outcome(k).Result != events.ResultApplied {
							r.repoke(k)
						}
					}
				}
				r.isCalled(0, nameOf(1))
				r.isCalled(1, nameOf(0))
			})
		}
	}
}

// TestALostAnswerInTheMiddleOfASwapEndsRight: each of its calls may be applied or
// not without an answer.
func TestALostAnswerInTheMiddleOfASwapEndsRight(t *testing.T) {
	t.Parallel()
	for _, call := range []int{0, 1, 2} {
		for _, effect := range []emulator.Effect{emulator.EffectDropAfter, emulator.EffectDropBefore} {
			t.Run(fmt.Sprintf("update %d, %s", call, effect), func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				w := r.crowded(2)
				fault := r.plan(emulator.Fault{Operation: "collections.update", Effect: effect, After: call, Times: 1})
				r.together(w, called(0, nameOf(1)), called(1, nameOf(0)))
				r.struck(fault, 1)
				// What was applied is seen, a passing username among it.
				if o := r.outcome("key0000"); effect == emulator.EffectDropAfter && call > 0 && o.Failures != 0 {
					t.Errorf("failed %d times: %+v", o.Failures, o.Failure)
				}
				for range 3 { // as retry-scheduler would
					for _, k := range []events.Key{"key0000", "key0001"} {
						if r.outcome(k).Result != events.ResultApplied {
							r.repoke(k)
						}
					}
				}
				r.isCalled(0, nameOf(1))
				r.isCalled(1, nameOf(0))
			})
		}
	}
}

// TestAUsernameThatStaysIsParked: the holder is not Rollcall's, or keeps it, or is
// in an org that nobody here sees.
func TestAUsernameThatStaysIsParked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.crowded(3)
	id := r.existing(map[string]any{"Username": "stranger@example.com"})
	r.emu.TakeUsernames("elsewhere@example.com")
	o := r.push(called(0, "stranger@example.com"))
	expectFailed(t, o, events.CauseDuplicate)
	if !strings.Contains(o.Failure.Message, id) || !strings.Contains(o.Failure.Message, "no person of Rollcall's") {
		t.Errorf("%q", o.Failure.Message)
	}
	expectFailed(t, r.push(called(1, "elsewhere@example.com")), events.CauseDuplicate)

	o = r.push(called(2, nameOf(1), func(d *events.Desired) { d.Fields["Title"] = "x" }))
	expectFailed(t, o, events.CauseWaiting) // person 1 is to be called otherwise
	r.push(person(1))
	for range 2 {
		expectFailed(t, r.repoke("key0002"), events.CauseWaiting) // perhaps it changes in a moment
	}
	o = r.repoke("key0002")
	expectFailed(t, o, events.CauseDuplicate)
	if !strings.Contains(o.Failure.Message, "key0001") {
		t.Errorf("%q", o.Failure.Message)
	}
}

// desire writes what somebody should have, and no work that names them.
func (r *rig) desire(d events.Desired) {
	r.t.Helper()
	r.other(events.DesiredSubject(orgName, d.Key), encode(r.t, d))
}

// TestTheOtherHalfOfASwapIsTakenIn: the two came in two batches, and one of them
// is worked on.
func TestTheOtherHalfOfASwapIsTakenIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.crowded(4)
	r.desire(called(1, nameOf(2)))
	r.desire(called(2, nameOf(0)))
	expect(t, r.push(called(0, nameOf(1))), events.ResultApplied, "updated")
	r.idle()
	r.until("those who were taken in", func() bool {
		return r.outcomes["key0001"].Revision > r.outcomes["key0003"].Revision && r.outcomes["key0002"].Revision > r.outcomes["key0003"].Revision
	})
	for i, name := range []string{nameOf(1), nameOf(2), nameOf(0)} {
		expect(t, r.outcome(person(i).Key), events.ResultApplied, "updated")
		r.isCalled(i, name)
	}
	calls := r.org.Counters().APICalls
	r.poke("key0001", "key0002")
	r.idle()
	if n := r.org.Counters().APICalls - calls; n != 0 {
		t.Errorf("their own work took %d calls more", n)
	}
}

// TestTheOtherHalfIsWorkedOnElsewhere: another replica has it, so this one waits,
// and nobody gets a passing username.
func TestTheOtherHalfIsWorkedOnElsewhere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.crowded(2)
	r.desire(called(1, nameOf(0)))
	link := r.link("key0001")
	busy := link
	busy.Claim = &events.Claim{Worker: "another", Until: time.Now().Add(time.Hour)}
	r.other(events.LinkSubject(orgName, "key0001"), encode(t, busy))
	o := r.push(called(0, nameOf(1)))
	expectFailed(t, o, events.CauseWaiting)
	if !strings.Contains(o.Failure.Message, "key0001") || !strings.Contains(o.Failure.Message, nameOf(0)) {
		t.Errorf("%q does not say who is waited for", o.Failure.Message)
	}
	r.isCalled(0, nameOf(0))
	r.other(events.LinkSubject(orgName, "key0001"), encode(t, link)) // it was given back
	expect(t, r.repoke("key0000"), events.ResultApplied, "updated")
	r.isCalled(0, nameOf(1))
	r.isCalled(1, nameOf(0))
}

// TestWhoeverFailsForSomethingElseIsNotTakenIn: they lose no attempt for the sake
// of somebody who waits for them.
func TestWhoeverFailsForSomethingElseIsNotTakenIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.crowded(2)
	locked := r.plan(emulator.Fault{Operation: "collections.update", Effect: emulator.EffectRecordError, Code: "UNABLE_TO_LOCK_ROW", Message: "locked", Times: 1})
	expectFailed(t, r.push(called(1, "free@example.com")), events.CauseLocked)
	r.struck(locked, 1)
	expectFailed(t, r.push(called(0, nameOf(1))), events.CauseWaiting)
	if n := r.link("key0001").Attempts; n != 1 {
		t.Errorf("%d attempts of the other, want 1", n)
	}
	expect(t, r.repoke("key0001"), events.ResultApplied, "updated")
	expect(t, r.repoke("key0000"), events.ResultApplied, "updated")
}
