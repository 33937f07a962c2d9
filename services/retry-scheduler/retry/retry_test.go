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
	b := newBundle(t)
	b.svc.now = epoch // so that no schedule is due
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
			b.report(o)
		}
	}
	b.handle(b.svc.handleOutcomes, b.next(events.ConsumerOutcomes, len(list)))
	letters := b.letters()
	for _, o := range list {
		p := PolicyOf(o.Failure.Cause)
		_, parked := letters[events.DeadSubject(org, o.Failure.Cause, o.Key)]
		_, scheduled := b.roster(events.RetrySubject(org, o.Key))
		want := p.Park && o.Attempt >= p.Attempts
		if parked != want || scheduled == want {
			t.Errorf("%s, attempt %d: parked %v, scheduled %v", o.Failure.Cause, o.Attempt, parked, scheduled)
		}
	}
}

func TestParkedLetterSaysWhoWhyAndSinceWhen(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	o := failed(alba, 5, events.CauseInvalid, 1)
	b.outcome(o)
	got, _ := b.letter()
	if got.Username != o.Username || got.Failure.Message != o.Failure.Message || got.Revision != 5 ||
		!got.FirstAt.Equal(o.FirstFailedAt) || !got.LastAt.Equal(o.At) || got.Attempts != 1 ||
		got.Origin != o.Origin || got.Lane != o.Lane || got.Evidence == 0 {
		t.Fatalf("parked %+v of %+v", got, o)
	}
}

func TestParkingAgainKeepsTheStory(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	first := failed(alba, 5, events.CauseInvalid, 1)
	b.outcome(first)

	again := failed(alba, 5, events.CauseInvalid, 2) // the same revision, replayed
	again.FirstFailedAt = epoch().Add(time.Hour)
	b.outcome(again)
	if got, _ := b.letter(); got.Attempts != 2 || !got.FirstAt.Equal(epoch()) || !got.LastAt.Equal(again.At) {
		t.Fatalf("same revision: %+v", got)
	}

	other := failed(alba, 6, events.CauseLicence, 1) // a new revision, another cause
	b.outcome(other)
	got, target := b.letter()
	if got.Attempts != 3 || !got.FirstAt.Equal(epoch()) || got.Revision != 6 || target.Cause != events.CauseLicence {
		t.Fatalf("new revision: %+v at %+v", got, target)
	}

	replayed := failed(alba, 6, events.CauseLicence, 2)
	b.outcome(replayed)
	if got, _ := b.letter(); got.Attempts != 4 {
		t.Fatalf("replayed new revision: %d attempts, want 4", got.Attempts)
	}
}

func TestSuccessClosesTheDeadLetter(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.outcome(failed(alba, 5, events.CauseInvalid, 1))
	_, target := b.letter()
	b.outcome(applied(alba, 6))
	if left := b.letters(); len(left) != 0 {
		t.Fatalf("still there: %v", left)
	}
	closed := b.auditLog()[events.VerbClosed]
	if len(closed) != 1 || closed[0].Target != target || closed[0].Revision != 6 || closed[0].Request != "" {
		t.Fatalf("audit log has %+v", closed)
	}
}

func TestSuccessOlderThanTheFailureClosesNothing(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.report(applied(alba, 5))
	old := b.next(events.ConsumerOutcomes, 1)
	b.outcome(failed(alba, 6, events.CauseInvalid, 1))
	b.handle(b.svc.handleOutcomes, old)
	b.letter()
}

func TestFailureOvertakenBySuccessWhileParkingIsClosed(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.report(failed(alba, 5, events.CauseInvalid, 1))
	slow := b.next(events.ConsumerOutcomes, 1)
	b.outcome(applied(alba, 6)) // looks for a dead letter and finds none
	b.handle(b.svc.handleOutcomes, slow)
	if left := b.letters(); len(left) != 0 {
		t.Fatalf("a dead letter nobody would close: %v", left)
	}
	if closed := b.auditLog()[events.VerbClosed]; len(closed) != 1 {
		t.Fatalf("audit log has %+v", closed)
	}
}

func TestOlderFailureRedeliveredParksNothingNew(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.report(failed(alba, 5, events.CauseInvalid, 1))
	old := b.next(events.ConsumerOutcomes, 1)
	b.outcome(failed(alba, 6, events.CauseLicence, 1))
	b.handle(b.svc.handleOutcomes, old)
	if got, _ := b.letter(); got.Revision != 6 {
		t.Fatalf("the older failure replaced the newer: %+v", got)
	}
}

func TestUnreadableOutcomeIsPutBackAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.commit(events.StreamRoster, bus.Write{Subject: events.OutcomeSubject(org, "later"), Data: []byte(`{"v":99}`)})
	b.report(failed(alba, 5, events.CauseInvalid, 1))
	msgs := b.next(events.ConsumerOutcomes, 2)
	later := postponed{}
	if err := b.svc.handleOutcomes(b.Context(), msgs, later); err != nil {
		t.Fatal(err)
	}
	if len(later) != 1 || later[msgs[0]] != unreadableWait {
		t.Fatalf("put back: %v", later)
	}
	b.letter()
}

func TestCauseThatMayNotStandInASubjectIsParkedAsUnknown(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.outcome(failed(alba, 5, "from.*.tomorrow", 99))
	if got, target := b.letter(); target.Cause != events.CauseUnknown || got.Failure.Message == "" {
		t.Fatalf("parked %+v at %+v", got, target)
	}
}

func TestScheduleFiresIntoWork(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	o := failed(alba, 5, events.CauseLocked, 1)
	o.At = time.Now().Add(-PolicyOf(events.CauseLocked).First) // nearly due
	b.outcome(o)
	got := b.next(events.WorkConsumer(org, events.LaneLeaver), 1)[0]
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
	b := newBundle(t)
	reject := func(r events.Rejection) {
		r.Origin, r.At = events.Origin{EventID: "event-9", Seq: 42}, epoch()
		b.commit(events.StreamRoster, bus.Write{Subject: events.RejectionSubject(42), Data: encode(b, r)})
		msgs := b.next(events.ConsumerRejections, 1)
		b.handle(b.svc.handleRejections, msgs)
		b.handle(b.svc.handleRejections, msgs)
	}
	reject(events.Rejection{Failure: &events.Failure{Cause: events.CausePoison, Message: "is not UTF-8"}, Attempt: 1})
	got, target := b.letter()
	if target.Org != events.NoOrg || target.Cause != events.CausePoison || target.Key != events.EventKey(42) || got.Attempts != 1 {
		t.Fatalf("parked %+v at %+v", got, target)
	}

	b.ask(events.VerbRetry, events.OperatorRequest{ID: "r1", Targets: []events.Target{target}})
	b.handle(b.svc.handleRequests, b.request())
	if e, ok := b.roster(events.ReconsiderSubject(42)); !ok || len(e.Data) == 0 {
		t.Fatal("assignment was not asked to read the event again")
	}

	reject(events.Rejection{Failure: &events.Failure{Cause: events.CausePoison, Message: "is not UTF-8"}, Attempt: 2})
	if got, _ := b.letter(); got.Attempts != 2 {
		t.Fatalf("still not understood: %+v", got)
	}
	reject(events.Rejection{Resolved: true})
	if left := b.letters(); len(left) != 0 {
		t.Fatalf("understood, yet still there: %v", left)
	}
}

func TestNothingIsAcknowledgedThatWasNotDone(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	svc, err := newService(Config{PutBack: time.Millisecond}, &crashing{store: b.bus, left: 1}, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	b.report(failed(alba, 5, events.CauseInvalid, 1))
	msgs := b.next(events.ConsumerOutcomes, 1)
	svc.step(t.Context(), events.ConsumerOutcomes, msgs, svc.handleOutcomes) // parking it fails
	var again []*bus.Message
	b.until("the message to come again", func() bool {
		if b.unacked(events.ConsumerOutcomes) == 0 {
			t.Fatal("acked, although it was not handled")
		}
		again = b.feeds[events.ConsumerOutcomes].TryNext(1)
		return len(again) > 0
	})
	if again[0].Seq != msgs[0].Seq || again[0].Deliveries != 2 {
		t.Fatalf("message %d came, for the %dth time", again[0].Seq, again[0].Deliveries)
	}
	svc.step(t.Context(), events.ConsumerOutcomes, again, svc.handleOutcomes)
	b.letter()
	b.acked(events.ConsumerOutcomes)
}

// unacked is how many messages of ROSTER a consumer has in hand or to come.
func (b *bundle) unacked(consumer string) uint64 {
	b.Helper()
	c, err := b.bus.Consumer(b.Context(), events.StreamRoster, consumer)
	if err != nil {
		b.Fatal(err)
	}
	return c.Pending + uint64(c.AckPending)
}

// acked waits until a consumer has nothing in hand any more.
func (b *bundle) acked(consumer string) {
	b.Helper()
	b.until("the message to be acked", func() bool { return b.unacked(consumer) == 0 })
}

// until waits for what no signal tells of.
func (b *bundle) until(what string, ok func() bool) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), wait)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestABatchIsFinishedWhenTheServiceStops, rather than half done twice.
func TestABatchIsFinishedWhenTheServiceStops(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.report(failed(alba, 5, events.CauseInvalid, 1))
	msgs := b.next(events.ConsumerOutcomes, 1)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	b.svc.step(stopped, events.ConsumerOutcomes, msgs, b.svc.handleOutcomes)
	b.letter()
	b.acked(events.ConsumerOutcomes)
}

