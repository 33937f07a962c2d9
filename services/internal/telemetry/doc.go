// Package telemetry makes a process observable: slog with trace ids, OpenTelemetry
// traces exported as the standard OTEL_* variables say, and metrics for Prometheus.
//
// Nothing here is global: a [Telemetry] is made in main and handed down. Where
// no exporter is configured, spans cost next to nothing, but every message still
// carries a trace context, so that a trace begun elsewhere is not broken and logs
// can be joined by trace id.
//
// Personal data never belongs in a log, a span attribute or a metric label; the
// HTTP transport therefore records a route template and never a URL.
package telemetry
