package push_test

import (
	"cmp"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func (r *rig) held(cause events.Cause) {
	r.t.Helper()
	var failed *events.Failure
	r.until("the org to be held for "+string(cause), func() bool {
		for _, o := range r.outcomes {
			failed = cmp.Or(failed, o.Failure)
		}
		return failed != nil || r.health.State == events.HealthHeld && r.health.Failure.Cause == cause
	})
	if failed != nil {
		r.t.Fatalf("somebody failed in place of the org: %+v", failed)
	}
}

func (r *rig) nobodyFailed() {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, o := range r.outcomes {
		if o.Result != events.ResultApplied || o.Attempt != 0 || o.Failures != 0 {
			r.t.Errorf("%s: %s, attempt %d, failures %d, %+v", k, o.Result, o.Attempt, o.Failures, o.Failure)
		}
	}
}

func TestTroubleOfTheOrgIsNobodysFailure(t *testing.T) {
	t.Parallel()
	for effect, cause := range map[emulator.Effect]events.Cause{
		emulator.EffectDailyLimit:      events.CauseThrottled,
		emulator.EffectConcurrentLimit: events.CauseThrottled,
		emulator.EffectUnavailable:     events.CauseUnavailable,
	} {
		t.Run(string(effect), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start()
			r.push(person(0))
			fault := r.plan(emulator.Fault{Effect: effect}) // whatever is asked
			people := crowd(300)
			people[0] = person(0, func(d *events.Desired) { d.Fields["Title"] = "Manager" })
			revisions := r.want(people...)
			r.held(cause)
			r.until("vain probes", func() bool { return r.health.Probes >= 2 })
			if len(r.org.Users()) != 2 {
				t.Errorf("%d users, want none made in trouble", len(r.org.Users()))
			}
			r.emu.RemoveFault(fault)
			r.awaitOutcomes(revisions)
			r.nobodyFailed()
			r.until("health", func() bool { return r.health.State == events.HealthOK })
			if n := len(r.org.Users()); n != 301 {
				t.Errorf("%d users, want 301", n)
			}
		})
	}
}

func TestTroubleBetweenTwoCallsKeepsWhatWasDone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	fault := r.plan(emulator.Fault{Operation: "collections.create", Object: "PermissionSetAssignment", Effect: emulator.EffectDailyLimit, Times: 1})
	r.start()
	people := crowd(50)
	r.awaitOutcomes(r.want(people...))
	r.struck(fault, 1)
	r.nobodyFailed()
	if n := len(r.org.Users()); n != 51 {
		t.Errorf("%d users, want 51", n)
	}
	if u := r.user("person0001@example.com"); len(u.PermissionSets) != 1 {
		t.Errorf("user %+v", u)
	}
}

// TestTroubleEndsNobodysWork: an org gets into trouble half way through a batch.
// Who is done by then is done, and the others are given back: claimed by nobody,
// failed for nothing, and with what was done in their links.
func TestTroubleEndsNobodysWork(t *testing.T) {
	t.Parallel()
	const all, done = 150, 100 // two permission sets each: 200 records in a call
	r := newRig(t)
	fault := r.plan(emulator.Fault{Operation: "collections.create", Object: "PermissionSetAssignment", After: 1, Effect: emulator.EffectDailyLimit})
	r.plan(emulator.Fault{Operation: "limits", Effect: emulator.EffectDailyLimit})
	people := load(all)
	for i := range people {
		people[i].Assignments = sets("Sales_Base", "HR_Data")
		people[i] = hashed(people[i])
	}
	r.want(people...)
	w := r.start(lingering)
	r.held(events.CauseThrottled)
	w.stop()
	r.struck(fault, 1)
	applied := 0
	for _, d := range people {
		l, u := r.link(d.Key), r.user(d.Match.Username)
		if l.Claim != nil || l.UserID != u.ID || l.Attempts != 0 || len(l.Assigned) != len(u.PermissionSets) {
			t.Errorf("%s has %v and is given back as %+v", d.Key, u.PermissionSets, l)
		}
		if l.AppliedHash == d.Hash {
			applied++
		}
	}
	if applied != done {
		t.Errorf("%d people applied, want the %d of the first call", applied, done)
	}
	if n := r.left(); n != all-done {
		t.Errorf("%d messages left, want those of %d people", n, all-done)
	}
}

func TestExpiredSessionIsRenewed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.push(person(0))
	r.org.ExpireSessions()
	revisions := r.want(crowd(30)[1:]...)
	r.held(events.CauseCredentials)
	r.until("the generation refused", func() bool { return r.health.TokenGeneration == 1 })
	r.token(2)
	r.awaitOutcomes(revisions)
	r.nobodyFailed()
	r.until("health", func() bool { return r.health.State == events.HealthOK })
}

func TestRefusedCredentialsHoldUntilANewToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(func(s *setup) { s.cfg.CallTimeout, s.cfg.ClaimTTL = 300e6, 600e6 }) // no successor comes within a call
	r.push(person(0))
	r.org.ExpireSessions()
	revisions := r.want(crowd(30)[1:]...)
	r.held(events.CauseCredentials)
	r.until("vain probes", func() bool { return r.health.Probes >= 1 })
	r.token(2)
	r.awaitOutcomes(revisions)
	r.nobodyFailed()
	r.until("health", func() bool { return r.health.State == events.HealthOK })
	if n := len(r.org.Users()); n != 31 {
		t.Errorf("%d users, want 31", n)
	}
}

func TestHeldOrgIsRespectedAtTheStart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	fault := r.plan(emulator.Fault{Effect: emulator.EffectDailyLimit})
	first := r.start()
	revisions := r.want(person(1))
	r.held(events.CauseThrottled)
	first.stop()
	r.org.ResetJournal()
	r.start()
	r.until("a probe", func() bool { return r.health.Probes >= 3 })
	for _, e := range r.org.Journal(emulator.JournalFilter{}) {
		if e.Operation != "limits" {
			t.Errorf("a held org was asked for %s", e.Operation)
		}
	}
	r.emu.RemoveFault(fault)
	r.awaitOutcomes(revisions)
	r.nobodyFailed()
}

// TestHealthTellsOfAPICalls wants the API calls in the health of an org that was
// never in trouble.
func TestHealthTellsOfAPICalls(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	expect(t, r.push(person(1)), events.ResultApplied, "created", "assigned")
	r.until("API calls are told", func() bool { return r.health.State == events.HealthOK && r.health.Used > 0 && r.health.Limit > 0 })
	if len(r.history) != 0 {
		t.Errorf("health %v", r.history)
	}
}
