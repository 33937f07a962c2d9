package telemetry

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
)

// newMeters makes the process's metrics, which are read from reg.
func newMeters(reg *prometheus.Registry, service, version string) (*sdkmetric.MeterProvider, error) {
	exporter, err := otelprom.New(otelprom.WithRegisterer(reg))
	if err != nil {
		return nil, fmt.Errorf("metrics for Prometheus: %w", err)
	}
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter), sdkmetric.WithResource(
		resource.NewSchemaless(semconv.ServiceName(service), semconv.ServiceVersion(version))))
	if err := runtime.Start(runtime.WithMeterProvider(meters)); err != nil {
		return nil, fmt.Errorf("metrics of the Go runtime: %w", err)
	}
	if err := reg.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})); err != nil {
		return nil, fmt.Errorf("metrics of the process: %w", err)
	}
	return meters, nil
}

// httpMetrics are the metrics of HTTP calls, by the semantic conventions.
type httpMetrics struct{ duration metric.Float64Histogram }

func newHTTPMetrics(m metric.Meter) (*httpMetrics, error) {
	duration, err := m.Float64Histogram("http.client.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of calls to Salesforce, by route template."),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20))
	if err != nil {
		return nil, fmt.Errorf("metrics of HTTP calls: %w", err)
	}
	return &httpMetrics{duration: duration}, nil
}
