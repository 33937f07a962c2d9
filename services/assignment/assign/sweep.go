package assign

import (
	"context"
	"errors"
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
	// behindWait is between two questions to servers that may be behind.
	behindWait = 20 * time.Millisecond
	personKind = "person"
	spanSweep  = "sweep " + events.TemplatePerson
)

// sweepUp sees to it that everybody is looked at once after a switch of the
// configuration, by one of the replicas.
func (s *Service) sweepUp(ctx context.Context) {
	done, err := s.register.Sweep(ctx, s.announcedSweep)
	if err != nil {
		return // another configuration is in force, or we are to stop
	}
	s.log.InfoContext(ctx, "everybody was compared with the configuration", "people", done.People, "changed", done.Changed, "by", done.By)
	s.sweptOnce.Do(func() { close(s.swept) })
}

// errSeenAll ends a scan.
var errSeenAll = errors.New("everybody was seen")

// sweep works out everybody's desired state and commits what differs. Whoever
// was written after before was worked out under this configuration already.
func (s *Service) sweep(ctx context.Context, before uint64) (seen, changed int, err error) {
	f, err := s.foreseeSweep(ctx, before)
	if err != nil {
		return 0, 0, err
	}
	err = s.everybody(ctx, before, func(batch []*change) error {
		for _, c := range batch {
			c.foresight = f
		}
		n, err := s.sweepBatch(ctx, batch)
		seen, changed = seen+len(batch), changed+n
		return err
	})
	return seen, changed, err
}

// everybody hands out all people who were not written after before, in batches. A
// server of a cluster that is behind may end a scan too soon: that everybody was
// seen, only a message that is newer says.
func (s *Service) everybody(ctx context.Context, before uint64, each func([]*change) error) error {
	var next uint64
	var batch []*change
	flush := func() error {
		err := each(batch)
		batch = batch[:0]
		return err
	}
	take := func(e bus.Entry) error {
		if e.Seq > before {
			return errSeenAll
		}
		next = e.Seq + 1
		a, err := events.ParseSubject(e.Subject)
		if err != nil || a.Kind != personKind {
			return err
		}
		if batch = append(batch, s.sweepChange(ctx, a.Key)); len(batch) < sweepBatch {
			return nil
		}
		return flush()
	}
	var err error
	for err == nil {
		if err = s.roster.Scan(ctx, events.StreamRoster, events.ThreesAll, next, take); err == nil {
			err = sleep(ctx, behindWait)
		}
	}
	if errors.Is(err, errSeenAll) {
		err = flush()
	}
	return err
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
	if len(batch) == 0 {
		return 0, nil
	}
	if err := s.lull.wait(ctx, sweepPatience); err != nil {
		return 0, err
	}
	if err := s.revise(ctx, batch); err != nil {
		return 0, err
	}
	changed := 0
	for _, c := range batch {
		switch {
		case errors.Is(c.err, errUnreadable): // the counter: nobody else looks at this person again
			return changed, fmt.Errorf("person %s: %w", c.key, c.err)
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
