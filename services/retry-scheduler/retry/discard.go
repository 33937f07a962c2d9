package retry

import (
	"context"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// discard gives up the revision of each letter: taken for the request, audit
// entry, marker, removal. The marker keeps a late attempt at that revision from
// parking it again, and so must not be written for a letter that a success closed.
func (s *Service) discard(ctx context.Context, r *request, act []letter) error {
	if len(act) == 0 {
		return nil
	}
	act, err := s.takeFor(ctx, r, act)
	if err != nil {
		return err
	}
	if err := s.record(ctx, r, events.VerbDiscarded, act); err != nil {
		return err
	}
	if err := s.mark(ctx, r, act); err != nil {
		return err
	}
	if err := s.remove(ctx, act); err != nil {
		return err
	}
	for _, l := range act {
		count(ctx, s.metrics.discarded, l.address.Org, l.address.Cause)
	}
	return nil
}
