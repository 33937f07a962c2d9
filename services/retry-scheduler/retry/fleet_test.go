package retry

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// newer is a payload as a later version of Rollcall may write it.
func newer[P events.Payload](b *bundle, p P) []byte {
	b.Helper()
	data := string(encode(b, p))
	if !strings.HasPrefix(data, `{"v":1,`) {
		b.Fatalf("%.20s does not begin with version 1", data)
	}
	return []byte(strings.Replace(data, `{"v":1,`, `{"v":99,"added":true,`, 1))
}

// postponed has a batch handled, and wants all of it put back for a replica
// that knows what stands there.
func (b *bundle) postponed(handle handler, msgs []*bus.Message) {
	b.Helper()
	later := postponed{}
	if err := handle(b.Context(), msgs, later); err != nil {
		b.Fatal(err)
	}
	for _, m := range msgs {
		if later[m] != unreadableWait {
			b.Errorf("%s is put back for %v, want %v", m.Subject, later[m], unreadableWait)
		}
	}
}

// TestWhatANewerVersionWroteIsLeftToIt: nothing is parked, closed, refused or
// swept on the word of a payload that this version does not know.
func TestWhatANewerVersionWroteIsLeftToIt(t *testing.T) {
	t.Parallel()
	target := events.Target{Org: org, Cause: events.CauseInvalid, Key: alba}
	dead := func(b *bundle) uint64 {
		return b.commit(events.StreamDead, bus.Write{
			Subject: events.DeadSubject(org, events.CauseInvalid, alba), Data: newer(b, events.DeadLetter{Org: org, Key: alba}),
		})
	}
	for name, test := range map[string]func(*bundle){
		"a dead letter, failed again": func(b *bundle) {
			dead(b)
			b.report(failed(alba, 5, events.CauseLicence, 1))
			b.postponed(b.svc.handleOutcomes, b.next(events.ConsumerOutcomes, 1))
		},
		"a dead letter, and success": func(b *bundle) {
			dead(b)
			b.report(applied(alba, 6))
			b.postponed(b.svc.handleOutcomes, b.next(events.ConsumerOutcomes, 1))
		},
		"a dead letter, swept": func(b *bundle) {
			dead(b)
			b.report(applied(alba, 6))
			w := sweeper{Service: b.svc}
			if err := w.once(b.Context()); err != nil {
				b.Fatal(err)
			}
		},
		"a dead letter, asked about": func(b *bundle) {
			target := target
			target.Seq = dead(b)
			b.ask(events.VerbDiscard, events.OperatorRequest{ID: "r", Targets: []events.Target{target}})
			b.postponed(b.svc.handleRequests, b.request())
		},
		"a request": func(b *bundle) {
			dead(b)
			b.commit(events.StreamOperator, bus.Write{
				Subject: events.OperatorSubject(events.VerbDiscard),
				Data:    newer(b, events.OperatorRequest{ID: "r", By: "grete", At: epoch(), Targets: []events.Target{target}}),
			})
			b.postponed(b.svc.handleRequests, b.request())
		},
		"a discard marker": func(b *bundle) {
			dead(b)
			b.commit(events.StreamRoster, bus.Write{
				Subject: events.DiscardedSubject(org, alba), Data: newer(b, events.Discarded{Revision: 5, By: "grete", At: epoch()}),
			})
			b.report(failed(alba, 5, events.CauseLocked, 1))
			b.postponed(b.svc.handleOutcomes, b.next(events.ConsumerOutcomes, 1))
			if retries, err := b.bus.Latest(b.Context(), events.StreamRoster, []string{events.RetrySubject(org, alba)}); err != nil || len(retries) > 0 {
				b.Errorf("a retry of what may be given up is scheduled: %v %v", retries, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			test(b)
			stands := b.letters()
			for subject, e := range stands {
				if !strings.HasPrefix(string(e.Data), `{"v":99,`) {
					t.Errorf("%s was written over: %s", subject, e.Data)
				}
			}
			if len(stands) != 1 {
				t.Errorf("%d dead letters stand, want the one that did", len(stands))
			}
			for verb, entries := range b.auditLog() {
				if len(entries) > 0 {
					t.Errorf("the audit log says %s: %+v", verb, entries)
				}
			}
		})
	}
}
