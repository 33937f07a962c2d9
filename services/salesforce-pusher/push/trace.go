package push

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

const (
	spanPerson = "process " + events.TemplateWork
	spanBatch  = "push batch"
)

// personSpan is a person's own part of a step, in the trace of the change that
// caused it.
type personSpan struct {
	ctx    context.Context //nolint:containedctx // parent of the person's call spans and of what is published
	span   trace.Span
	header map[string][]string
}

// stepTrace traces a step: one span per person in their own trace, one for the
// batch, and under it one per call. A call carries many people, so each person
// gets a span of their own for it, linked to the HTTP request that carried them.
type stepTrace struct {
	tracer trace.Tracer
	batch  trace.Span
	org    string
	lane   events.Lane
}

func (s *stepTrace) begin(ctx context.Context, tasks []*task) {
	links := make([]trace.Link, 0, len(tasks))
	for _, t := range tasks {
		cause := telemetry.Extract(context.Background(), t.messages[0].Header)
		t.span.ctx, t.span.span = s.tracer.Start(cause, spanPerson, trace.WithSpanKind(trace.SpanKindConsumer))
		if sc := t.span.span.SpanContext(); sc.IsSampled() {
			links = append(links, trace.Link{SpanContext: sc})
		}
		if t.span.span.IsRecording() {
			t.span.span.SetAttributes(
				attribute.String("messaging.system", "nats"),
				attribute.String("messaging.operation.name", "process"),
				attribute.String("messaging.operation.type", "process"),
				attribute.String("messaging.destination.template", events.TemplateWork),
				attribute.String("rollcall.org", s.org),
				attribute.String("rollcall.lane", string(s.lane)),
				attribute.String("rollcall.key", string(t.Key)),
			)
		}
	}
	_, s.batch = s.tracer.Start(ctx, spanBatch, trace.WithNewRoot(), trace.WithLinks(links...))
	s.batch.SetAttributes(attribute.String("rollcall.org", s.org), attribute.Int("messaging.batch.message_count", len(tasks)))
}

// join begins the span of somebody whom another of the step waits for.
func (s *stepTrace) join(t, waiting *task) {
	t.span.ctx, t.span.span = s.tracer.Start(waiting.span.ctx, spanPerson)
}

// about adds what the person's state says of where the change came from.
func (s *stepTrace) about(t *task) {
	if t.span.span.IsRecording() {
		t.span.span.SetAttributes(attribute.String("rollcall.event_id", t.Desired.Origin.EventID),
			attribute.Int64("rollcall.revision", int64(t.Revision))) //nolint:gosec // a stream sequence
	}
}

// header is the trace context of everything published for a person.
func (s *stepTrace) header(t *task) map[string][]string {
	if t.span.header == nil {
		h := map[string][]string{events.HeaderContentType: {events.ContentTypeJSON}}
		telemetry.Inject(t.span.ctx, h)
		t.span.header = h
	}
	return t.span.header
}

// call begins the span of one API call; the function returned ends it.
func (s *stepTrace) call(ctx context.Context, operation, object string, tasks []*task) (context.Context, func(error)) {
	name := "salesforce " + operation + " " + object
	ctx = trace.ContextWithSpan(ctx, s.batch)
	ctx, span := s.tracer.Start(ctx, name)
	if !span.IsRecording() {
		return ctx, func(error) { span.End() }
	}
	span.SetAttributes(attribute.String("rollcall.org", s.org), attribute.Int("rollcall.records", len(tasks)))
	requests := &requests{}
	ctx = telemetry.WithSpanListener(ctx, requests.add)
	began := time.Now()
	return ctx, func(err error) {
		s.fail(span, err)
		span.End()
		s.mirror(name, began, tasks, requests.links(span), err)
	}
}

// mirror gives each person a span of their own for a call that carried them.
func (s *stepTrace) mirror(name string, began time.Time, tasks []*task, links []trace.Link, err error) {
	ended := time.Now()
	for _, t := range tasks {
		if !t.span.span.IsRecording() {
			continue
		}
		_, span := s.tracer.Start(t.span.ctx, name, trace.WithSpanKind(trace.SpanKindClient),
			trace.WithTimestamp(began), trace.WithLinks(links...))
		s.fail(span, err)
		span.End(trace.WithTimestamp(ended))
	}
}

func (s *stepTrace) fail(span trace.Span, err error) {
	if err != nil {
		e := plan.ErrorIn(err)
		span.SetAttributes(attribute.String("error.type", e.Class.String()))
		span.SetStatus(codes.Error, "")
	}
}

func (s *stepTrace) end(tasks []*task) {
	for _, t := range tasks {
		if t.span.span.IsRecording() {
			t.span.span.SetAttributes(attribute.String("rollcall.result", t.Fate().String()))
		}
		if t.Failure() != nil && t.Fate() == plan.Failed {
			t.span.span.SetAttributes(attribute.String("error.type", string(t.Failure().Cause)))
			t.span.span.SetStatus(codes.Error, "")
		}
		t.span.span.End()
	}
	s.batch.End()
}

// requests gathers the spans of the HTTP requests that a call made.
type requests struct {
	mu  sync.Mutex
	all []trace.SpanContext
}

func (r *requests) add(sc trace.SpanContext) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, sc)
}

// links are the HTTP spans, or the call's own where none was made.
func (r *requests) links(call trace.Span) []trace.Link {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) == 0 {
		return []trace.Link{{SpanContext: call.SpanContext()}}
	}
	out := make([]trace.Link, len(r.all))
	for i, sc := range r.all {
		out[i].SpanContext = sc
	}
	return out
}
