package assign

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/register"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// spanEvent is the span of one event; a template, so that it names no source.
const spanEvent = "process " + events.TemplateDirectory

// step handles one batch of events: all people in one read and one commit, then
// groups one by one, then what could not be understood. Every event is acked
// when it is committed, or put back.
func (s *Service) step(run context.Context, msgs []*bus.Message) {
	// The batch is finished even when the service is told to stop.
	ctx := context.WithoutCancel(run)
	start := time.Now()
	batch := make([]*incoming, len(msgs))
	for i, m := range msgs {
		batch[i] = s.receive(ctx, m)
	}
	s.handle(ctx, run, batch)
	s.metrics.step(ctx, len(msgs), time.Since(start))
}

// receive reads a message and starts its span.
func (s *Service) receive(ctx context.Context, m *bus.Message) *incoming {
	in, err := s.reader.read(m.Entry)
	in.fault = err
	s.begin(telemetry.Extract(ctx, m.Header), in)
	in.done = func(v verdict, delay time.Duration) {
		var err error
		if v == verdictUndecided {
			err = m.Nak(delay)
		} else {
			err = m.Ack()
		}
		if err != nil {
			s.log.DebugContext(in.context, "event could not be acknowledged and will come again", "seq", in.entry.Seq, "error", err)
		}
	}
	return in
}

// begin starts the event's span: a child of the message's trace context, or of
// the one in the event where the message has none.
func (s *Service) begin(parent context.Context, in *incoming) {
	if !trace.SpanContextFromContext(parent).IsValid() && in.event != nil {
		parent = telemetry.WithTraceparent(parent, in.event.Traceparent)
	}
	ctx, span := s.tracer.Start(parent, spanEvent, trace.WithSpanKind(trace.SpanKindConsumer))
	if span.IsRecording() {
		span.SetAttributes(
			attribute.String("messaging.system", "nats"),
			attribute.String("messaging.operation.type", "process"),
			attribute.String("messaging.destination.template", events.TemplateDirectory),
			attribute.String("messaging.message.id", in.origin.EventID),
			attribute.Int64("rollcall.seq", int64(in.entry.Seq)), //nolint:gosec // a sequence is far below 2^63
			attribute.String("rollcall.source", s.knownSource(in.source)),
		)
		if in.fault == nil {
			span.SetAttributes(attribute.String("rollcall.key", string(in.key)))
		}
	}
	in.span, in.context = span, ctx
	in.origin.Traceparent = telemetry.Traceparent(ctx)
}

// knownSource is the source's name where it is a configured one: what is not
// may be anything.
func (s *Service) knownSource(source string) string {
	if _, ok := s.reader.sources[source]; ok {
		return source
	}
	return "unknown"
}

// finish says what became of an event: the one place where it is counted, and
// acked or put back.
func (s *Service) finish(in *incoming, v verdict) {
	if in.verdict != "" {
		return
	}
	in.verdict = v
	delay := again
	switch {
	case errors.Is(in.trouble, errUnreadable):
		delay = s.unreadableAgain
	case errors.Is(in.trouble, register.ErrSuperseded):
		delay = 0 // a replica with the configuration in force takes it at once
	}
	s.metrics.event(in.context, s.knownSource(in.source), v)
	in.span.SetAttributes(attribute.String("rollcall.result", string(v)))
	if v == verdictSuperseded {
		s.log.DebugContext(in.context, "event superseded", "event_id", in.origin.EventID, "seq", in.entry.Seq, "source", s.knownSource(in.source), "key", in.key)
	}
	if v == verdictRejected || v == verdictUndecided {
		in.span.SetStatus(codes.Error, string(v))
	}
	in.span.End()
	if in.done != nil {
		in.done(v, delay)
	}
}

