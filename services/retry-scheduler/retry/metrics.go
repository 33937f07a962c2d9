package retry

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// metrics count what was decided, by org and cause.
type metrics struct {
	scheduled, parked, closed, retried, discarded, refused metric.Int64Counter
}

func newMetrics(m metric.Meter) (*metrics, error) {
	var faults []error
	counter := func(name, description string) metric.Int64Counter {
		c, err := m.Int64Counter("rollcall.retry."+name, metric.WithDescription(description), metric.WithUnit("{person}"))
		faults = append(faults, err)
		return c
	}
	out := &metrics{
		scheduled: counter("scheduled", "People who will be looked at again at a time."),
		parked:    counter("parked", "People who were parked as a dead letter."),
		closed:    counter("closed", "Dead letters closed by a newer success."),
		retried:   counter("retried", "Dead letters looked at again because an admin asked."),
		discarded: counter("discarded", "Dead letters given up because an admin asked."),
		refused:   counter("refused", "Targets of an admin's request that were not as the admin saw them."),
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	return out, nil
}

func count(ctx context.Context, c metric.Int64Counter, org string, cause events.Cause) {
	c.Add(ctx, 1, metric.WithAttributes(attribute.String("org", org), attribute.String("cause", string(cause))))
}
