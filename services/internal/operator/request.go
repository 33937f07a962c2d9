package operator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// Asked is a request as it stands in the audit log.
type Asked struct {
	ID  string `json:"id"`
	Seq uint64 `json:"seq"`
	// TraceID is the trace that shows what came of it; empty where nothing is traced.
	TraceID string `json:"traceId,omitempty"`
	Targets int    `json:"targets"`
}

// Request asks for tasks to be retried or discarded, as the admin saw them. It
// returns when the requests are stored: one per [events.MaxTargets] tasks. On
// an error those returned were stored.
func (o *Operator) Request(ctx context.Context, verb events.Verb, by, reason string, tasks []Task) ([]Asked, error) {
	switch {
	case verb != events.VerbRetry && verb != events.VerbDiscard:
		return nil, fmt.Errorf("request %q: only retry and discard can be asked for", verb)
	case by == "":
		return nil, errors.New("request: it must say who asks")
	}
	var out []Asked
	for part := range slices.Chunk(tasks, events.MaxTargets) {
		r := events.OperatorRequest{By: by, Reason: reason}
		for _, t := range part {
			r.Targets = append(r.Targets, t.target)
		}
		asked, err := o.ask(ctx, verb, r)
		if err != nil {
			return out, fmt.Errorf("request %s: %w", verb, err)
		}
		out = append(out, asked)
	}
	return out, nil
}

func (o *Operator) ask(ctx context.Context, verb events.Verb, r events.OperatorRequest) (Asked, error) {
	ctx, span := o.tel.Tracer.Start(ctx, "publish "+events.OperatorSubject(verb),
		trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
			attribute.String("messaging.system", "nats"),
			attribute.String("messaging.operation.type", "send"),
			attribute.String("messaging.operation.name", "publish"),
			attribute.String("messaging.destination.name", events.OperatorSubject(verb)),
			attribute.Int("rollcall.targets", len(r.Targets)),
		))
	defer span.End()
	r.ID, r.At = rand.Text(), o.now().UTC()
	asked := Asked{ID: r.ID, Targets: len(r.Targets)}
	if sc := span.SpanContext(); sc.IsSampled() {
		asked.TraceID = sc.TraceID().String()
	}
	data, err := events.Encode(r)
	if err != nil {
		return asked, err
	}
	h := bus.Header{events.HeaderContentType: {events.ContentTypeJSON}}
	telemetry.Inject(ctx, h)
	// The id makes a repeat after a lost reply the same request.
	stored, err := o.bus.Commit(ctx, events.StreamOperator, []bus.Group{{{
		Subject: events.OperatorSubject(verb), Data: data, Header: h, MsgID: r.ID,
	}}})
	if err != nil {
		span.SetStatus(codes.Error, "not stored")
		return asked, err
	}
	asked.Seq = stored[0].Seqs[0]
	return asked, nil
}
