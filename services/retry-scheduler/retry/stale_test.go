package retry

import (
	"context"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// stale is a bus whose replica answers as one stream was for so many reads; one
// that has to have everything is another.
type stale struct {
	store
	stream string
	was    map[string]bus.Entry
	reads  int
	// deletes says that removals, which have no number, are what it has not seen.
	deletes bool
}

func (s *stale) behind(stream string) bool {
	if stream != s.stream || s.reads == 0 {
		return false
	}
	s.reads--
	return true
}

func (s *stale) of(subjects []string) map[string]bus.Entry {
	out := map[string]bus.Entry{}
	for _, subject := range subjects {
		if e, ok := s.was[subject]; ok {
			out[subject] = e
		}
	}
	return out
}

func (s *stale) Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error) {
	if s.behind(stream) {
		return s.of(subjects), nil
	}
	return s.store.Latest(ctx, stream, subjects)
}

func (s *stale) LatestAsOf(ctx context.Context, stream string, subjects []string, subject string, seq uint64) (map[string]bus.Entry, error) {
	if s.deletes && s.behind(stream) {
		return s.of(subjects), nil
	}
	return s.store.LatestAsOf(ctx, stream, subjects, subject, seq)
}

func (s *stale) Scan(ctx context.Context, stream, filter string, from uint64, each func(bus.Entry) error) error {
	if s.behind(stream) {
		return nil
	}
	return s.store.Scan(ctx, stream, filter, from, each)
}

// handled has a batch handled until nothing of it comes again.
func (r *rig) handled(handle handler, msgs []*bus.Message) {
	r.Helper()
	for range 10 {
		later := postponed{}
		if err := handle(r.Context(), msgs, later); err != nil {
			r.Fatal(err)
		}
		for _, m := range msgs {
			m.Deliveries++
		}
		if len(later) == 0 {
			return
		}
	}
	r.Fatal("put back again and again")
}

// TestARequestIsNotRefusedByAReplicaThatIsBehind: it has not got the dead letter yet
// that the admin saw.
func TestARequestIsNotRefusedByAReplicaThatIsBehind(t *testing.T) {
	t.Parallel()
	for _, verb := range []events.Verb{events.VerbRetry, events.VerbDiscard} {
		t.Run(string(verb), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			target := r.stuck()
			svc := r.service(&stale{store: r.svc.store, stream: events.StreamDead, reads: 1}, telemetry.Discard())
			r.ask(verb, events.OperatorRequest{ID: "r1", Targets: []events.Target{target}})
			r.handled(svc.handleRequests, r.request())
			if log := r.auditLog(); len(log[events.VerbRefused]) != 0 || len(log[events.VerbRetried])+len(log[events.VerbDiscarded]) != 1 {
				t.Errorf("audit log has %+v", log)
			}
		})
	}
}

// TestWhatIsClosedIsNotDiscarded: a success closed the dead letter, and a replica that
// is behind still shows it. Were its revision marked as given up, the next failure at
// that revision would be nobody's.
func TestWhatIsClosedIsNotDiscarded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	target := r.stuck()
	was := r.letters()
	r.outcome(applied(alba, 5))
	r.ask(events.VerbDiscard, events.OperatorRequest{ID: "r1", Targets: []events.Target{target}})
	svc := r.service(&stale{store: r.svc.store, stream: events.StreamDead, was: was, reads: 2, deletes: true}, telemetry.Discard())
	r.handled(svc.handleRequests, r.request())
	if log := r.auditLog(); len(log[events.VerbRefused]) != 1 || len(log[events.VerbDiscarded]) != 0 {
		t.Errorf("audit log has %+v", log)
	}
	r.outcome(failed(alba, 5, events.CauseInvalid, 1))
	if again, _ := r.letter(); again.Revision != 5 {
		t.Errorf("parked: %+v", again)
	}
}

