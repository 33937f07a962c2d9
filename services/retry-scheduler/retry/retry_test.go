package retry

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

func TestEachCauseIsRetriedAndParkedAsThePolicySays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.svc.now = epoch // so that no schedule is due
	var list []events.Outcome
	for _, cause := range events.Causes() {
		p := PolicyOf(cause)
		for _, attempt := range []int{1, p.Attempts - 1, p.Attempts, p.Attempts + 1} {
			if attempt < 1 {
				continue
			}
			o := failed(events.Key(fmt.Sprintf("p%d", len(list))), 5, cause, attempt)
			o.At = epoch().Add(24 * time.Hour)
			list = append(list, o)
			r.report(o)
		}
	}
	r.handle(r.svc.handleOutcomes, r.next(events.ConsumerOutcomes, len(list)))
	letters := r.letters()
	for _, o := range list {
		p := PolicyOf(o.Failure.Cause)
		_, parked := letters[events.DeadSubject(org, o.Failure.Cause, o.Key)]
		_, scheduled := r.roster(events.RetrySubject(org, o.Key))
		want := p.Park && o.Attempt >= p.Attempts
		if parked != want || scheduled == want {
			t.Errorf("%s, attempt %d: parked %v, scheduled %v", o.Failure.Cause, o.Attempt, parked, scheduled)
		}
	}
}

func TestParkedLetterSaysWhoWhyAndSinceWhen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := failed(alba, 5, events.CauseInvalid, 1)
	r.outcome(o)
	got, _ := r.letter()
	if got.Username != o.Username || got.Failure.Message != o.Failure.Message || got.Revision != 5 ||
		!got.FirstAt.Equal(o.FirstFailedAt) || !got.LastAt.Equal(o.At) || got.Attempts != 1 ||
		got.Origin != o.Origin || got.Lane != o.Lane || got.Evidence == 0 {
		t.Fatalf("parked %+v of %+v", got, o)
	}
}

func TestParkingAgainKeepsTheStory(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := failed(alba, 5, events.CauseInvalid, 1)
	r.outcome(first)

	again := failed(alba, 5, events.CauseInvalid, 2) // the same revision, replayed
	again.FirstFailedAt = epoch().Add(time.Hour)
	r.outcome(again)
	if got, _ := r.letter(); got.Attempts != 2 || !got.FirstAt.Equal(epoch()) || !got.LastAt.Equal(again.At) {
		t.Fatalf("same revision: %+v", got)
	}

	other := failed(alba, 6, events.CauseLicence, 1) // a new revision, another cause
	r.outcome(other)
	got, target := r.letter()
	if got.Attempts != 3 || !got.FirstAt.Equal(epoch()) || got.Revision != 6 || target.Cause != events.CauseLicence {
		t.Fatalf("new revision: %+v at %+v", got, target)
	}

	replayed := failed(alba, 6, events.CauseLicence, 2)
	r.outcome(replayed)
	if got, _ := r.letter(); got.Attempts != 4 {
		t.Fatalf("replayed new revision: %d attempts, want 4", got.Attempts)
	}
}

func TestSuccessClosesTheDeadLetter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.outcome(failed(alba, 5, events.CauseInvalid, 1))
	_, target := r.letter()
	r.outcome(applied(alba, 6))
	if left := r.letters(); len(left) != 0 {
		t.Fatalf("still there: %v", left)
	}
	closed := r.auditLog()[events.VerbClosed]
	if len(closed) != 1 || closed[0].Target != target || closed[0].Revision != 6 || closed[0].Request != "" {
		t.Fatalf("audit log has %+v", closed)
	}
}

func TestSuccessOlderThanTheFailureClosesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.report(applied(alba, 5))
	old := r.next(events.ConsumerOutcomes, 1)
	r.outcome(failed(alba, 6, events.CauseInvalid, 1))
	r.handle(r.svc.handleOutcomes, old)
	r.letter()
}

func TestFailureOvertakenBySuccessWhileParkingIsClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.report(failed(alba, 5, events.CauseInvalid, 1))
	slow := r.next(events.ConsumerOutcomes, 1)
	r.outcome(applied(alba, 6)) // looks for a dead letter and finds none
	r.handle(r.svc.handleOutcomes, slow)
	if left := r.letters(); len(left) != 0 {
		t.Fatalf("a dead letter nobody would close: %v", left)
	}
	if closed := r.auditLog()[events.VerbClosed]; len(closed) != 1 {
		t.Fatalf("audit log has %+v", closed)
	}
}

func TestOlderFailureRedeliveredParksNothingNew(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.report(failed(alba, 5, events.CauseInvalid, 1))
	old := r.next(events.ConsumerOutcomes, 1)
	r.outcome(failed(alba, 6, events.CauseLicence, 1))
	r.handle(r.svc.handleOutcomes, old)
	if got, _ := r.letter(); got.Revision != 6 {
		t.Fatalf("the older failure replaced the newer: %+v", got)
	}
}

func TestUnreadableOutcomeIsPutBackAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.commit(events.StreamRoster, bus.Write{Subject: events.OutcomeSubject(org, "later"), Data: []byte(`{"v":99}`)})
	r.report(failed(alba, 5, events.CauseInvalid, 1))
	msgs := r.next(events.ConsumerOutcomes, 2)
	later := postponed{}
	if err := r.svc.handleOutcomes(r.Context(), msgs, later); err != nil {
		t.Fatal(err)
	}
	if len(later) != 1 || later[msgs[0]] != unreadableWait {
		t.Fatalf("put back: %v", later)
	}
	r.letter()
}

func TestCauseThatMayNotStandInASubjectIsParkedAsUnknown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.outcome(failed(alba, 5, "from.*.tomorrow", 99))
	if got, target := r.letter(); target.Cause != events.CauseUnknown || got.Failure.Message == "" {
		t.Fatalf("parked %+v at %+v", got, target)
	}
}

func TestScheduleFiresIntoWork(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := failed(alba, 5, events.CauseLocked, 1)
	o.At = time.Now().Add(-PolicyOf(events.CauseLocked).First) // nearly due
	r.outcome(o)
	got := r.next(events.WorkConsumer(org, events.LaneLeaver), 1)[0]
	w, err := events.Decode[events.Work](got.Data)
	if err != nil || w.Reason != events.ReasonRetry {
		t.Fatalf("work %s, %v", got.Data, err)
	}
	if tp := got.Header[events.HeaderTraceparent]; len(tp) != 1 || tp[0] != originTrace {
		t.Fatalf("traceparent %v, want the one of the failure", tp)
	}
	if got.Subject != events.WorkSubject(org, events.LaneLeaver, alba) {
		t.Fatalf("fired at %s", got.Subject)
	}
}

func TestRejectedEventIsParkedAsPoisonUntilItIsUnderstood(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	reject := func(rejection events.Rejection) {
		rejection.Origin, rejection.At = events.Origin{EventID: "event-9", Seq: 42}, epoch()
		r.commit(events.StreamRoster, bus.Write{Subject: events.RejectionSubject(42), Data: encode(r, rejection)})
		msgs := r.next(events.ConsumerRejections, 1)
		r.handle(r.svc.handleRejections, msgs)
		r.handle(r.svc.handleRejections, msgs)
	}
	reject(events.Rejection{Failure: &events.Failure{Cause: events.CausePoison, Message: "is not UTF-8"}, Attempt: 1})
	got, target := r.letter()
	if target.Org != events.NoOrg || target.Cause != events.CausePoison || target.Key != events.EventKey(42) || got.Attempts != 1 {
		t.Fatalf("parked %+v at %+v", got, target)
	}

	r.ask(events.VerbRetry, events.OperatorRequest{ID: "r1", Targets: []events.Target{target}})
	r.handle(r.svc.handleRequests, r.request())
	if e, ok := r.roster(events.ReconsiderSubject(42)); !ok || len(e.Data) == 0 {
		t.Fatal("assignment was not asked to read the event again")
	}

	reject(events.Rejection{Failure: &events.Failure{Cause: events.CausePoison, Message: "is not UTF-8"}, Attempt: 2})
	if got, _ := r.letter(); got.Attempts != 2 {
		t.Fatalf("still not understood: %+v", got)
	}
	reject(events.Rejection{Resolved: true})
	if left := r.letters(); len(left) != 0 {
		t.Fatalf("understood, yet still there: %v", left)
	}
}

func TestNothingIsAcknowledgedThatWasNotDone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	svc, err := newService(Config{PutBack: time.Millisecond}, &crashing{store: r.bus, left: 1}, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	r.report(failed(alba, 5, events.CauseInvalid, 1))
	msgs := r.next(events.ConsumerOutcomes, 1)
	svc.step(t.Context(), events.ConsumerOutcomes, msgs, svc.handleOutcomes) // parking it fails
	var again []*bus.Message
	r.until("the message to come again", func() bool {
		if r.unacked(events.ConsumerOutcomes) == 0 {
			t.Fatal("acked, although it was not handled")
		}
		again = r.feeds[events.ConsumerOutcomes].TryNext(1)
		return len(again) > 0
	})
	if again[0].Seq != msgs[0].Seq || again[0].Deliveries != 2 {
		t.Fatalf("message %d came, for the %dth time", again[0].Seq, again[0].Deliveries)
	}
	svc.step(t.Context(), events.ConsumerOutcomes, again, svc.handleOutcomes)
	r.letter()
	r.acked(events.ConsumerOutcomes)
}

