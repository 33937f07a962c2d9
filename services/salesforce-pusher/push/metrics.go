package push

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// metrics are the pusher's instruments, each labelled with its org.
type metrics struct {
	org    attribute.KeyValue
	calls  metric.Int64Counter
	people metric.Int64Counter
	lost   metric.Int64Counter
	batch  metric.Int64Histogram
	took   metric.Float64Histogram
	lag    metric.Float64Gauge
}

func newMetrics(m metric.Meter, org string) (*metrics, error) {
	out := &metrics{org: attribute.String("org", org)}
	var errs [6]error
	out.calls, errs[0] = m.Int64Counter("rollcall.push.calls", metric.WithDescription("Salesforce operations, by what they were and how they ended. One may take several HTTP requests."))
	out.people, errs[1] = m.Int64Counter("rollcall.push.people", metric.WithDescription("People handled, by result and cause."))
	out.lost, errs[2] = m.Int64Counter("rollcall.push.claims_lost", metric.WithDescription("People another worker held or took over."))
	out.batch, errs[3] = m.Int64Histogram("rollcall.push.batch", metric.WithDescription("People in a batch."),
		metric.WithExplicitBucketBoundaries(1, 2, 5, 10, 20, 50, 100, 200))
	out.took, errs[4] = m.Float64Histogram("rollcall.push.step", metric.WithUnit("s"), metric.WithDescription("Duration of a step."),
		metric.WithExplicitBucketBoundaries(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30))
	out.lag, errs[5] = m.Float64Gauge("rollcall.push.lag", metric.WithUnit("s"), metric.WithDescription("Age of the oldest work of the last batch, by lane."))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("metrics of the pusher: %w", err)
	}
	return out, nil
}

func (m *metrics) call(ctx context.Context, operation string, err error) {
	status := "ok"
	if err != nil {
		status = plan.ErrorIn(err).Class.String()
	}
	m.calls.Add(ctx, 1, metric.WithAttributes(m.org, attribute.String("operation", operation), attribute.String("status", status)))
}

func (m *metrics) claimLost(ctx context.Context) { m.lost.Add(ctx, 1, metric.WithAttributes(m.org)) }

func (m *metrics) step(ctx context.Context, s *step, took time.Duration) {
	if len(s.tasks) == 0 {
		return
	}
	lane := attribute.String("lane", string(s.lane))
	type end struct {
		fate  plan.Fate
		cause events.Cause
	}
	ends := map[end]int64{}
	oldest := s.tasks[0].messages[0].Time
	for _, t := range s.tasks {
		e := end{fate: t.Fate()}
		if t.Fate() == plan.Failed {
			e.cause = t.Failure().Cause
		}
		ends[e]++
		for _, m := range t.messages {
			if m.Time.Before(oldest) {
				oldest = m.Time
			}
		}
	}
	for e, n := range ends {
		m.people.Add(ctx, n, metric.WithAttributes(m.org, lane, attribute.String("result", e.fate.String()), attribute.String("cause", string(e.cause))))
	}
	m.batch.Record(ctx, int64(len(s.tasks)), metric.WithAttributes(m.org, lane))
	m.took.Record(ctx, took.Seconds(), metric.WithAttributes(m.org, lane))
	m.lag.Record(ctx, time.Since(oldest).Seconds(), metric.WithAttributes(m.org, lane))
}
