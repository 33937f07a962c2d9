package retry

import (
	"context"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// auditEntry is one entry of the audit log. Its id is made from what it is
// about, so that writing it again soon after is no second entry.
type auditEntry struct {
	verb   events.Verb
	id     string
	result events.OperatorResult
	header bus.Header
}

// audit writes entries. Nothing an admin asked for takes effect before this
// has returned nil.
func (s *Service) audit(ctx context.Context, entries []auditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	groups := make([]bus.Group, len(entries))
	for i, e := range entries {
		e.result.At = s.now().UTC()
		data, err := events.Encode(e.result)
		if err != nil {
			return err
		}
		h := e.header
		if h == nil {
			h = header(ctx)
		}
		groups[i] = bus.Group{{Subject: events.OperatorSubject(e.verb), Data: data, Header: h, MsgID: e.id}}
	}
	if _, err := s.store.Commit(ctx, events.StreamOperator, groups); err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	return nil
}
