package push_test

import (
	"slices"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// steady fails the test unless the org was held once and healed once.
func (r *rig) steady() {
	r.t.Helper()
	r.healed()
	r.mu.Lock()
	defer r.mu.Unlock()
	if want := []events.HealthState{events.HealthHeld, events.HealthOK}; !slices.Equal(r.history, want) {
		r.t.Errorf("health %v, want %v", r.history, want)
	}
}

// changed is a crowd whose users have to be updated, made and deactivated.
func changed() (before, after []events.Desired) {
	before = crowd(6)
	for i, d := range before {
		switch {
		case i%3 == 0:
			d.Active, d.Assignments = false, nil
			after = append(after, hashed(d))
		case i%3 == 1:
			after = append(after, person(i, func(d *events.Desired) {
				d.Fields["Title"], d.Assignments = "Chief", sets("Sales_Base", "Support_Base")
			}))
		default:
			after = append(after, person(i+100))
		}
	}
	return before, after
}

// TestWritesRefusedWhileReadsAnswer has an org take no change, by whole calls and
// by every record, while it answers whatever is read.
func TestWritesRefusedWhileReadsAnswer(t *testing.T) {
	t.Parallel()
	for _, d := range []emulator.Denial{emulator.DenyWrites, emulator.DenyReadOnlyMode} {
		for name, change := range map[string]func(*setup){"": func(*setup) {}, " frozen first": func(s *setup) { s.cfg.FreezeFirst = true }} {
			t.Run(string(d)+name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				r.start(change)
				before, after := changed()
				r.awaitOutcomes(r.want(before...))
				if err := r.org.Deny("", d); err != nil {
					t.Fatal(err)
				}
				revisions := r.want(after...)
				r.held(events.CauseUnavailable)
				r.until("vain probes", func() bool { return r.health.Probes >= 3 })
				if err := r.org.Allow(""); err != nil {
					t.Fatal(err)
				}
				r.awaitOutcomes(revisions)
				r.nobodyFailed()
				r.steady()
				r.asAfter(after)
			})
		}
	}
}

// TestEveryWriteIs500 has an org answer every change by an unexpected error.
func TestEveryWriteIs500(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	before, after := changed()
	r.awaitOutcomes(r.want(before...))
	fault := r.plan(emulator.Fault{Operation: "mutating", Effect: emulator.EffectGack})
	revisions := r.want(after...)
	r.held(events.CauseUnavailable)
	r.until("vain probes", func() bool { return r.health.Probes >= 3 })
	r.emu.RemoveFault(fault)
	r.awaitOutcomes(revisions)
	r.nobodyFailed()
	r.steady()
	r.asAfter(after)
}

// asAfter wants everybody's user to be as desired, and nobody to have two.
func (r *rig) asAfter(after []events.Desired) {
	r.t.Helper()
	for _, d := range after {
		u := r.user(d.Match.Username)
		if u.IsActive != d.Active || d.Active && u.Fields["Title"] != d.Fields["Title"] {
			r.t.Errorf("%s is %+v, want active %t, %v", d.Key, u, d.Active, d.Fields["Title"])
		}
	}
	if n := len(r.org.Users()); n != 9 {
		r.t.Errorf("%d users, want 9", n)
	}
}
