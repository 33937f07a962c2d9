package retry

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// blocks is more than the server keeps in one file, in writes of the most it
// takes. No dead letter of the filler org is ever looked at: megabytes take long
// to read where the machine is busy.
const (
	blocks, fill = 12, 1_000_000
	filler       = "filler"
)

// fillUp has what is in a stream so far lie in another file than what follows:
// only then does a killed server bring something back.
func (b *bundle) fillUp(stream string, subject func(i int) string) {
	b.Helper()
	for i := range blocks {
		b.commit(stream, bus.Write{Subject: subject(i), Data: make([]byte, fill)})
	}
}

// crash kills the server, starts it again and returns a sweeper.
func (b *bundle) crash() *sweeper {
	b.Helper()
	for consumer, feed := range b.feeds {
		feed.Close()
		delete(b.feeds, consumer)
	}
	b.server.Crash(b.TB)
	b.server.Restart(b.TB)
	b.bus = b.server.Bus(b.TB)
	b.svc.store = b.server.As(b.TB, "retry-scheduler")
	return &sweeper{Service: b.svc}
}

func (b *bundle) sweep(w *sweeper) {
	b.Helper()
	if err := w.once(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// rejection reports what came of reading an event and has it handled.
func (b *bundle) rejection(r events.Rejection) {
	b.Helper()
	b.commit(events.StreamRoster, bus.Write{Subject: events.RejectionSubject(r.Origin.Seq), Data: encode(b, r)})
	b.handle(b.svc.handleRejections, b.next(events.ConsumerRejections, 1))
}

func (b *bundle) scheduleAt(at time.Time) uint64 {
	b.Helper()
	return b.commit(events.StreamRoster, bus.Write{
		Subject: events.RetrySubject(org, alba), Data: encode(b, events.Work{Reason: events.ReasonRetry}),
		Header:   bus.Header{events.HeaderTraceparent: {originTrace}},
		Schedule: &bus.Schedule{At: at, Target: events.WorkSubject(org, events.LaneLeaver, alba)},
	})
}

// TestRetryThatComesBackIsScheduledAgain has the server bring back a schedule
// whose successor has been fired, which it will never fire.
func TestRetryThatComesBackIsScheduledAgain(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	later := time.Now().Add(time.Hour)
	first := b.scheduleAt(later)
	b.fillUp(events.StreamRoster, func(i int) string { return events.DesiredSubject(org, events.Key(fmt.Sprintf("p%d", i))) })
	feed, err := b.bus.Feed(t.Context(), events.StreamRoster, events.WorkConsumer(org, events.LaneLeaver), 1)
	if err != nil {
		t.Fatal(err)
	}
	b.scheduleAt(time.Now())
	if _, err := feed.Next(t.Context(), 1, 0); err != nil { // it has been fired
		t.Fatal(err)
	}
	feed.Close()
	if _, left := b.roster(events.RetrySubject(org, alba)); left {
		t.Fatal("the server keeps a schedule that it has fired")
	}

	w := b.crash()
	if e, back := b.roster(events.RetrySubject(org, alba)); !back || e.Seq != first {
		t.Fatal("the server brings nothing back: decision 0014 is out of date")
	}
	b.sweep(w)
	if e, _ := b.roster(events.RetrySubject(org, alba)); e.Seq != first {
		t.Fatal("scheduled again although it is not due")
	}
	w.now = func() time.Time { return later.Add(overdue) }
	b.sweep(w)
	e, ok := b.roster(events.RetrySubject(org, alba))
	plan, isPlan := e.Scheduled()
	if !ok || e.Seq == first || !isPlan || !plan.At.Equal(later) || plan.Target != events.WorkSubject(org, events.LaneLeaver, alba) {
		t.Fatalf("after the sweep: %+v", e)
	}
}

// TestOverdueRetryIsFired sees the server fire what a sweep publishes, at once.
func TestOverdueRetryIsFired(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	feed, err := b.bus.Feed(t.Context(), events.StreamRoster, events.WorkConsumer(org, events.LaneLeaver), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Close()
	b.scheduleAt(time.Now().Add(-overdue))
	if _, err := feed.Next(t.Context(), 1, 0); err != nil {
		t.Fatal(err)
	}
}

// TestDeadLetterThatComesBackIsRemoved has the server bring back the first
// version of a dead letter after the second was removed, each way there is.
func TestDeadLetterThatComesBackIsRemoved(t *testing.T) {
	t.Parallel()
	poison := events.Origin{EventID: "event-1", Source: "hr", Seq: 7, Traceparent: originTrace}
	for name, sc := range map[string]struct {
		park    func(b *bundle, attempt int)
		settled func(b *bundle)
		left    int
	}{
		"closed by a success": {
			func(b *bundle, n int) { b.outcome(failed(alba, 5, events.CauseInvalid, n)) },
			func(b *bundle) { b.outcome(applied(alba, 6)) }, 0,
		},
		"given up": {
			func(b *bundle, n int) { b.outcome(failed(alba, 5, events.CauseInvalid, n)) },
			func(b *bundle) {
				_, target := b.letter()
				b.ask(events.VerbDiscard, events.OperatorRequest{ID: "r1", Targets: []events.Target{target}})
				b.handle(b.svc.handleRequests, b.request())
			}, 0,
		},
		"replaced": {
			func(b *bundle, n int) { b.outcome(failed(alba, 5, events.CauseInvalid, n)) },
			func(b *bundle) { b.outcome(failed(alba, 6, events.CauseLicence, 1)) }, 1,
		},
		"event understood": {
			func(b *bundle, n int) {
				b.rejection(events.Rejection{Attempt: n, At: epoch(), Origin: poison})
			},
			func(b *bundle) {
				b.rejection(events.Rejection{Resolved: true, At: epoch(), Origin: poison})
			}, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			sc.park(b, 1)
			first, _ := b.letter()
			b.fillUp(events.StreamDead, func(i int) string {
				return events.DeadSubject(filler, events.CauseInvalid, events.Key(fmt.Sprintf("p%d", i)))
			})
			sc.park(b, 2)
			sc.settled(b)
			if n := len(b.letters()); n != sc.left {
				t.Fatalf("%d dead letters before the crash, want %d", n, sc.left)
			}
			w := b.crash()
			if n := len(b.letters()); n != sc.left+1 {
				t.Fatalf("%d dead letters after the crash, %s did not come back: decision 0014 is out of date", n, first.Key)
			}
			b.sweep(w)
			if n := len(b.letters()); n != sc.left {
				t.Fatalf("%d dead letters after the sweep, want %d", n, sc.left)
			}
			b.sweep(w)
		})
	}
}

// TestSweepLeavesWhatIsInOrder runs beside a dead letter and a schedule that
// are as they should be.
func TestSweepLeavesWhatIsInOrder(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.outcome(failed(alba, 5, events.CauseInvalid, 1))
	_, target := b.letter()
	seq := b.scheduleAt(time.Now().Add(time.Hour))
	w := &sweeper{Service: b.svc}
	b.sweep(w)
	b.sweep(w)
	if _, after := b.letter(); after != target {
		t.Fatalf("letter %+v became %+v", target, after)
	}
	if e, _ := b.roster(events.RetrySubject(org, alba)); e.Seq != seq {
		t.Fatal("the schedule was replaced")
	}
}
