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
)

const (
	spanPerson = "process rollcall.work.{org}.{lane}.{key}"
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
	ctx    context.Context //nolint:containedctx // the batch's span
	batch  trace.Span
	org    string
	lane   events.Lane
}

func (t *stepTrace) begin(people []*person) {
	links := make([]trace.Link, 0, len(people))
	for _, p := range people {
		ctx := telemetry.Extract(context.Background(), p.messages[0].Header)
		p.span.ctx, p.span.span = t.tracer.Start(ctx, spanPerson, trace.WithSpanKind(trace.SpanKindConsumer))
		if sc := p.span.span.SpanContext(); sc.IsSampled() {
			links = append(links, trace.Link{SpanContext: sc})
		}
		if p.span.span.IsRecording() {
			p.span.span.SetAttributes(
				attribute.String("messaging.system", "nats"),
				attribute.String("messaging.operation.name", "process"),
				attribute.String("messaging.operation.type", "process"),
				attribute.String("messaging.destination.template", "rollcall.work.{org}.{lane}.{key}"),
				attribute.String("rollcall.org", t.org),
				attribute.String("rollcall.lane", string(t.lane)),
				attribute.String("rollcall.key", string(p.key)),
			)
		}
	}
	t.ctx, t.batch = t.tracer.Start(t.ctx, spanBatch, trace.WithNewRoot(), trace.WithLinks(links...))
	t.batch.SetAttributes(attribute.String("rollcall.org", t.org), attribute.Int("messaging.batch.message_count", len(people)))
}

// about adds what the person's state says of where the change came from.
func (t *stepTrace) about(p *person) {
	if p.span.span.IsRecording() {
		p.span.span.SetAttributes(attribute.String("rollcall.event_id", p.desired.Origin.EventID),
			attribute.Int64("rollcall.revision", int64(p.revision))) //nolint:gosec // a stream sequence
	}
}

// header is the trace context of everything published for a person.
func (t *stepTrace) header(p *person) map[string][]string {
	if p.span.header == nil {
		h := map[string][]string{events.HeaderContentType: {events.ContentTypeJSON}}
		telemetry.Inject(p.span.ctx, h)
		p.span.header = h
	}
	return p.span.header
}

// call begins the span of one API call; the function returned ends it.
func (t *stepTrace) call(ctx context.Context, operation, object string, people []*person) (context.Context, func(error)) {
	name := "salesforce " + operation + " " + object
	ctx = trace.ContextWithSpan(ctx, t.batch)
	ctx, span := t.tracer.Start(ctx, name)
	if !span.IsRecording() {
		return ctx, func(error) { span.End() }
	}
	span.SetAttributes(attribute.String("rollcall.org", t.org), attribute.Int("rollcall.records", len(people)))
	requests := &requests{}
	ctx = telemetry.WithSpanListener(ctx, requests.add)
	began := time.Now()
	return ctx, func(err error) {
		t.fail(span, err)
		span.End()
		t.mirror(name, began, people, requests.links(span), err)
	}
}

// mirror gives each person a span of their own for a call that carried them.
func (t *stepTrace) mirror(name string, began time.Time, people []*person, links []trace.Link, err error) {
	ended := time.Now()
	for _, p := range people {
		if !p.span.span.IsRecording() {
			continue
		}
		_, span := t.tracer.Start(p.span.ctx, name, trace.WithSpanKind(trace.SpanKindClient),
			trace.WithTimestamp(began), trace.WithLinks(links...))
		t.fail(span, err)
		span.End(trace.WithTimestamp(ended))
	}
}

func (t *stepTrace) fail(span trace.Span, err error) {
	if err != nil {
		e := salesforceError(err)
		span.SetAttributes(attribute.String("error.type", e.Class.String()))
		span.SetStatus(codes.Error, "")
	}
}

func (t *stepTrace) end(people []*person) {
	for _, p := range people {
		if p.span.span.IsRecording() {
			p.span.span.SetAttributes(attribute.String("rollcall.result", p.fate.String()))
		}
		if p.failure != nil && p.fate == failed {
			p.span.span.SetAttributes(attribute.String("error.type", string(p.failure.Cause)))
			p.span.span.SetStatus(codes.Error, "")
		}
		p.span.span.End()
	}
	t.batch.End()
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

func (f fate) String() string {
	switch f {
	case open:
		return "given_back"
	case idle, current:
		return "nothing_to_do"
	case busy:
		return "busy"
	case applied:
		return string(events.ResultApplied)
	case failed:
		return string(events.ResultFailed)
	case discarded:
		return string(events.ResultDiscarded)
	case fenced:
		return "fenced"
	}
	return "unknown"
}
