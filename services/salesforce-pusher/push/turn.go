package push

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// scheduleTurns stores when busy people are looked at again. Their messages can be
// acked then: put back instead, they would fill what the lane's consumer hands out
// unacked, and nobody else's change would be handed out any more.
func (l *ledger) scheduleTurns(ctx context.Context, tasks []*task) error {
	busy := those(tasks, func(t *task) bool { return t.Fate() == plan.Busy })
	if len(busy) == 0 {
		return nil
	}
	data, err := events.Encode(events.Work{Reason: events.ReasonBusy})
	if err != nil {
		return fmt.Errorf("work: %w", err)
	}
	now, err := l.roster.Now(ctx)
	if err != nil {
		return fmt.Errorf("schedule looks at busy people: %w", err)
	}
	groups := make([]bus.Group, len(busy))
	for i, t := range busy {
		groups[i] = bus.Group{{
			Subject: events.TurnSubject(l.org, t.Lane, t.Key), Data: data, Header: l.trace.header(t),
			Schedule: &bus.Schedule{At: turnAt(now, t.Again()), Target: events.WorkSubject(l.org, t.Lane, t.Key)},
		}}
	}
	if _, err := l.roster.Commit(ctx, events.StreamRoster, groups); err != nil {
		return fmt.Errorf("schedule looks at busy people: %w", err)
	}
	return nil
}

// turnAt is the moment at which those come back together who may: one by one,
// they would be as many batches, and take as many API calls.
func turnAt(now time.Time, again time.Duration) time.Time {
	return now.Add(again).Truncate(plan.TurnFirst).Add(plan.TurnFirst)
}
