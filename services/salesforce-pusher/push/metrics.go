package push

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
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
	held   metric.Int64Gauge
	used   metric.Int64Gauge
	limit  metric.Int64Gauge
}

func newMetrics(m metric.Meter, org string) (*metrics, error) {
	out := &metrics{org: attribute.String("org", org)}
	var errs [9]error
	out.calls, errs[0] = m.Int64Counter("rollcall.push.calls", metric.WithDescription("Salesforce operations, by what they were and how they ended. One may take several HTTP requests."))
	out.people, errs[1] = m.Int64Counter("rollcall.push.people", metric.WithDescription("People handled, by result and cause."))
	out.lost, errs[2] = m.Int64Counter("rollcall.push.claims_lost", metric.WithDescription("People another worker held or took over."))
	out.batch, errs[3] = m.Int64Histogram("rollcall.push.batch", metric.WithDescription("People in a batch."),
		metric.WithExplicitBucketBoundaries(1, 2, 5, 10, 20, 50, 100, 200))
	out.took, errs[4] = m.Float64Histogram("rollcall.push.step", metric.WithUnit("s"), metric.WithDescription("Duration of a step."),
		metric.WithExplicitBucketBoundaries(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30))
	out.lag, errs[5] = m.Float64Gauge("rollcall.push.lag", metric.WithUnit("s"), metric.WithDescription("Age of the oldest work of the last batch, by lane."))
	out.held, errs[6] = m.Int64Gauge("rollcall.push.held", metric.WithDescription("1 while the org is held."))
	out.used, errs[7] = m.Int64Gauge("rollcall.push.api_used", metric.WithDescription("API calls of the org's last 24 hours, everybody's, as Salesforce last said."))
	out.limit, errs[8] = m.Int64Gauge("rollcall.push.api_limit", metric.WithDescription("API calls the org may make in 24 hours, as Salesforce last said."))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("metrics of the pusher: %w", err)
	}
	return out, nil
}

func (m *metrics) call(ctx context.Context, operation string, err error) {
	status := "ok"
	if err != nil {
		status = salesforceError(err).Class.String()
	}
	m.calls.Add(ctx, 1, metric.WithAttributes(m.org, attribute.String("operation", operation), attribute.String("status", status)))
}

func (m *metrics) usage(u salesforce.Usage) {
	ctx := context.Background() // Salesforce says it with any answer
	m.used.Record(ctx, u.Used, metric.WithAttributes(m.org))
	m.limit.Record(ctx, u.Limit, metric.WithAttributes(m.org))
}

func (m *metrics) claimLost(ctx context.Context) { m.lost.Add(ctx, 1, metric.WithAttributes(m.org)) }

func (m *metrics) hold(ctx context.Context, held bool) {
	n := int64(0)
	if held {
		n = 1
	}
	m.held.Record(ctx, n, metric.WithAttributes(m.org))
}

func (m *metrics) step(ctx context.Context, s *step, took time.Duration) {
	if len(s.people) == 0 {
		return
	}
	lane := attribute.String("lane", string(s.lane))
	type end struct {
		fate  fate
		cause events.Cause
	}
	ends := map[end]int64{}
	oldest := s.people[0].messages[0].Time
	for _, p := range s.people {
		e := end{fate: p.fate}
		if p.fate == failed {
			e.cause = p.failure.Cause
		}
		ends[e]++
		if t := p.messages[0].Time; t.Before(oldest) {
			oldest = t
		}
	}
	for e, n := range ends {
		m.people.Add(ctx, n, metric.WithAttributes(m.org, lane, attribute.String("result", e.fate.String()), attribute.String("cause", string(e.cause))))
	}
	m.batch.Record(ctx, int64(len(s.people)), metric.WithAttributes(m.org, lane))
	m.took.Record(ctx, took.Seconds(), metric.WithAttributes(m.org, lane))
	m.lag.Record(ctx, time.Since(oldest).Seconds(), metric.WithAttributes(m.org, lane))
}
