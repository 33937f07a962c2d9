package push_test

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func (r *rig) held(cause events.Cause) {
	r.t.Helper()
	r.until("the org to be held for "+string(cause), func() bool {
		return r.health.State == events.HealthHeld && r.health.Failure.Cause == cause
	})
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
			people := crowd(300)[1:]
			revisions := r.want(people...)
			r.held(cause)
			r.until("vain probes", func() bool { return r.health.Probes >= 2 })
			if len(r.org.Users()) != 2 {
				t.Errorf("%d users, want none made in trouble", len(r.org.Users()))
			}
			r.emu.RemoveFault(fault)
			r.settled(revisions)
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
	r.settled(r.want(people...))
	r.struck(fault, 1)
	r.nobodyFailed()
	if n := len(r.org.Users()); n != 51 {
		t.Errorf("%d users, want 51", n)
	}
	if u := r.user("person0001@example.com"); len(u.PermissionSets) != 1 {
		t.Errorf("user %+v", u)
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
	r.settled(revisions)
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
	r.settled(revisions)
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
	r.settled(revisions)
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
