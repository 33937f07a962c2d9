package retry

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// retry has the person behind each letter looked at again. The letter stays
// until a success closes it or a new failure replaces it.
func (s *Service) retry(ctx context.Context, r *request, act []letter) error {
	if len(act) == 0 {
		return nil
	}
	if err := s.record(ctx, r, events.VerbRetried, act); err != nil {
		return err
	}
	body, err := events.Encode(events.Work{V: events.Version, Reason: events.ReasonReplay})
	if err != nil {
		return err
	}
	groups := make([]bus.Group, len(act))
	for i, l := range act {
		groups[i] = bus.Group{{Subject: l.again(), Data: body, Header: s.replayHeader(ctx, l)}}
	}
	if _, err := s.store.Commit(ctx, events.StreamRoster, groups); err != nil {
		return fmt.Errorf("publish replays: %w", err)
	}
	for _, l := range act {
		count(ctx, s.metrics.retried, l.address.Org, l.address.Cause)
	}
	// Somebody who succeeded meanwhile has nothing left to do, and so no outcome
	// would come to close the letter.
	return s.overtaken(ctx, act)
}

// again is the subject that has the letter's person or event looked at again.
func (l letter) again() string {
	if l.address.Org == events.NoOrg {
		return events.ReconsiderSubject(l.Origin.Seq)
	}
	return events.WorkSubject(l.address.Org, laneOf(l.Lane), l.address.Key)
}

// replayHeader continues the trace of the change the letter goes back to, and
// links it to the request's: the story of one person stays one trace.
func (s *Service) replayHeader(ctx context.Context, l letter) bus.Header {
	origin := telemetry.WithTraceparent(detached(ctx), l.Origin.Traceparent)
	spanCtx, span := s.tel.Tracer.Start(origin, "replay "+events.TemplateDead,
		trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithLinks(trace.LinkFromContext(ctx)),
		trace.WithAttributes(
			attribute.String("messaging.system", "nats"),
			attribute.String("messaging.operation.type", "send"),
			attribute.String("messaging.operation.name", "replay"),
			attribute.String("messaging.destination.template", events.TemplateDead),
			attribute.String("rollcall.org", l.address.Org),
			attribute.String("rollcall.key", string(l.address.Key)),
			attribute.String("rollcall.cause", string(l.address.Cause)),
		))
	defer span.End()
	return header(spanCtx)
}

// detached returns ctx without its span.
func detached(ctx context.Context) context.Context {
	return trace.ContextWithSpanContext(ctx, trace.SpanContext{})
}
