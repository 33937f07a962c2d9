package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
)

// carrier writes the W3C keys in lower case, because NATS headers are
// case-sensitive and http.Header's spelling would hide them from other readers.
type carrier map[string][]string

func (c carrier) Get(key string) string {
	if v := c[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (c carrier) Set(key, value string) { c[key] = []string{value} }

func (c carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for k := range c {
		keys = append(keys, k)
	}
	return keys
}

// Inject writes the trace context of ctx into message headers.
func Inject(ctx context.Context, h map[string][]string) {
	propagation.TraceContext{}.Inject(ctx, carrier(h))
}

// Extract returns ctx with the trace context of message headers as its remote
// parent.
func Extract(ctx context.Context, h map[string][]string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, carrier(h))
}

// Traceparent returns the trace context of ctx as W3C writes it, empty for none.
func Traceparent(ctx context.Context) string {
	c := carrier{}
	propagation.TraceContext{}.Inject(ctx, c)
	return c.Get("traceparent")
}

// WithTraceparent returns ctx with a stored trace context as its remote parent.
func WithTraceparent(ctx context.Context, traceparent string) context.Context {
	if traceparent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, carrier{"traceparent": {traceparent}})
}
