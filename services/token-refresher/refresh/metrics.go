package refresh

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// metrics count what was asked of the token endpoint.
type metrics struct{ requests metric.Int64Counter }

func newMetrics(m metric.Meter) (*metrics, error) {
	requests, err := m.Int64Counter("rollcall.token.requests", metric.WithUnit("{request}"),
		metric.WithDescription("Requests to Salesforce's token endpoint, by org and result."))
	if err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	return &metrics{requests: requests}, nil
}

// asked counts a request; result is "granted" or the class of the refusal.
func (m *metrics) asked(ctx context.Context, org, result string) {
	m.requests.Add(ctx, 1, metric.WithAttributes(attribute.String("org", org), attribute.String("result", result)))
}
