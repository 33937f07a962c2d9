package check

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// metrics are a check's instruments, each labelled with its org.
type metrics struct {
	org      attribute.KeyValue
	people   metric.Int64Counter
	errs     metric.Int64Counter
	reported metric.Int64Gauge
	stopped  metric.Int64Gauge
	age      metric.Float64Gauge
}

func newMetrics(m metric.Meter, org string) (*metrics, error) {
	out := &metrics{org: attribute.String("org", org)}
	var errs [5]error
	out.people, errs[0] = m.Int64Counter("rollcall.check.people", metric.WithDescription("People whose user was not as Rollcall left it, by kind and by what is done about it."))
	out.errs, errs[1] = m.Int64Counter("rollcall.check.failures", metric.WithDescription("Readings of the org that did not come to an end."))
	out.reported, errs[2] = m.Int64Gauge("rollcall.check.reported", metric.WithDescription("People of whom something is reported and left as it is, by kind."))
	out.stopped, errs[3] = m.Int64Gauge("rollcall.check.stopped", metric.WithDescription("1 while nobody is put right because most users are not in the org."))
	out.age, errs[4] = m.Float64Gauge("rollcall.check.age", metric.WithUnit("s"), metric.WithDescription("How long ago the last whole round began: since when what was taken away may be unseen."))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("metrics of the check: %w", err)
	}
	return out, nil
}

func (m *metrics) failed(ctx context.Context) { m.errs.Add(ctx, 1, metric.WithAttributes(m.org)) }

func (m *metrics) found(ctx context.Context, c Config, f Finding) {
	if f.Drift == nil {
		return
	}
	add := func(kind, what string) {
		m.people.Add(ctx, 1, metric.WithAttributes(m.org, attribute.String("kind", kind), attribute.String("what", what)))
	}
	for _, kind := range f.Drift.Repair {
		add(kind, config.DriftRepair)
	}
	for _, kind := range f.Drift.Left {
		if c.mode(kind) != config.DriftAccept && !f.Link.Drift.Leaves(kind) {
			add(kind, config.DriftReport)
		}
	}
}

// tell says what the register says, whichever replica wrote it.
func (m *metrics) tell(ctx context.Context, reg events.Check, now time.Time) {
	for _, kind := range everyKind() {
		m.reported.Record(ctx, int64(reg.Reported[kind]), metric.WithAttributes(m.org, attribute.String("kind", kind)))
	}
	stopped := int64(0)
	if reg.Stopped != "" {
		stopped = 1
	}
	m.stopped.Record(ctx, stopped, metric.WithAttributes(m.org))
	if !reg.SeenSince.IsZero() {
		m.age.Record(ctx, now.Sub(reg.SeenSince).Seconds(), metric.WithAttributes(m.org))
	}
}

// unread says, once, that a kind of assignment cannot be read.
func (c *Checker) unread(ctx context.Context, kind string, err error) {
	if c.warned[kind] {
		return
	}
	c.warned[kind] = true
	c.log.WarnContext(ctx, "assignments cannot be read: nobody notices that they are taken away by hand", "org", c.cfg.Org, "kind", kind, "error", err)
}
