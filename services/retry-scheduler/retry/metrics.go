package retry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// scrapeTimeout is how long whoever reads the metrics is kept waiting by NATS.
const scrapeTimeout = 2 * time.Second

// metrics count what was decided, by org and cause.
type metrics struct {
	scheduled, parked, closed, retried, discarded, refused, rearmed metric.Int64Counter
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
		rearmed:   counter("rearmed", "Retries that were overdue and so scheduled again."),
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	return out, nil
}

func count(ctx context.Context, c metric.Int64Counter, org string, cause events.Cause) {
	c.Add(ctx, 1, metric.WithAttributes(attribute.String("org", org), attribute.String("cause", string(cause))))
}

// watchParked says at every reading of the metrics how many dead letters there
// are, and how old the oldest is, until it is unregistered. Every replica says
// the same.
func watchParked(b *bus.Bus, m metric.Meter) (metric.Registration, error) {
	var errs [3]error
	people, err := m.Int64ObservableGauge("rollcall.parked.people",
		metric.WithDescription("Dead letters there are, of all orgs and causes. Every replica says the same."))
	errs[0] = err
	oldest, err := m.Float64ObservableGauge("rollcall.parked.oldest", metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest dead letter, 0 where there is none. Every replica says the same."))
	errs[1] = err
	watch, err := m.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
		defer cancel()
		dead, err := b.Stream(ctx, events.StreamDead)
		if err != nil {
			return nil // no figure is a gap in the graph; readiness says that NATS is away
		}
		age := 0.0
		if dead.Messages > 0 {
			age = time.Since(dead.FirstTime).Seconds()
		}
		o.ObserveInt64(people, int64(dead.Messages)) //nolint:gosec // a count of messages
		o.ObserveFloat64(oldest, age)
		return nil
	}, people, oldest)
	errs[2] = err
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	return watch, nil
}

// watchPaused says at every reading of the metrics how much is paused, and since
// when. Every replica says the same.
func watchPaused(b *bus.Bus, m metric.Meter) error {
	var errs [3]error
	paused, err := m.Int64ObservableGauge("rollcall.paused.scopes",
		metric.WithDescription("Orgs, lanes and sources that are paused. Every replica says the same."))
	errs[0] = err
	oldest, err := m.Float64ObservableGauge("rollcall.paused.oldest", metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest pause, 0 where nothing is paused. Every replica says the same."))
	errs[1] = err
	_, errs[2] = m.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
		defer cancel()
		have, err := b.Latest(ctx, events.StreamRoster, []string{events.PausesSubject()})
		if err != nil {
			return nil // as above
		}
		var p events.Pauses
		if e, ok := have[events.PausesSubject()]; ok {
			if p, err = events.Decode[events.Pauses](e.Data); err != nil {
				return nil
			}
		}
		age := 0.0
		if first := p.Oldest(); first != nil {
			age = time.Since(first.Since).Seconds()
		}
		o.ObserveInt64(paused, int64(len(p.Paused)))
		o.ObserveFloat64(oldest, age)
		return nil
	}, paused, oldest)
	if err := errors.Join(errs[:]...); err != nil {
		return fmt.Errorf("make metrics: %w", err)
	}
	return nil
}
