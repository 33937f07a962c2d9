package retry

import (
	"context"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// discard gives up the revision of each letter: audit entry, marker, removal.
// The marker keeps a late attempt at that revision from parking it again.
func (s *Service) discard(ctx context.Context, r *request, act []letter) error {
	if len(act) == 0 {
		return nil
	}
	if err := s.record(ctx, r, events.VerbDiscarded, act); err != nil {
		return err
	}
	groups := make([]bus.Group, len(act))
	for i, l := range act {
		data, err := events.Encode(events.Discarded{
			Revision: l.Revision, By: r.By, At: r.At, Request: r.ID,
		})
		if err != nil {
			return err
		}
		groups[i] = bus.Group{{
			Subject: events.DiscardedSubject(l.address.Org, l.address.Key), Data: data, Header: header(ctx),
		}}
	}
	if _, err := s.store.Commit(ctx, events.StreamRoster, groups); err != nil {
		return fmt.Errorf("mark what was discarded: %w", err)
	}
	if err := s.remove(ctx, act); err != nil {
		return err
	}
	for _, l := range act {
		count(ctx, s.metrics.discarded, l.address.Org, l.address.Cause)
	}
	return nil
}