// TestTheNewestOfABatchCounts: what was said before of the same person says
// nothing that still holds.
func TestTheNewestOfABatchCounts(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.report(failed(alba, 5, events.CauseInvalid, 1))
	older := b.next(events.ConsumerOutcomes, 1)
	b.report(applied(alba, 6))
	newer := b.next(events.ConsumerOutcomes, 1)
	b.handle(b.svc.handleOutcomes, append(older, newer...))
	b.handle(b.svc.handleOutcomes, append(newer, older...))
	if left, log := b.letters(), b.auditLog(); len(left) != 0 || len(log) != 0 {
		t.Errorf("letters %v, audit log %v: somebody was parked who had succeeded", left, log)
	}
}

// TestAnOldSuccessDoesNotOvertakeAFailure: a killed server may bring back an
// outcome that is older than the failure that was parked.
func TestAnOldSuccessDoesNotOvertakeAFailure(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	seq := b.report(applied(alba, 5))
	subject := events.DeadSubject(org, events.CauseInvalid, alba)
	b.commit(events.StreamDead, bus.Write{Subject: subject, Data: encode(b, events.DeadLetter{Org: org, Key: alba, Revision: 6, Evidence: seq + 1})})
	l, err := readLetter(b.letters()[subject])
	if err != nil {
		t.Fatal(err)
	}
	if err := b.svc.overtaken(t.Context(), []letter{l}); err != nil {
		t.Fatal(err)
	}
	b.letter()
	l.Evidence = seq - 1
	if err := b.svc.overtaken(t.Context(), []letter{l}); err != nil || len(b.letters()) != 0 {
		t.Errorf("a newer success closes it: %v, %v", b.letters(), err)
	}
}

// TestARetryKeepsItsLane; a report without one is a change, for a work message
// has to be somebody's.
func TestARetryKeepsItsLane(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	for reported, want := range map[events.Lane]events.Lane{"": events.LaneChange, events.LaneLeaver: events.LaneLeaver} {
		o := failed(alba, 5, events.CauseLocked, 1)
		o.Lane = reported
		b.outcome(o)
		e, _ := b.roster(events.RetrySubject(org, alba))
		if plan, ok := e.Scheduled(); !ok || plan.Target != events.WorkSubject(org, want, alba) {
			t.Errorf("reported in lane %q, and scheduled for %q", reported, plan.Target)
		}
	}
}

func TestTwoReplicasEndWithOneLetterEach(t *testing.T) {
	t.Parallel()
	const people = 300
	b := newBundle(t)
	var groups []bus.Group
	for i := range people {
		o := failed(events.Key(fmt.Sprintf("p%d", i)), 5, events.CauseInvalid, 1)
		groups = append(groups, bus.Group{{Subject: events.OutcomeSubject(org, o.Key), Data: encode(b, o)}})
	}
	if _, err := b.bus.Commit(t.Context(), events.StreamRoster, groups); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	ends := make(chan error, 2)
	for range 2 { // the second one's start has everything in hand delivered again
		svc := b.service(b.server.As(t, "retry-scheduler"), telemetry.Discard())
		go func() { ends <- svc.Run(ctx) }()
	}
	seen := map[string]uint64{}
	watch, stop := context.WithCancel(ctx)
	err := b.bus.Watch(watch, events.StreamDead, events.DeadAll, func(e bus.Entry) {
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
	if err != nil || len(b.letters()) != people {
		t.Fatalf("%d dead letters for %d people, %v", len(b.letters()), people, err)
	}
	last, err := b.bus.Streams(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range last {
		if s.Name == events.StreamDead && s.LastSeq != people {
			t.Fatalf("%d dead letters written for %d people", s.LastSeq, people)
		}
	}
}
