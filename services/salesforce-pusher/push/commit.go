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

// record commits what became of everybody: the link released and with what is
// now true, the outcome if there is one, and the owner of a new user, together
// or not at all.
func (l *ledger) record(ctx context.Context, tasks []*task) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(commitTimeout, l.ttl))
	defer cancel()
	if err := l.write(ctx, those(tasks, recorded)); err != nil {
		return err
	}
	return l.raiseFenced(ctx, tasks)
}

// recorded says whether a person's end is written down. Those still open are
// given back: their claim is released with whatever was found out or done.
func recorded(t *task) bool {
	switch t.Fate() {
	case plan.Current, plan.Applied, plan.Failed, plan.Discarded:
		return true
	case plan.Open:
		return t.claimed
	}
	return false
}

func (l *ledger) write(ctx context.Context, tasks []*task) error {
	if len(tasks) == 0 {
		return nil
	}
	now := time.Now()
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
	g := bus.Group{link}
	if t.Fate() != plan.Open {
		data, err := events.Encode(t.Outcome(released))
		if err != nil {
			return nil, fmt.Errorf("outcome: %w", err)
		}
		g = append(g, bus.Write{Subject: events.OutcomeSubject(l.org, t.Key), Data: data, Header: link.Header})
	}
	return l.withOwner(g, t)
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
			Subject: events.WorkSubject(l.org, t.Lane, t.Key), Data: data, Header: l.trace.header(t),
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
