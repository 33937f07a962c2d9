package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// traces makes tracers that share one exporter. Each service has a provider of
// its own, because a trace viewer tells services apart by the resource.
type traces struct {
	processors []sdktrace.SpanProcessor

	mu        sync.Mutex
	providers []*sdktrace.TracerProvider
}

func newTraces(ctx context.Context, console io.Writer, processors []sdktrace.SpanProcessor) (*traces, error) {
	t := &traces{processors: processors}
	if !exportConfigured(os.Getenv) {
		return t, nil
	}
	exporter, err := newExporter(ctx, console)
	if err != nil {
		return nil, fmt.Errorf("trace export as OTEL_* says: %w", err)
	}
	t.processors = append(t.processors, sdktrace.NewBatchSpanProcessor(exporter))
	return t, nil
}

// newExporter makes the exporter that the environment asks for. Console is ours,
// because standard output is for results.
func newExporter(ctx context.Context, console io.Writer) (sdktrace.SpanExporter, error) {
	if os.Getenv("OTEL_TRACES_EXPORTER") == "console" {
		return stdouttrace.New(stdouttrace.WithWriter(console))
	}
	return autoexport.NewSpanExporter(ctx)
}

// exportConfigured says whether the environment asks for trace export. Left to
// itself the exporter would try localhost, which nobody asked for.
func exportConfigured(getenv func(string) string) bool {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	switch getenv("OTEL_TRACES_EXPORTER") {
	case "none":
		return false
	case "":
		return getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
	}
	return true
}

// tracer returns a service's tracer.
func (t *traces) tracer(service, version string) trace.Tracer {
	res, err := resource.Merge(resource.Default(), resource.NewSchemaless(
		semconv.ServiceName(service), semconv.ServiceVersion(version)))
	if err != nil {
		res = resource.NewSchemaless(semconv.ServiceName(service), semconv.ServiceVersion(version))
	}
	o := []sdktrace.TracerProviderOption{sdktrace.WithResource(res)}
	if len(t.processors) == 0 {
		o = append(o, sdktrace.WithSampler(sdktrace.AlwaysSample()))
	}
	for _, p := range t.processors {
		o = append(o, sdktrace.WithSpanProcessor(p))
	}
	provider := sdktrace.NewTracerProvider(o...)
	t.mu.Lock()
	t.providers = append(t.providers, provider)
	t.mu.Unlock()
	tr := provider.Tracer(scope+service, trace.WithInstrumentationVersion(version))
	if len(t.processors) == 0 {
		return passing{roots: tr}
	}
	return tr
}

func (t *traces) shutdown(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, p := range t.providers {
		errs = append(errs, p.Shutdown(ctx))
	}
	return errors.Join(errs...)
}

func (t *traces) flush(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, p := range t.providers {
		errs = append(errs, p.ForceFlush(ctx))
	}
	return errors.Join(errs...)
}

// passing is the tracer of a process that exports nothing. A trace that comes
// in goes out unchanged, sampled or not, as W3C asks of a bystander. Where none
// comes in, one is begun, so that logs can be joined; it is marked as sampled,
// because whoever takes it up may export, and not exporting is no wish that
// nobody should.
type passing struct {
	embedded.Tracer
	roots trace.Tracer
}

func (p passing) Start(ctx context.Context, name string, o ...trace.SpanStartOption) (context.Context, trace.Span) {
	if trace.SpanContextFromContext(ctx).IsValid() {
		return tracenoop.Tracer{}.Start(ctx, name, o...)
	}
	return p.roots.Start(ctx, name, o...)
}
