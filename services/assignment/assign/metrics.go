package assign

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// metrics are assignment's own. Labels hold names from the configuration only.
type metrics struct {
	events    metric.Int64Counter
	desired   metric.Int64Counter
	conflicts metric.Int64Counter
	gate      metric.Int64Counter
	duration  metric.Float64Histogram
	batch     metric.Int64Histogram
}

func newMetrics(m metric.Meter) (*metrics, error) {
	var out metrics
	var errs [6]error
	out.events, errs[0] = m.Int64Counter("rollcall.assignment.events",
		metric.WithDescription("Events handled, by source and result: applied, unchanged, superseded, rejected, undecided."), metric.WithUnit("{event}"))
	out.desired, errs[1] = m.Int64Counter("rollcall.assignment.desired",
		metric.WithDescription("Desired states that changed, by org and lane."), metric.WithUnit("{revision}"))
	out.conflicts, errs[2] = m.Int64Counter("rollcall.assignment.conflicts",
		metric.WithDescription("People worked out again because another replica wrote first."), metric.WithUnit("{person}"))
	out.duration, errs[3] = m.Float64Histogram("rollcall.assignment.step.duration",
		metric.WithDescription("Time from a batch of events to its commit."), metric.WithUnit("s"))
	out.batch, errs[4] = m.Int64Histogram("rollcall.assignment.step.size",
		metric.WithDescription("Events in a batch."), metric.WithUnit("{event}"))
	out.gate, errs[5] = m.Int64Counter("rollcall.assignment.gate",
		metric.WithDescription("People from whom something was to be taken, by org, aspect (active, access, identity) and result: passed, held."), metric.WithUnit("{person}"))
	return &out, errors.Join(errs[:]...)
}

func (m *metrics) event(ctx context.Context, source string, v verdict) {
	m.events.Add(ctx, 1, metric.WithAttributes(
		attribute.String("source", source), attribute.String("result", string(v))))
}

func (m *metrics) changed(ctx context.Context, org string, lane events.Lane) {
	m.desired.Add(ctx, 1, metric.WithAttributes(
		attribute.String("org", org), attribute.String("lane", string(lane))))
}

func (m *metrics) gated(ctx context.Context, org string, aspect events.Aspect, result string) {
	m.gate.Add(ctx, 1, metric.WithAttributes(
		attribute.String("org", org), attribute.String("aspect", string(aspect)), attribute.String("result", result)))
}

func (m *metrics) step(ctx context.Context, size int, took time.Duration) {
	m.batch.Record(ctx, int64(size))
	m.duration.Record(ctx, took.Seconds())
}
