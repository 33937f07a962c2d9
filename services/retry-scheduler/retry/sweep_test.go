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
func (r *rig) fillUp(stream string, subject func(i int) string) {
	r.Helper()
	for i := range blocks {
		r.commit(stream, bus.Write{Subject: subject(i), Data: make([]byte, fill)})
	}
}

// crash kills the server, starts it again and returns a sweeper.
func (r *rig) crash() *sweeper {
	r.Helper()
	for consumer, feed := range r.feeds {
		feed.Close()
		delete(r.feeds, consumer)
	}
	r.server.Crash(r.TB)
	r.server.Restart(r.TB)
	r.bus = r.server.Bus(r.TB)
	r.svc.store = r.server.As(r.TB, "retry-scheduler")
	return &sweeper{Service: r.svc}
}

func (r *rig) sweep(w *sweeper) {
	r.Helper()
	if err := w.once(r.Context()); err != nil {
		r.Fatal(err)
	}
}

// rejection reports what came of reading an event and has it handled.
func (r *rig) rejection(rejection events.Rejection) {
	r.Helper()
	r.commit(events.StreamRoster, bus.Write{Subject: events.RejectionSubject(rejection.Origin.Seq), Data: encode(r, rejection)})
	r.handle(r.svc.handleRejections, r.next(events.ConsumerRejections, 1))
}

func (r *rig) scheduleAt(at time.Time) uint64 {
	r.Helper()
	return r.commit(events.StreamRoster, bus.Write{
		Subject: events.RetrySubject(org, alba), Data: encode(r, events.Work{Reason: events.ReasonRetry}),
		Header:   bus.Header{events.HeaderTraceparent: {originTrace}},
		Schedule: &bus.Schedule{At: at, Target: events.WorkSubject(org, events.LaneLeaver, alba)},
	})
}

// TestRetryThatComesBackIsScheduledAgain has the server bring back a schedule
// whose successor has been fired, which it will never fire.
func TestRetryThatComesBackIsScheduledAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	later := time.Now().Add(time.Hour)
	first := r.scheduleAt(later)
	r.fillUp(events.StreamRoster, func(i int) string { return events.DesiredSubject(org, events.Key(fmt.Sprintf("p%d", i))) })
	feed, err := r.bus.Feed(t.Context(), events.StreamRoster, events.WorkConsumer(org, events.LaneLeaver), 1)
	if err != nil {
		t.Fatal(err)
	}
	r.scheduleAt(time.Now())
	if _, err := feed.Next(t.Context(), 1, 0); err != nil { // it has been fired
		t.Fatal(err)
	}
	feed.Close()
	if _, left := r.roster(events.RetrySubject(org, alba)); left {
		t.Fatal("the server keeps a schedule that it has fired")
	}

	w := r.crash()
	if e, back := r.roster(events.RetrySubject(org, alba)); !back || e.Seq != first {
		t.Fatal("the server brings nothing back: decision 0014 is out of date")
	}
	r.sweep(w)
	if e, _ := r.roster(events.RetrySubject(org, alba)); e.Seq != first {
		t.Fatal("scheduled again although it is not due")
	}
	w.now = func() time.Time { return later.Add(overdue) }
	r.sweep(w)
	e, ok := r.roster(events.RetrySubject(org, alba))
	plan, isPlan := e.Scheduled()
	if !ok || e.Seq == first || !isPlan || !plan.At.Equal(later) || plan.Target != events.WorkSubject(org, events.LaneLeaver, alba) {
		t.Fatalf("after the sweep: %+v", e)
	}
}

// TestOverdueRetryIsFired sees the server fire what a sweep publishes, at once.
func TestOverdueRetryIsFired(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	feed, err := r.bus.Feed(t.Context(), events.StreamRoster, events.WorkConsumer(org, events.LaneLeaver), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Close()
	r.scheduleAt(time.Now().Add(-overdue))
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
		park func(r *rig, attempt int)
		over func(r *rig)
		left int
	}{
		"closed by a success": {
			func(r *rig, n int) { r.outcome(failed(alba, 5, events.CauseInvalid, n)) },
			func(r *rig) { r.outcome(applied(alba, 6)) }, 0,
		},
		"given up": {
			func(r *rig, n int) { r.outcome(failed(alba, 5, events.CauseInvalid, n)) },
			func(r *rig) {
				_, target := r.letter()
				r.ask(events.VerbDiscard, events.OperatorRequest{ID: "r1", Targets: []events.Target{target}})
				r.handle(r.svc.handleRequests, r.request())
			}, 0,
		},
		"replaced": {
			func(r *rig, n int) { r.outcome(failed(alba, 5, events.CauseInvalid, n)) },
			func(r *rig) { r.outcome(failed(alba, 6, events.CauseLicence, 1)) }, 1,
		},
		"event understood": {
			func(r *rig, n int) {
				r.rejection(events.Rejection{Attempt: n, At: epoch(), Origin: poison})
			},
			func(r *rig) {
				r.rejection(events.Rejection{Resolved: true, At: epoch(), Origin: poison})
			}, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			sc.park(r, 1)
			first, _ := r.letter()
			r.fillUp(events.StreamDead, func(i int) string {
				return events.DeadSubject(filler, events.CauseInvalid, events.Key(fmt.Sprintf("p%d", i)))
			})
			sc.park(r, 2)
			sc.over(r)
			if n := len(r.letters()); n != sc.left {
				t.Fatalf("%d dead letters before the crash, want %d", n, sc.left)
			}
			w := r.crash()
			if n := len(r.letters()); n != sc.left+1 {
				t.Fatalf("%d dead letters after the crash, %s did not come back: decision 0014 is out of date", n, first.Key)
			}
			r.sweep(w)
			if n := len(r.letters()); n != sc.left {
				t.Fatalf("%d dead letters after the sweep, want %d", n, sc.left)
			}
			r.sweep(w)
		})
	}
}

// TestSweepLeavesWhatIsInOrder runs beside a dead letter and a schedule that
// are as they should be.
func TestSweepLeavesWhatIsInOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.outcome(failed(alba, 5, events.CauseInvalid, 1))
	_, target := r.letter()
	seq := r.scheduleAt(time.Now().Add(time.Hour))
	w := &sweeper{Service: r.svc}
	r.sweep(w)
	r.sweep(w)
	if _, after := r.letter(); after != target {
		t.Fatalf("letter %+v became %+v", target, after)
	}
	if e, _ := r.roster(events.RetrySubject(org, alba)); e.Seq != seq {
		t.Fatal("the schedule was replaced")
	}
}
