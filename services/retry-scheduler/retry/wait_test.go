package retry

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// running has the service run until the test ends.
func (r *rig) running() {
	r.Helper()
	for consumer, feed := range r.feeds { // the test no longer plays the service
		feed.Close()
		delete(r.feeds, consumer)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	end := make(chan error, 1)
	go func() { end <- r.svc.Run(ctx) }()
	r.Cleanup(func() {
		cancel()
		if err := <-end; err != nil {
			r.Errorf("run: %v", err)
		}
	})
}

// TestAdminIsToldWhatCameOfEachTask plays the pusher's part: it answers replays
// of each person in another way.
func TestAdminIsToldWhatCameOfEachTask(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	people := map[events.Key]struct {
		fate   operator.Fate
		answer *events.Outcome
	}{
		"works":  {operator.FateApplied, new(applied("works", 5))},
		"fails":  {operator.FateParked, new(failed("fails", 5, events.CauseLicence, 2))},
		"locked": {operator.FateScheduled, new(failed("locked", 5, events.CauseLocked, 2))},
		"silent": {operator.FateWaiting, nil},
		"stale":  {operator.FateRefused, nil},
	}
	for key := range people {
		r.outcome(failed(key, 5, events.CauseInvalid, 1))
	}
	op := operator.New(r.bus, telemetry.Discard(), nil)
	tasks, err := op.List(t.Context(), operator.Filter{})
	if err != nil || len(tasks) != len(people) {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	r.outcome(failed("stale", 6, events.CauseInvalid, 1))
	r.running()
	asked, err := op.Request(t.Context(), events.VerbRetry, "grete", "", tasks)
	if err != nil {
		t.Fatal(err)
	}
	for range len(people) - 1 { // all but the stale one are looked at again
		work := r.next(events.WorkConsumer(org, events.LaneLeaver), 1)[0]
		a, err := events.ParseSubject(work.Subject)
		if err != nil {
			t.Fatal(err)
		}
		if answer := people[a.Key].answer; answer != nil {
			answer.At = time.Now()
			r.report(*answer)
		}
	}
	got := map[events.Key]operator.Result{}
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	err = op.Wait(ctx, tasks, asked, func(result operator.Result) {
		got[result.Task.Target().Key] = result
		if len(got) == 3 {
			time.AfterFunc(time.Second, cancel) // the other two never end
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range people {
		result := got[key]
		if result.Fate != want.fate {
			t.Errorf("%s: %s, want %s", key, result.Fate, want.fate)
		}
		if again := want.answer != nil && want.answer.Failure != nil; again && (result.Failure == nil || result.Failure.Cause != want.answer.Failure.Cause) {
			t.Errorf("%s: failed again by %+v", key, result.Failure)
		}
	}
	if got["stale"].Note == "" || !got["silent"].Retried {
		t.Errorf("stale: %+v; silent: %+v", got["stale"], got["silent"])
	}
}

// TestBulkDiscardIsToldWhole gives up more dead letters than one request may
// name. Removing them takes as long as the disk wants, and those of the second
// request wait for those of the first.
func TestBulkDiscardIsToldWhole(t *testing.T) {
	t.Parallel()
	const people = events.MaxTargets + 20
	r := newRig(t)
	r.running()
	ctx, cancel := r.inTime()
	defer cancel()
	groups := make([]bus.Group, people)
	for i := range groups {
		o := failed(events.Key(fmt.Sprintf("p%d", i)), 5, events.CauseInvalid, 1)
		groups[i] = bus.Group{{Subject: events.OutcomeSubject(org, o.Key), Data: encode(r, o)}}
	}
	if _, err := r.bus.Commit(ctx, events.StreamRoster, groups); err != nil {
		t.Fatal(err)
	}
	parked := map[string]bool{}
	all, enough := context.WithCancel(ctx)
	if err := r.bus.Watch(all, events.StreamDead, events.DeadAll, func(e bus.Entry) {
		if parked[e.Subject] = true; len(parked) == people {
			enough()
		}
	}); err != nil || len(parked) != people {
		t.Fatalf("%d of %d parked, %v", len(parked), people, err)
	}
	op := operator.New(r.bus, telemetry.Discard(), nil)
	tasks, err := op.List(ctx, operator.Filter{})
	if err != nil || len(tasks) != people {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	asked, err := op.Request(ctx, events.VerbDiscard, "grete", "", tasks)
	if err != nil || len(asked) != 2 {
		t.Fatalf("%d requests, %v", len(asked), err)
	}
	discarded := 0
	if err := op.Wait(ctx, tasks, asked, func(result operator.Result) {
		if result.Fate == operator.FateDiscarded {
			discarded++
		}
	}); err != nil || discarded != people {
		t.Fatalf("%d of %d discarded, %v", discarded, people, err)
	}
}

// inTime ends shortly before the tests have to: what takes long on a busy
// machine is not wrong for it.
func (r *rig) inTime() (context.Context, context.CancelFunc) {
	r.Helper()
	t, ok := r.TB.(*testing.T)
	if !ok {
		return context.WithCancel(r.Context())
	}
	end, bounded := t.Deadline()
	if !bounded {
		return context.WithCancel(r.Context())
	}
	return context.WithDeadline(r.Context(), end.Add(-10*time.Second))
}
