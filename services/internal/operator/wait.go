package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// lookEvery is how often Wait looks.
const lookEvery = 200 * time.Millisecond

// Fate is what came of a task.
type Fate string

// The fates.
const (
	FateApplied   Fate = "applied"   // it succeeded, the dead letter is closed
	FateParked    Fate = "parked"    // it failed again and is parked again
	FateScheduled Fate = "scheduled" // it failed again and will be tried again
	FateRefused   Fate = "refused"   // it was not as the admin saw it
	FateDiscarded Fate = "discarded" // it was given up
	FateWaiting   Fate = "waiting"   // nothing yet
)

// Result is what came of one task.
type Result struct {
	Task Task `json:"task"`
	Fate Fate `json:"fate"`
	// Failure is why it was parked again or scheduled.
	Failure *events.Failure `json:"failure,omitempty"`
	// Note is why it was refused.
	Note string `json:"note,omitempty"`
	// Retried says, of a waiting task, that the request was acted on.
	Retried bool `json:"retried,omitempty"`
}

func (r *Result) final() bool { return r.Fate != FateWaiting && r.Fate != FateScheduled }

// Wait calls each once per task, as soon as it is known what came of it, and at
// the end of ctx for those that still wait or are scheduled. The error is about
// looking, not about what was seen: the end of ctx is none.
func (o *Operator) Wait(ctx context.Context, tasks []Task, asked []Asked, each func(Result)) error {
	w := newWaiting(tasks, asked)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		err := o.look(ctx, w)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("wait for what comes of it: %w", err)
		}
		w.handOut(each)
		if len(w.open) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			for _, r := range w.open {
				each(*r)
			}
			return nil
		case <-tick.C:
		}
	}
}

// waiting is the tasks of which nothing final is known yet.
type waiting struct {
	asked map[string]bool
	from  uint64 // in OPERATOR, the next entry to read
	order []events.Target
	open  map[events.Target]*Result
}

func newWaiting(tasks []Task, asked []Asked) *waiting {
	w := &waiting{asked: map[string]bool{}, open: make(map[events.Target]*Result, len(tasks))}
	for _, a := range asked {
		w.asked[a.ID] = true
		if w.from == 0 || a.Seq < w.from {
			w.from = a.Seq
		}
	}
	for _, t := range tasks {
		w.open[t.target] = &Result{Task: t, Fate: FateWaiting}
		w.order = append(w.order, t.target)
	}
	return w
}

// handOut hands out what is final.
func (w *waiting) handOut(each func(Result)) {
	for _, t := range w.order {
		r, ok := w.open[t]
		if !ok || !r.final() {
			continue
		}
		delete(w.open, t)
		each(*r)
	}
}

// look reads what is new: the audit log, then for those being retried the dead
// letters and outcomes.
func (o *Operator) look(ctx context.Context, w *waiting) error {
	err := o.bus.Scan(ctx, events.StreamOperator, events.OperatorAll, w.from, func(e bus.Entry) error {
		w.from = e.Seq + 1
		w.hear(e)
		return nil
	})
	if err != nil {
		return err
	}
	var letters, outcomes []string
	for t, r := range w.open {
		if !r.Retried || r.final() {
			continue
		}
		letters = append(letters, events.DeadFilter(t.Org, "", t.Key))
		outcomes = append(outcomes, events.OutcomeSubject(t.Org, t.Key))
	}
	if len(letters) == 0 {
		return nil
	}
	return o.compare(ctx, w, letters, outcomes)
}

// hear takes in one entry of the audit log.
func (w *waiting) hear(e bus.Entry) {
	got, err := events.Decode[events.OperatorResult](e.Data)
	if err != nil {
		return // a request, or of a newer version
	}
	r, ok := w.open[got.Target]
	if !ok {
		return
	}
	switch verb := verbOf(e.Subject); {
	case verb == events.VerbClosed:
		r.Fate = FateApplied
	case verb == events.VerbDiscarded: // by us or by somebody else
		r.Fate = FateDiscarded
	case !w.asked[got.Request]:
	case verb == events.VerbRetried:
		r.Retried = true
	case verb == events.VerbRefused:
		r.Fate, r.Note = FateRefused, got.Note
	}
}

// compare finds those that failed again: a newer dead letter, or a newer
// outcome that is to be tried again.
func (o *Operator) compare(ctx context.Context, w *waiting, letters, outcomes []string) error {
	dead, err := o.latest(ctx, events.StreamDead, letters)
	if err != nil {
		return err
	}
	results, err := o.latest(ctx, events.StreamRoster, outcomes)
	if err != nil {
		return err
	}
	newer := map[events.Target]Task{}
	for _, e := range dead {
		if t, err := readTask(e); err == nil {
			who := events.Target{Org: t.target.Org, Key: t.target.Key}
			if have, ok := newer[who]; !ok || t.Seq > have.Seq {
				newer[who] = t
			}
		}
	}
	for target, r := range w.open {
		if r.final() {
			continue
		}
		if t, ok := newer[events.Target{Org: target.Org, Key: target.Key}]; ok && t.Seq > target.Seq {
			r.Fate, r.Failure = FateParked, &t.Letter.Failure
			continue
		}
		e, ok := results[events.OutcomeSubject(target.Org, target.Key)]
		if !ok || e.Seq <= r.Task.Letter.Evidence {
			continue
		}
		if out, err := events.Decode[events.Outcome](e.Data); err == nil && out.Result == events.ResultFailed {
			r.Fate, r.Failure = FateScheduled, out.Failure
		}
	}
	return nil
}

// latestAtOnce keeps wildcards within what one answer may hold.
const latestAtOnce = 400

// latest is the bus's Latest in parts.
func (o *Operator) latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error) {
	out := make(map[string]bus.Entry, len(subjects))
	for start := 0; start < len(subjects); start += latestAtOnce {
		part, err := o.bus.Latest(ctx, stream, subjects[start:min(start+latestAtOnce, len(subjects))])
		if err != nil {
			return nil, err
		}
		for k, v := range part {
			out[k] = v
		}
	}
	return out, nil
}
