package retry

import (
	"context"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// closing is a dead letter that a success at revision closes.
type closing struct {
	letter
	revision uint64
	header   bus.Header
}

// closeOlder closes the dead letters that each success has overcome. One whose
// evidence is newer stays.
func (s *Service) closeOlder(ctx context.Context, done []*report, letters map[who][]letter) error {
	var list []closing
	for _, f := range done {
		f.decided("nothing to close")
		for _, l := range letters[f.who] {
			if l.Evidence < f.msg.Seq {
				f.decided("closed")
				list = append(list, closing{letter: l, revision: f.revision, header: header(f.ctx)})
			}
		}
	}
	return s.close(ctx, list)
}

// close writes the audit entries and then removes the letters.
func (s *Service) close(ctx context.Context, list []closing) error {
	if len(list) == 0 {
		return nil
	}
	entries := make([]auditEntry, len(list))
	letters := make([]letter, len(list))
	for i, c := range list {
		letters[i] = c.letter
		entries[i] = auditEntry{
			verb: events.VerbClosed,
			// A letter is closed once: its sequence is never used again.
			id: fmt.Sprintf("closed:%d", c.seq),
			result: events.OperatorResult{
				Target: c.target(), Revision: c.revision, Note: "a newer attempt succeeded",
			},
			header: c.header,
		}
	}
	if err := s.audit(ctx, entries); err != nil {
		return err
	}
	if err := s.remove(ctx, letters); err != nil {
		return err
	}
	for _, l := range letters {
		count(ctx, s.metrics.closed, l.address.Org, l.address.Cause)
		s.tel.Log.InfoContext(ctx, "dead letter closed",
			"event_id", l.Origin.EventID, "org", l.address.Org, "key", string(l.address.Key), "cause", string(l.address.Cause))
	}
	return nil
}
