package operator

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// AnnounceSnapshot says in the audit log that an export is about to be published
// as the whole of its source.
func (o *Operator) AnnounceSnapshot(ctx context.Context, by, reason string, s events.Snapshot) (Asked, error) {
	if by == "" {
		return Asked{}, errors.New("announce snapshot: it must say who publishes it")
	}
	asked, err := o.enter(ctx, events.VerbSnapshot, events.OperatorRequest{By: by, Reason: reason, Snapshot: &s})
	if err != nil {
		return asked, fmt.Errorf("announce snapshot: %w", err)
	}
	return asked, nil
}

// LastSnapshot is the audit log's newest snapshot of a source, nil where there
// is none.
func (o *Operator) LastSnapshot(ctx context.Context, source string) (*AuditEntry, error) {
	var last *AuditEntry
	err := o.bus.Scan(ctx, events.StreamOperator, events.OperatorSubject(events.VerbSnapshot), 1, func(e bus.Entry) error {
		if entry := readAudit(e); entry.Snapshot != nil && entry.Snapshot.Source == source {
			last = &entry
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the last snapshot of %s: %w", source, err)
	}
	return last, nil
}
