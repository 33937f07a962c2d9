package refresh

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// watchTokens follows what other replicas do.
func (s *Service) watchTokens(ctx context.Context) error {
	err := s.bucket.Follow(ctx, slices.Sorted(maps.Keys(s.orgs)), func(e bus.Entry) {
		if o, ok := s.orgs[e.Subject]; ok {
			o.observe(ctx, e)
		}
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("watch tokens: %w", err)
	}
	return nil
}

// watchHealth follows what Salesforce says of each org. It is followed rather
// than consumed: a complaint is a state, and every replica may answer it.
func (s *Service) watchHealth(ctx context.Context) error {
	var subjects []string
	for name := range s.orgs {
		subjects = append(subjects, events.HealthSubject(name))
	}
	err := s.bus.Follow(ctx, events.StreamRoster, subjects, func(e bus.Entry) {
		h, err := events.Decode[events.Health](e.Data)
		if err != nil {
			s.tel.Log.WarnContext(ctx, "health cannot be read", "seq", e.Seq, "error", err)
			return
		}
		if o, ok := s.orgs[h.Org]; ok {
			o.listen(h)
		}
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("watch health: %w", err)
	}
	return nil
}
