package push_test

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// A demoted integration user is refused for everybody; that is nobody's failure.
func TestALostRightHoldsTheOrg(t *testing.T) {
	t.Parallel()
	for right, code := range map[emulator.Denial]string{
		emulator.DenyManageUsers:          "INSUFFICIENT_ACCESS_OR_READONLY",
		emulator.DenyAssignPermissionSets: "INSUFFICIENT_ACCESS_OR_READONLY",
	} {
		t.Run(string(right), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start()
			r.push(person(1))
			if err := r.org.Deny(emulator.IntegrationUsername, right); err != nil {
				t.Fatal(err)
			}
			revisions := r.want(append(crowd(20)[2:], leaver(1))...)
			r.held(events.CauseCredentials)
			r.until("vain probes", func() bool { return r.health.Probes >= 2 })
			r.mu.Lock()
			if f := r.health.Failure; f.Code != code {
				t.Errorf("held for %+v", f)
			}
			r.mu.Unlock()
			if err := r.org.Allow(emulator.IntegrationUsername); err != nil {
				t.Fatal(err)
			}
			r.awaitOutcomes(revisions)
			r.nobodyFailed()
			r.until("health", func() bool { return r.health.State == events.HealthOK })
		})
	}
}

// The same words about one user, by an integration user who has all rights, are
// that person's.
func TestARefusalOfOneUserHoldsNobodyElse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	people := crowd(10)
	r.awaitOutcomes(r.want(people...))
	r.plan(emulator.Fault{Object: "User", Field: "Id", Value: r.user("person0004@example.com").ID, Effect: "insufficient_access_or_readonly"})
	for i := range people {
		people[i] = person(i, func(d *events.Desired) { d.Fields["Title"] = "Manager" })
	}
	r.awaitOutcomes(r.want(people...))
	for i, p := range people {
		if o := r.outcome(p.Key); i == 4 {
			expectFailed(t, o, events.CauseForbidden)
		} else {
			expect(t, o, events.ResultApplied, "updated")
		}
	}
	r.neverHeld()
}

// neverHeld fails the test if the org was held for anything.
func (r *rig) neverHeld() {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.history) != 0 {
		r.t.Errorf("health %v", r.history)
	}
}
