package push

import (
	"context"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/handover"
)

// takeOver gives people users that belong to others who have left: links, owner
// record and what the others come to in one batch, which fails as a whole where
// anything that was decided by has changed.
func (l *ledger) takeOver(ctx context.Context, tasks []*task) error {
	var groups []bus.Group
	var taking []*task
	for _, t := range tasks {
		old, err := handover.Read(ctx, l.roster, l.org, t.User().ID, t.other)
		switch {
		case err != nil:
			return err
		case old == nil:
			t.Wait(30 * giveBack) // a newer version wrote it; whoever can read it will
			continue
		case old.Owner.Key != t.other: // it changed hands, or nothing of it is written yet
			t.Account().NotTakenOver(t.other)
			continue
		case !t.Account().Takes(old.Predecessor, l.margin, l.policy):
			continue
		}
		g, err := l.succession(t, old)
		if err != nil {
			return err
		}
		groups, taking = append(groups, g), append(taking, t)
	}
	if len(taking) == 0 {
		return nil
	}
	done, err := l.roster.Commit(ctx, events.StreamRoster, groups)
	if err != nil {
		return fmt.Errorf("commit who takes over: %w", err)
	}
	for i, t := range taking {
		if done[i].Err != nil {
			t.Account().NotTakenOver(t.other)
			continue
		}
		t.linkSeq = done[i].Seqs[0]
	}
	return nil
}

func (l *ledger) succession(t *task, old *handover.Predecessor) (bus.Group, error) {
	rest := t.Account().TakeOver(old.Predecessor, old.Owner, l.policy)
	link, err := l.interim(t, t.until)
	if err != nil {
		return nil, err
	}
	theirs, err := old.Batch(rest, events.Owner{Key: t.Key, By: old.Owner.By, From: old.Key}, t.At, l.trace.header(t))
	return append(bus.Group{link}, theirs...), err
}
