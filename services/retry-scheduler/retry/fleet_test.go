package retry

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// newer is a payload as a later version of Rollcall may write it.
func newer[P events.Payload](r *rig, p P) []byte {
	r.Helper()
	data := string(encode(r, p))
	if !strings.HasPrefix(data, `{"v":1,`) {
		r.Fatalf("%.20s does not begin with version 1", data)
	}
	return []byte(strings.Replace(data, `{"v":1,`, `{"v":99,"added":true,`, 1))
}

// postponed has a batch handled, and wants all of it put back for a replica
// that knows what stands there.
func (r *rig) postponed(handle handler, msgs []*bus.Message) {
	r.Helper()
	later := postponed{}
	if err := handle(r.Context(), msgs, later); err != nil {
		r.Fatal(err)
	}
	for _, m := range msgs {
		if later[m] != unreadableWait {
			r.Errorf("%s is put back for %v, want %v", m.Subject, later[m], unreadableWait)
		}
	}
}

// TestWhatANewerVersionWroteIsLeftToIt: nothing is parked, closed, refused or
// swept on the word of a payload that this version does not know.
func TestWhatANewerVersionWroteIsLeftToIt(t *testing.T) {
	t.Parallel()
	target := events.Target{Org: org, Cause: events.CauseInvalid, Key: alba}
	dead := func(r *rig) uint64 {
		return r.commit(events.StreamDead, bus.Write{
			Subject: events.DeadSubject(org, events.CauseInvalid, alba), Data: newer(r, events.DeadLetter{Org: org, Key: alba}),
		})
	}
	for name, test := range map[string]func(*rig){
		"a dead letter, failed again": func(r *rig) {
			dead(r)
			r.report(failed(alba, 5, events.CauseLicence, 1))
			r.postponed(r.svc.handleOutcomes, r.next(events.ConsumerOutcomes, 1))
		},
		"a dead letter, and success": func(r *rig) {
			dead(r)
			r.report(applied(alba, 6))
			r.postponed(r.svc.handleOutcomes, r.next(events.ConsumerOutcomes, 1))
		},
		"a dead letter, swept": func(r *rig) {
			dead(r)
			r.report(applied(alba, 6))
			w := sweeper{Service: r.svc}
			if err := w.once(r.Context()); err != nil {
				r.Fatal(err)
			}
		},
		"a dead letter, asked about": func(r *rig) {
			target := target
			target.Seq = dead(r)
			r.ask(events.VerbDiscard, events.OperatorRequest{ID: "r", Targets: []events.Target{target}})
			r.postponed(r.svc.handleRequests, r.request())
		},
		"a request": func(r *rig) {
			dead(r)
			r.commit(events.StreamOperator, bus.Write{
				Subject: events.OperatorSubject(events.VerbDiscard),
				Data:    newer(r, events.OperatorRequest{ID: "r", By: "grete", At: epoch(), Targets: []events.Target{target}}),
			})
			r.postponed(r.svc.handleRequests, r.request())
		},
		"a discard marker": func(r *rig) {
			dead(r)
			r.commit(events.StreamRoster, bus.Write{
				Subject: events.DiscardedSubject(org, alba), Data: newer(r, events.Discarded{Revision: 5, By: "grete", At: epoch()}),
			})
			r.report(failed(alba, 5, events.CauseLocked, 1))
			r.postponed(r.svc.handleOutcomes, r.next(events.ConsumerOutcomes, 1))
			if retries, err := r.bus.Latest(r.Context(), events.StreamRoster, []string{events.RetrySubject(org, alba)}); err != nil || len(retries) > 0 {
				r.Errorf("a retry of what may be given up is scheduled: %v %v", retries, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			test(r)
			stands := r.letters()
			for subject, e := range stands {
				if !strings.HasPrefix(string(e.Data), `{"v":99,`) {
					t.Errorf("%s was written over: %s", subject, e.Data)
				}
			}
			if len(stands) != 1 {
				t.Errorf("%d dead letters stand, want the one that did", len(stands))
			}
			for verb, entries := range r.auditLog() {
				if len(entries) > 0 {
					t.Errorf("the audit log says %s: %+v", verb, entries)
				}
			}
		})
	}
}
