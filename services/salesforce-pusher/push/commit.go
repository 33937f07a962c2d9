package push

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// commitTimeout bounds the last commit of a step, which is made even when the
// step's own time is over: what is known must not be lost. It never lasts longer
// than a claim: after that somebody else is at it.
const commitTimeout = 15 * time.Second

// lookAfter is how long after the last moment at which a call could be applied
// its person is looked at: what is applied is not seen at once by every query.
const lookAfter = 2 * time.Second

// doubtTries bounds a compare-and-set against those who took people over.
const doubtTries = 5

// record commits what became of everybody: the link released and with what is
// now true, the outcome if there is one, and the owner of a new user, together
// or not at all.
func (l *ledger) record(ctx context.Context, tasks []*task) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(commitTimeout, l.ttl))
	defer cancel()
	if err := l.write(ctx, those(tasks, recorded)); err != nil {
		return err
	}
	if err := l.doubtFenced(ctx, tasks); err != nil {
		return err
	}
	if err := l.raiseFenced(ctx, tasks); err != nil {
		return err
	}
	return l.scheduleTurns(ctx, tasks)
}

// recorded says whether a person's end is written down. Those still open are
// given back, and those a job holds up left alone: their claim is released with
// whatever was found out or done.
func recorded(t *task) bool {
	switch t.Fate() {
	case plan.Current, plan.Applied, plan.Failed, plan.Discarded, plan.Later:
		return true
	case plan.Open, plan.Busy:
		return t.claimed
	}
	return false
}

func (l *ledger) write(ctx context.Context, tasks []*task) error {
	if len(tasks) == 0 {
		return nil
	}
	now, err := l.roster.Now(ctx)
	if err != nil {
		return fmt.Errorf("commit outcomes: %w", err)
	}
	groups := make([]bus.Group, len(tasks))
	for i, t := range tasks {
		g, err := l.ending(t, now)
		if err != nil {
			return err
		}
		groups[i] = g
	}
	done, err := l.roster.Commit(ctx, events.StreamRoster, groups)
	if err != nil {
		return fmt.Errorf("commit outcomes: %w", err)
	}
	var clash []*task
	for i, t := range tasks {
		switch {
		case done[i].Err == nil:
		case t.owner == "":
			t.Fence()
			l.metrics.claimLost(ctx)
		default:
			clash = append(clash, t)
		}
	}
	if err := l.explain(ctx, clash); err != nil {
		return err
	}
	// Without owner records, each of these either goes through or is fenced.
	return l.write(ctx, those(clash, func(t *task) bool { return t.Fate() != plan.Fenced }))
}

// ending is what is written of one person.
func (l *ledger) ending(t *task, now time.Time) (bus.Group, error) {
	released := t.Release(now)
	released.Org, t.attempt = l.org, released.Attempts
	link, err := l.linkWrite(t, released)
	if err != nil {
		return nil, err
	}
	g, err := l.withLook(bus.Group{link}, t, released, now)
	if err != nil {
		return nil, err
	}
	if t.Fate() != plan.Open && t.Fate() != plan.Busy && t.Fate() != plan.Later {
		data, err := events.Encode(t.Outcome(released))
		if err != nil {
			return nil, fmt.Errorf("outcome: %w", err)
		}
		g = append(g, bus.Write{Subject: events.OutcomeSubject(l.org, t.Key), Data: data, Header: link.Header})
	}
	return l.withOwner(g, t)
}

// withLook adds the look that is due once a call without an answer cannot be
// applied any more.
func (l *ledger) withLook(g bus.Group, t *task, link events.Link, now time.Time) (bus.Group, error) {
	at := link.UnsureUntil
	switch {
	case at.IsZero():
		return g, nil
	case at.After(now):
	case t.Fate() == plan.Later, t.Fate() == plan.Applied, t.Fate() == plan.Current:
		at = now // it has passed since the person was read, and nothing else brings them back
	default:
		return g, nil // they are tried again anyway
	}
	data, err := events.Encode(events.Work{Reason: events.ReasonLook})
	if err != nil {
		return nil, fmt.Errorf("look: %w", err)
	}
	return append(g, bus.Write{
		Subject: events.LookSubject(l.org, t.whose()), Data: data, Header: l.trace.header(t),
		Schedule: &bus.Schedule{At: at.Add(lookAfter), Target: events.WorkSubject(l.org, events.LaneChange, t.whose())},
	}), nil
}

// doubtFenced notes, in the links of people whom somebody else took over, that
// calls of ours may be applied after theirs: a machine that stood still may have
// sent them at any time. Whoever works on such a person meanwhile is fenced by
// that in turn, and notes the same.
func (l *ledger) doubtFenced(ctx context.Context, tasks []*task) error {
	left := those(tasks, func(t *task) bool { return t.Fate() == plan.Fenced && t.HasTouched() })
	for range doubtTries {
		if len(left) == 0 {
			return nil
		}
		done, err := l.doubtOnce(ctx, left)
		if err != nil {
			return fmt.Errorf("note what fenced calls may do: %w", err)
		}
		var again []*task
		for i, t := range left {
			if done[i].Err != nil {
				again = append(again, t)
			}
		}
		left = again
	}
	if len(left) > 0 {
		return fmt.Errorf("note what fenced calls may do: %d people's links changed at every try: %w", len(left), bus.ErrConflict)
	}
	return nil
}

func (l *ledger) doubtOnce(ctx context.Context, tasks []*task) ([]bus.Committed, error) {
	subjects := make([]string, len(tasks))
	for i, t := range tasks {
		subjects[i] = events.LinkSubject(l.org, t.whose())
	}
	entries, err := l.roster.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return nil, err
	}
	now, err := l.roster.Now(ctx)
	if err != nil {
		return nil, err
	}
	groups, moved := make([]bus.Group, len(tasks)), make([]bool, len(tasks))
	for i, t := range tasks {
		link, err := events.Decode[events.Link](entries[subjects[i]].Data)
		if err != nil {
			continue // a newer version wrote it, and knows of doubts itself
		}
		if m := link.Moved; m != nil && m.To != "" && link.UserID == "" {
			t.heir, moved[i] = m.To, true // what was sent for them may be applied to the same user
			continue
		}
		link = plan.Doubted(link, now.Add(l.policy.LateFor))
		t.linkSeq = entries[subjects[i]].Seq
		w, err := l.linkWrite(t, link)
		if err != nil {
			return nil, err
		}
		w.Subject = subjects[i]
		if groups[i], err = l.withLook(bus.Group{w}, t, link, now); err != nil {
			return nil, err
		}
	}
	done, err := l.roster.Commit(ctx, events.StreamRoster, groups)
	for i := range done {
		if moved[i] {
			done[i].Err = bus.ErrConflict
		}
	}
	return done, err
}

// raiseFenced asks for those to be looked at again whom somebody else took
// over: both of us may have written, and only the newest desired may stand.
func (l *ledger) raiseFenced(ctx context.Context, tasks []*task) error {
	var groups []bus.Group
	for _, t := range tasks {
		if t.Fate() != plan.Fenced {
			continue
		}
		data, err := events.Encode(events.Work{Reason: events.ReasonFenced})
		if err != nil {
			return fmt.Errorf("work: %w", err)
		}
		groups = append(groups, bus.Group{{
			Subject: events.WorkSubject(l.org, t.Lane, t.whose()), Data: data, Header: l.trace.header(t),
		}})
	}
	if len(groups) == 0 {
		return nil
	}
	if _, err := l.roster.Commit(ctx, events.StreamRoster, groups); err != nil {
		return fmt.Errorf("publish work of fenced: %w", err)
	}
	return nil
}
