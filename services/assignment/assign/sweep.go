package assign

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

const (
	// sweepBatch is small, so that a live event never waits long behind it.
	sweepBatch = 100
	// sweepPatience is how long one batch of the sweep waits for a quiet moment.
	sweepPatience = time.Second
	sweepRetry    = 5 * time.Second
	spanSweep     = "sweep " + events.TemplatePerson
)

// sweepOnce looks at everybody once, because the configuration may have changed
// since they were last looked at. It starts over after a failure.
func (s *Service) sweepOnce(ctx context.Context) {
	for {
		seen, changed, err := s.sweep(ctx)
		if err == nil {
			s.log.InfoContext(ctx, "everybody was compared with the configuration", "people", seen, "changed", changed)
			close(s.swept)
			return
		}
		if ctx.Err() != nil {
			return
		}
		s.log.WarnContext(ctx, "comparing everybody with the configuration will start over", "error", err)
		if sleep(ctx, sweepRetry) != nil {
			return
		}
	}
}

// sweep works out everybody's desired state and commits what differs.
func (s *Service) sweep(ctx context.Context) (seen, changed int, err error) {
	var batch []*change
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		n, err := s.sweepBatch(ctx, batch)
		seen, changed = seen+len(batch), changed+n
		batch = batch[:0]
		return err
	}
	err = s.roster.Scan(ctx, events.StreamRoster, events.PersonsAll, 0, func(e bus.Entry) error {
		a, err := events.ParseSubject(e.Subject)
		if err != nil {
			return err
		}
		batch = append(batch, s.sweepChange(ctx, a.Key))
		if len(batch) < sweepBatch {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	return seen, changed, err
}

// sweepChange looks at one person again. What comes of it belongs to the trace
// of the newest event about them.
func (s *Service) sweepChange(ctx context.Context, key events.Key) *change {
	c := &change{key: key, always: true, lane: events.LaneBackfill, context: ctx}
	c.apply = func(state *events.PersonState) bool {
		c.origin = newestOrigin(state)
		c.context = telemetry.WithTraceparent(ctx, c.origin.Traceparent)
		return false
	}
	return c
}

func newestOrigin(state *events.PersonState) events.Origin {
	var newest events.Origin
	for _, s := range state.Sources {
		if s.Origin.Seq >= newest.Seq {
			newest = s.Origin
		}
	}
	return newest
}

func (s *Service) sweepBatch(ctx context.Context, batch []*change) (int, error) {
	if err := s.lull.wait(ctx, sweepPatience); err != nil {
		return 0, err
	}
	if err := s.revise(ctx, batch); err != nil {
		return 0, err
	}
	changed := 0
	for _, c := range batch {
		switch {
		case c.err != nil:
			s.log.ErrorContext(ctx, "person could not be compared with the configuration", "key", c.key, "error", c.err)
		case !c.decided:
			return changed, fmt.Errorf("person %s kept changing", c.key)
		case len(c.desired) > 0:
			changed++
			_, span := s.tracer.Start(c.context, spanSweep, trace.WithSpanKind(trace.SpanKindInternal))
			span.End()
		}
	}
	return changed, nil
}
