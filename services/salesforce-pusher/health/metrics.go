package health

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// metrics are the instruments of health, each labelled with its org.
type metrics struct {
	org   attribute.KeyValue
	held  metric.Int64Gauge
	used  metric.Int64Gauge
	limit metric.Int64Gauge
}

func newMetrics(m metric.Meter, org string) (*metrics, error) {
	out := &metrics{org: attribute.String("org", org)}
	var errs [3]error
	out.held, errs[0] = m.Int64Gauge("rollcall.push.held", metric.WithDescription("1 while the org is held."))
	out.used, errs[1] = m.Int64Gauge("rollcall.push.api_used", metric.WithDescription("API calls of the org's last 24 hours, everybody's, as Salesforce last said."))
	out.limit, errs[2] = m.Int64Gauge("rollcall.push.api_limit", metric.WithDescription("API calls the org may make in 24 hours, as Salesforce last said."))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("metrics of an org's health: %w", err)
	}
	return out, nil
}

func (m *metrics) usage(u salesforce.Usage) {
	ctx := context.Background() // Salesforce says it with any answer
	m.used.Record(ctx, u.Used, metric.WithAttributes(m.org))
	m.limit.Record(ctx, u.Limit, metric.WithAttributes(m.org))
}

func (m *metrics) hold(ctx context.Context, held bool) {
	n := int64(0)
	if held {
		n = 1
	}
	m.held.Record(ctx, n, metric.WithAttributes(m.org))
}