// TestANewerRevisionStaysDiscarded: the request to discard an older one is handled
// late.
func TestANewerRevisionStaysDiscarded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	target := r.stuck()
	newer := encode(r, events.Discarded{Revision: 6, By: "grete", At: epoch(), Request: "r2"})
	r.commit(events.StreamRoster, bus.Write{Subject: events.DiscardedSubject(org, alba), Data: newer})
	r.ask(events.VerbDiscard, events.OperatorRequest{ID: "r1", Targets: []events.Target{target}})
	r.handled(r.svc.handleRequests, r.request())
	if mark, _ := r.roster(events.DiscardedSubject(org, alba)); string(mark.Data) != string(newer) {
		t.Errorf("marked: %s", mark.Data)
	}
}

// TestARequestIsAnsweredOnceThoughTheLogIsBehind: what was done by a request is in the
// audit log, of which a replica has not everything yet.
func TestARequestIsAnsweredOnceThoughTheLogIsBehind(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	target := r.stuck()
	r.ask(events.VerbRetry, events.OperatorRequest{ID: "r1", Targets: []events.Target{target}})
	msgs := r.request()
	r.handle(r.svc.handleRequests, msgs)
	r.outcome(applied(alba, 5))
	svc := r.service(&stale{store: r.svc.store, stream: events.StreamOperator, reads: 1}, telemetry.Discard())
	msgs[0].Deliveries = 2
	r.handled(svc.handleRequests, msgs)
	if log := r.auditLog(); len(log[events.VerbRefused]) != 0 || len(log[events.VerbRetried]) != 1 {
		t.Errorf("audit log has %+v", log)
	}
}

// TestASuccessIsSeenWhileParking, also by a replica that is behind: nobody else would
// close the letter.
func TestASuccessIsSeenWhileParking(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.report(failed(alba, 5, events.CauseInvalid, 1))
	msgs := r.next(events.ConsumerOutcomes, 1)
	outcome, _ := r.roster(events.OutcomeSubject(org, alba))
	r.report(applied(alba, 5))
	svc := r.service(&stale{store: r.svc.store, stream: events.StreamRoster, reads: 10,
		was: map[string]bus.Entry{outcome.Subject: outcome}}, telemetry.Discard())
	r.handled(svc.handleOutcomes, msgs)
	if left := r.letters(); len(left) != 0 {
		t.Errorf("still there: %v", left)
	}
}

// TestALetterThatASuccessDidNotSeeIsSweptAway, though nothing has changed in DEAD.
func TestALetterThatASuccessDidNotSeeIsSweptAway(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.stuck()
	w := &sweeper{Service: r.svc}
	r.sweep(w)
	r.report(applied(alba, 5))
	msgs := r.next(events.ConsumerOutcomes, 1)
	svc := r.service(&stale{store: r.svc.store, stream: events.StreamDead, reads: 10}, telemetry.Discard())
	r.handled(svc.handleOutcomes, msgs)
	r.letter()
	for range trusted + 1 {
		r.sweep(w)
	}
	if left := r.letters(); len(left) != 0 {
		t.Errorf("still there: %v", left)
	}
}

// TestALetterOfALostRosterIsNoEvidence: ROSTER was restored from a backup, and DEAD was
// not. The failure in a letter has a sequence to which ROSTER has not come again.
func TestALetterOfALostRosterIsNoEvidence(t *testing.T) {
	t.Parallel()
	for _, cause := range []events.Cause{events.CauseInvalid, events.CauseLicence} {
		t.Run(string(cause), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.stuck()
			lost, at := r.letter()
			lost.Evidence = 1_000_000
			r.commit(events.StreamDead, bus.Write{Subject: events.DeadSubject(at.Org, at.Cause, at.Key), Data: encode(r, lost)})
			seq := r.report(failed(alba, 6, cause, 1))
			r.handle(r.svc.handleOutcomes, r.next(events.ConsumerOutcomes, 1))
			if got, _ := r.letter(); got.Revision != 6 || got.Evidence != seq || got.Failure.Cause != cause {
				t.Errorf("parked: %+v", got)
			}
			r.outcome(applied(alba, 6))
			if left := r.letters(); len(left) != 0 {
				t.Errorf("still there: %v", left)
			}
		})
	}
}
