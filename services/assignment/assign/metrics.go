package assign

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
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

// scrapeTimeout is how long whoever reads the metrics is kept waiting by NATS.
const scrapeTimeout = 2 * time.Second

// watchHeld says at every reading of the metrics from how many people something is
// held, as the counters of the orgs have it, until it is unregistered. Every replica
// says the same.
func watchHeld(b *bus.Bus, m metric.Meter) (metric.Registration, error) {
	held, err := m.Int64ObservableGauge("rollcall.held.people",
		metric.WithDescription("People of whom a change waits for an operator, by org, cause (config, source:NAME, group) and aspect. Every replica says the same."))
	if err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	watch, err := m.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
		defer cancel()
		have, err := b.Latest(ctx, events.StreamRoster, []string{events.GuardsAll})
		if err != nil {
			return nil // no figure is a gap in the graph; readiness says that NATS is away
		}
		for _, e := range have {
			g, err := events.Decode[events.Guard](e.Data)
			if err != nil {
				continue
			}
			for labels, n := range heldBy(g) {
				o.ObserveInt64(held, n, metric.WithAttributes(attribute.String("org", g.Org),
					attribute.String("cause", labels.cause), attribute.String("aspect", string(labels.aspect))))
			}
		}
		return nil
	}, held)
	if err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	return watch, nil
}

// heldLabel is what the gauge is labelled with: all groups are one, for a label
// holds names of the configuration only.
type heldLabel struct {
	cause  string
	aspect events.Aspect
}

func heldBy(g events.Guard) map[heldLabel]int64 {
	out := map[heldLabel]int64{}
	for cause, aspects := range g.Counts {
		name, _, isGroup := strings.Cut(string(cause), ":")
		if !isGroup || name != "group" {
			name = string(cause)
		}
		for aspect, n := range aspects {
			out[heldLabel{name, aspect}] += int64(n.Held)
		}
	}
	for _, aspect := range events.Aspects() { // so that there is a figure where nothing is held
		out[heldLabel{string(events.CauseConfig), aspect}] += 0
	}
	return out
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
