package retry

import (
	"context"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// schedule has each person looked at again after the policy's delay. There is
// one schedule per person: a later one replaces it, so doing this twice is the
// same as once.
func (s *Service) schedule(ctx context.Context, list []*report) error {
	if len(list) == 0 {
		return nil
	}
	body, err := events.Encode(events.Work{Reason: events.ReasonRetry})
	if err != nil {
		return err
	}
	groups := make([]bus.Group, 0, len(list))
	for _, f := range list {
		policy := PolicyOf(f.letter.Failure.Cause)
		at := f.letter.LastAt.Add(policy.Delay(f.letter.RevisionAttempts))
		if now := s.now(); at.Before(now) {
			at = now // the outcome waited longer than the person should
		}
		groups = append(groups, bus.Group{{
			Subject:  events.RetrySubject(f.org, f.key),
			Data:     body,
			Header:   header(f.ctx),
			Schedule: &bus.Schedule{At: at, Target: events.WorkSubject(f.org, laneOf(f.letter.Lane), f.key)},
		}})
	}
	if _, err := s.store.Commit(ctx, events.StreamRoster, groups); err != nil {
		return fmt.Errorf("schedule retries: %w", err)
	}
	for _, f := range list {
		f.decided("scheduled")
		count(ctx, s.metrics.scheduled, f.org, f.letter.Failure.Cause)
		s.tel.Log.DebugContext(f.ctx, "retry scheduled", f.keys()...)
	}
	return nil
}

// header returns the headers of a payload that continues the trace of ctx.
func header(ctx context.Context) bus.Header {
	h := bus.Header{events.HeaderContentType: {events.ContentTypeJSON}}
	telemetry.Inject(ctx, h)
	return h
}

// laneOf gives a lane to those who report none.
func laneOf(l events.Lane) events.Lane {
	if l == "" {
		return events.LaneChange
	}
	return l
}

// keys are the log's fixed keys.
func (f *report) keys() []any {
	return []any{
		"event_id", f.letter.Origin.EventID, "org", f.org, "key", string(f.key),
		"attempt", f.letter.RevisionAttempts, "cause", string(f.letter.Failure.Cause),
	}
}
