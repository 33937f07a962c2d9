package refresh

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// metrics count what was asked of the token endpoint, and say how each org
// stands.
type metrics struct {
	requests metric.Int64Counter
	state    metric.Int64Gauge
}

func newMetrics(m metric.Meter) (*metrics, error) {
	requests, err := m.Int64Counter("rollcall.token.requests", metric.WithUnit("{request}"),
		metric.WithDescription("Requests to Salesforce's token endpoint, by org and result."))
	if err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	state, err := m.Int64Gauge("rollcall.token.state",
		metric.WithDescription("How an org's sign-in stands: 1 for its state (connected, refreshing or held), 0 for the others. Every replica says the same."))
	if err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	return &metrics{requests: requests, state: state}, nil
}

// stands says in which state an org is.
func (m *metrics) stands(ctx context.Context, org string, now events.TokenState) {
	for _, s := range []events.TokenState{events.TokenConnected, events.TokenRefreshing, events.TokenHeld} {
		n := int64(0)
		if s == now {
			n = 1
		}
		m.state.Record(ctx, n, metric.WithAttributes(attribute.String("org", org), attribute.String("state", string(s))))
	}
}

// asked counts a request; result is "granted" or the class of the refusal.
func (m *metrics) asked(ctx context.Context, org, result string) {
	m.requests.Add(ctx, 1, metric.WithAttributes(attribute.String("org", org), attribute.String("result", result)))
}
