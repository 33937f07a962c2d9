package assign

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// readOperation is the operation of an event that cannot be understood.
const readOperation = "read"

// reject writes down why events could not be used. An event is never dropped:
// it stays in DIRECTORY, and its rejection says so until it is resolved.
func (s *Service) reject(ctx context.Context, batch []*incoming) error {
	for round := 0; len(batch) > 0 && round < maxRounds; round++ {
		subjects := make([]string, len(batch))
		for i, in := range batch {
			subjects[i] = events.RejectionSubject(in.entry.Seq)
		}
		have, err := s.roster.Latest(ctx, events.StreamRoster, subjects)
		if err != nil {
			return fmt.Errorf("read rejections: %w", err)
		}
		if batch, err = s.rejectOnce(ctx, batch, have); err != nil {
			return err
		}
	}
	return nil
}

// rejectOnce returns the events whose rejection somebody else changed meanwhile.
func (s *Service) rejectOnce(ctx context.Context, batch []*incoming, have map[string]bus.Entry) ([]*incoming, error) {
	var groups []bus.Group
	var writers []*incoming
	for _, in := range batch {
		entry, known := have[events.RejectionSubject(in.entry.Seq)]
		prior, err := decodeRejection(entry, known)
		if err != nil {
			s.waits(ctx, in, events.EventKey(in.entry.Seq), err)
			continue
		}
		if known && !prior.Resolved && !in.again {
			s.finish(in, verdictRejected) // it was rejected before, and said so
			continue
		}
		write, err := rejection(in, prior, entry.Seq)
		if err != nil {
			return nil, err
		}
		groups, writers = append(groups, bus.Group{write}), append(writers, in)
	}
	if len(groups) == 0 {
		return nil, nil
	}
	results, err := s.roster.Commit(ctx, events.StreamRoster, groups)
	if err != nil {
		return nil, fmt.Errorf("commit rejections: %w", err)
	}
	var open []*incoming
	for i, in := range writers {
		if results[i].Err != nil {
			open = append(open, in)
			continue
		}
		s.log.WarnContext(in.context, "event rejected", "event_id", in.origin.EventID, "seq", in.entry.Seq,
			"source", s.knownSource(in.source), "cause", events.CausePoison, "reason", reason(in.fault))
		s.finish(in, verdictRejected)
	}
	return open, nil
}

func decodeRejection(entry bus.Entry, known bool) (events.Rejection, error) {
	if !known {
		return events.Rejection{}, nil
	}
	return events.Decode[events.Rejection](entry.Data)
}

// rejection is the record of a rejected event on top of the one before.
func rejection(in *incoming, prior events.Rejection, lastSeq uint64) (bus.Write, error) {
	now := time.Now().UTC()
	r := events.Rejection{
		Origin: in.origin, Subject: in.entry.Subject,
		Failure: &events.Failure{Cause: events.CausePoison, Operation: readOperation, Message: reason(in.fault)},
		Attempt: prior.Attempt + 1, FirstAt: prior.FirstAt, At: now,
	}
	if r.FirstAt.IsZero() {
		r.FirstAt = now
	}
	return rejectionWrite(in, r, lastSeq)
}

func rejectionWrite(in *incoming, r events.Rejection, lastSeq uint64) (bus.Write, error) {
	data, err := events.Encode(r)
	return bus.Write{
		Subject: events.RejectionSubject(in.entry.Seq), Data: data, Header: headerOf(in.context),
		Guarded: true, LastSeq: lastSeq,
	}, err
}