// handle takes events to their end. run is only looked at for whether to stop.
func (s *Service) handle(ctx, run context.Context, batch []*incoming) {
	err := s.handlePeople(ctx, pick(batch, func(in *incoming) bool { return in.fault == nil && in.event.Person != nil }))
	for _, in := range pick(batch, func(in *incoming) bool { return in.fault == nil && in.event.Group != nil }) {
		if err == nil && run.Err() == nil {
			err = s.handleGroup(ctx, in)
		}
	}
	if err == nil {
		err = s.reject(ctx, pick(batch, func(in *incoming) bool { return in.fault != nil }))
	}
	open := pick(batch, func(in *incoming) bool { return in.verdict == "" })
	if err != nil {
		s.log.WarnContext(ctx, "events are undecided and will come again", "events", len(open), "error", err)
	}
	for _, in := range open {
		if errors.Is(err, register.ErrSuperseded) {
			in.trouble = err
		}
		s.finish(in, verdictUndecided)
	}
}

func pick(batch []*incoming, want func(*incoming) bool) []*incoming {
	var out []*incoming
	for _, in := range batch {
		if want(in) {
			out = append(out, in)
		}
	}
	return out
}

// handlePeople folds people's events, all that one source says of a person as one
// change: what takes something away is one source's doing.
func (s *Service) handlePeople(ctx context.Context, batch []*incoming) error {
	for len(batch) > 0 {
		source := map[events.Key]string{}
		var now, later []*incoming
		for _, in := range batch {
			if first, seen := source[in.key]; seen && first != in.source {
				later = append(later, in)
				continue
			}
			source[in.key] = in.source
			now = append(now, in)
		}
		if err := s.handleSources(ctx, now); err != nil {
			return err
		}
		batch = later
	}
	return nil
}

// handleSources folds people's events, those of one person being of one source.
func (s *Service) handleSources(ctx context.Context, batch []*incoming) error {
	byKey := make(map[events.Key][]*incoming, len(batch))
	changes := make([]*change, 0, len(batch))
	for _, in := range batch {
		if _, seen := byKey[in.key]; !seen {
			changes = append(changes, &change{key: in.key, taker: events.CauseSource(in.source)})
		}
		byKey[in.key] = append(byKey[in.key], in)
	}
	for _, c := range changes {
		ins := byKey[c.key]
		slices.SortStableFunc(ins, func(a, b *incoming) int { return cmp.Compare(a.entry.Seq, b.entry.Seq) })
		c.apply = func(state *events.PersonState) bool { return foldAll(c, state, ins) }
		c.context = ins[0].context
		c.burst = burstOf(ins)
	}
	err := s.revise(ctx, changes)
	for _, c := range changes {
		s.conclude(ctx, c, byKey[c.key])
	}
	return err
}

// foldAll folds a person's events in order. The change comes from the last one
// that made a difference, and is a backfill only if all of those are.
func foldAll(c *change, state *events.PersonState, ins []*incoming) bool {
	changed := false
	c.lane, c.left = events.LaneBackfill, false
	c.origin = newestOrigin(state)
	for _, in := range ins {
		in.folded = rules.FoldPerson(state, in.said())
		changed = changed || in.folded != rules.FoldSuperseded
		if in.folded != rules.FoldApplied {
			continue
		}
		c.origin, c.context = in.origin, in.context
		c.left = c.left || in.event.SaysLeft()
		if in.event.Lane != events.LaneBackfill {
			c.lane = events.LaneChange
		}
	}
	return changed
}

// conclude says what became of a change's events. What it leaves open is
// rejected, or undecided.
func (s *Service) conclude(ctx context.Context, c *change, ins []*incoming) {
	var big *tooBig
	switch {
	case errors.As(c.err, &big):
		for _, in := range ins {
			if in.fault == nil && in.folded == rules.FoldApplied {
				in.fault = &events.EventError{Where: "/data", Reason: "is too big: with it, " + big.Error()}
			}
		}
	case errors.Is(c.err, errSettling):
		return
	case c.err != nil:
		for _, in := range ins {
			s.unreadable(ctx, in, c.err)
		}
		return
	case !c.decided:
		return
	}
	for _, in := range ins {
		switch {
		case in.fault != nil:
		case in.folded != rules.FoldApplied:
			s.finish(in, verdictSuperseded)
		case len(c.desired) == 0:
			s.finish(in, verdictUnchanged)
		default:
			s.finish(in, verdictApplied)
		}
	}
}
