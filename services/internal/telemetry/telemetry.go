package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// scope prefixes the instrumentation scope of every service.
const scope = "github.com/rollcall-sync/rollcall/"

// Telemetry is what a service logs, traces and counts with.
type Telemetry struct {
	Log    *slog.Logger
	Tracer trace.Tracer
	Meter  metric.Meter

	service  string
	version  string
	handler  slog.Handler
	traces   *traces
	meters   metric.MeterProvider
	registry *prometheus.Registry
	metrics  *httpMetrics
	shutdown []func(context.Context) error
}

// Option changes how a [Telemetry] is made.
type Option func(*options)

type options struct {
	logTo      io.Writer
	processors []sdktrace.SpanProcessor
}

// WithLogWriter sends the log elsewhere than to standard error.
func WithLogWriter(w io.Writer) Option { return func(o *options) { o.logTo = w } }

// WithSpanProcessor records every span with p, whatever OTEL_* says: for tests.
func WithSpanProcessor(p sdktrace.SpanProcessor) Option {
	return func(o *options) { o.processors = append(o.processors, p) }
}

// New makes the telemetry of one service. Call [Telemetry.Shutdown] at the end.
func New(ctx context.Context, service, version string, log config.Log, opts ...Option) (*Telemetry, error) {
	o := options{logTo: os.Stderr}
	for _, opt := range opts {
		opt(&o)
	}
	handler, err := newHandler(o.logTo, log)
	if err != nil {
		return nil, err
	}
	tr, err := newTraces(ctx, o.logTo, o.processors)
	if err != nil {
		return nil, err
	}
	t := &Telemetry{service: service, version: version, handler: handler, traces: tr, registry: prometheus.NewRegistry()}
	meters, err := newMeters(t.registry, service, version)
	if err != nil {
		return nil, errors.Join(err, tr.shutdown(ctx))
	}
	t.meters = meters
	t.shutdown = []func(context.Context) error{tr.shutdown, meters.Shutdown}
	return t, t.equip()
}

// For returns the telemetry of another service in the same process: its own
// name in logs and traces, the same exporter and the same /metrics. It is shut
// down with the one it came from.
func (t *Telemetry) For(service string) (*Telemetry, error) {
	if t.registry == nil {
		return Discard(), nil
	}
	s := &Telemetry{
		service: service, version: t.version, handler: t.handler,
		traces: t.traces, meters: t.meters, registry: t.registry,
	}
	return s, s.equip()
}

// equip makes what a service holds in hand from the process's parts.
func (t *Telemetry) equip() error {
	t.Log = slog.New(t.handler).With("service", t.service)
	t.Tracer = t.traces.tracer(t.service, t.version)
	t.Meter = t.meters.Meter(scope+t.service, metric.WithInstrumentationVersion(t.version))
	var err error
	t.metrics, err = newHTTPMetrics(t.Meter)
	return err
}

// Discard returns telemetry that records nothing: for tests and library use.
func Discard() *Telemetry {
	t := &Telemetry{
		Log:    slog.New(slog.DiscardHandler),
		Tracer: tracenoop.NewTracerProvider().Tracer(""),
		Meter:  metricnoop.NewMeterProvider().Meter(""),
	}
	t.metrics, _ = newHTTPMetrics(t.Meter) // a no-op meter refuses nothing
	return t
}

// Handler serves /metrics.
func (t *Telemetry) Handler() http.Handler {
	if t.registry == nil {
		return http.NotFoundHandler()
	}
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{Registry: t.registry})
}

// Shutdown sends what is left. It takes no longer than ctx allows.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	var errs []error
	for _, f := range t.shutdown {
		errs = append(errs, f(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("send the last telemetry: %w", err)
	}
	return nil
}

// Flush sends what spans are waiting to be sent.
func (t *Telemetry) Flush(ctx context.Context) error {
	if t.traces == nil {
		return nil
	}
	return t.traces.flush(ctx)
}