// unacked is how many messages of ROSTER a consumer has in hand or to come.
func (r *rig) unacked(consumer string) uint64 {
	r.Helper()
	c, err := r.bus.Consumer(r.Context(), events.StreamRoster, consumer)
	if err != nil {
		r.Fatal(err)
	}
	return c.Pending + uint64(c.AckPending)
}

// acked waits until a consumer has nothing in hand any more.
func (r *rig) acked(consumer string) {
	r.Helper()
	r.until("the message to be acked", func() bool { return r.unacked(consumer) == 0 })
}

// until waits for what no signal tells of.
func (r *rig) until(what string, ok func() bool) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			r.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestABatchIsFinishedWhenTheServiceStops, rather than half done twice.
func TestABatchIsFinishedWhenTheServiceStops(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.report(failed(alba, 5, events.CauseInvalid, 1))
	msgs := r.next(events.ConsumerOutcomes, 1)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	r.svc.step(stopped, events.ConsumerOutcomes, msgs, r.svc.handleOutcomes)
	r.letter()
	r.acked(events.ConsumerOutcomes)
}

// TestTheNewestOfABatchCounts: what was said before of the same person says
// nothing that still holds.
func TestTheNewestOfABatchCounts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.report(failed(alba, 5, events.CauseInvalid, 1))
	older := r.next(events.ConsumerOutcomes, 1)
	r.report(applied(alba, 6))
	newer := r.next(events.ConsumerOutcomes, 1)
	r.handle(r.svc.handleOutcomes, append(older, newer...))
	r.handle(r.svc.handleOutcomes, append(newer, older...))
	if left, log := r.letters(), r.auditLog(); len(left) != 0 || len(log) != 0 {
		t.Errorf("letters %v, audit log %v: somebody was parked who had succeeded", left, log)
	}
}

// TestAnOldSuccessDoesNotOvertakeAFailure: a killed server may bring back an
// outcome that is older than the failure that was parked.
func TestAnOldSuccessDoesNotOvertakeAFailure(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	seq := r.report(applied(alba, 5))
	subject := events.DeadSubject(org, events.CauseInvalid, alba)
	r.commit(events.StreamDead, bus.Write{Subject: subject, Data: encode(r, events.DeadLetter{Org: org, Key: alba, Revision: 6, Evidence: seq + 1})})
	l, err := readLetter(r.letters()[subject])
	if err != nil {
		t.Fatal(err)
	}
	if err := r.svc.overtaken(t.Context(), []letter{l}); err != nil {
		t.Fatal(err)
	}
	r.letter()
	l.Evidence = seq - 1
	if err := r.svc.overtaken(t.Context(), []letter{l}); err != nil || len(r.letters()) != 0 {
		t.Errorf("a newer success closes it: %v, %v", r.letters(), err)
	}
}

// TestARetryKeepsItsLane; a report without one is a change, for a work message
// has to be somebody's.
func TestARetryKeepsItsLane(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for reported, want := range map[events.Lane]events.Lane{"": events.LaneChange, events.LaneLeaver: events.LaneLeaver} {
		o := failed(alba, 5, events.CauseLocked, 1)
		o.Lane = reported
		r.outcome(o)
		e, _ := r.roster(events.RetrySubject(org, alba))
		if plan, ok := e.Scheduled(); !ok || plan.Target != events.WorkSubject(org, want, alba) {
			t.Errorf("reported in lane %q, and scheduled for %q", reported, plan.Target)
		}
	}
}

func TestTwoReplicasEndWithOneLetterEach(t *testing.T) {
	t.Parallel()
	const people = 300
	r := newRig(t)
	var groups []bus.Group
	for i := range people {
		o := failed(events.Key(fmt.Sprintf("p%d", i)), 5, events.CauseInvalid, 1)
		groups = append(groups, bus.Group{{Subject: events.OutcomeSubject(org, o.Key), Data: encode(r, o)}})
	}
	if _, err := r.bus.Commit(t.Context(), events.StreamRoster, groups); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	ends := make(chan error, 2)
	for range 2 { // the second one's start has everything in hand delivered again
		svc := r.service(r.server.As(t, "retry-scheduler"), telemetry.Discard())
		go func() { ends <- svc.Run(ctx) }()
	}
	seen := map[string]uint64{}
	watch, stop := context.WithCancel(ctx)
	err := r.bus.Watch(watch, events.StreamDead, events.DeadAll, func(e bus.Entry) {
		if seen[e.Subject]++; len(seen) == people {
			stop()
		}
	})
	cancel()
	for range 2 {
		if err := <-ends; err != nil {
			t.Fatal(err)
		}
	}
	if err != nil || len(r.letters()) != people {
		t.Fatalf("%d dead letters for %d people, %v", len(r.letters()), people, err)
	}
	last, err := r.bus.Streams(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range last {
		if s.Name == events.StreamDead && s.LastSeq != people {
			t.Fatalf("%d dead letters written for %d people", s.LastSeq, people)
		}
	}
}
