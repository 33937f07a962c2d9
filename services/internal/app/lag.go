package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// scrapeTimeout is how long whoever reads the metrics is kept waiting by NATS.
const scrapeTimeout = 2 * time.Second

// WatchLag says at every reading of the metrics how far behind the consumers of
// a service are. Every replica says the same: a consumer is everybody's.
func WatchLag(b *bus.Bus, tel *telemetry.Telemetry) error {
	var errs [4]error
	gauge := func(i int, name, description string) metric.Int64ObservableGauge {
		g, err := tel.Meter.Int64ObservableGauge("rollcall.consumer."+name, metric.WithDescription(description))
		errs[i] = err
		return g
	}
	pending := gauge(0, "pending", "Messages that a consumer has not handed out yet.")
	inHand := gauge(1, "in_hand", "Messages that a consumer has handed out and that are not finished.")
	redelivered := gauge(2, "redelivered", "Messages in hand that were handed out more than once.")
	_, errs[3] = tel.Meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
		defer cancel()
		list, _ := b.Fed(ctx) // what cannot be seen is a gap in the graph; readiness says that NATS is away
		for _, c := range list {
			of := metric.WithAttributes(attribute.String("stream", c.Stream), attribute.String("consumer", c.Name))
			o.ObserveInt64(pending, int64(c.Pending), of) //nolint:gosec // a count of messages
			o.ObserveInt64(inHand, int64(c.AckPending), of)
			o.ObserveInt64(redelivered, int64(c.Redelivered), of)
		}
		return nil
	}, pending, inHand, redelivered)
	if err := errors.Join(errs[:]...); err != nil {
		return fmt.Errorf("metrics of consumers: %w", err)
	}
	return nil
}
