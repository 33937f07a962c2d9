package telemetry

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Transport records a CLIENT span and a duration for every HTTP call through
// base. Both carry the route's template: a path may hold a record id, a query
// may hold a name. No trace header is sent: Salesforce has no use for it.
func (t *Telemetry) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{base: base, tracer: t.Tracer, metrics: t.metrics}
}

type transport struct {
	base    http.RoundTripper
	tracer  trace.Tracer
	metrics *httpMetrics
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	route := Route(req.URL.Path)
	attrs := append([]attribute.KeyValue{
		attribute.String("http.request.method", method(req.Method)),
		attribute.String("url.template", route),
	}, server(req)...)
	ctx, span := t.tracer.Start(req.Context(), method(req.Method)+" "+route,
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
	call := &call{ctx: ctx, span: span, metrics: t.metrics, attrs: attrs, began: time.Now()}
	announce(ctx, span.SpanContext())

	resp, err := t.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		call.failed(err)
		return nil, err // a RoundTripper hands on what the transport said
	}
	call.answered(resp.StatusCode)
	resp.Body = &body{ReadCloser: resp.Body, end: call.end}
	return resp, nil
}

// call is one HTTP call under way.
type call struct {
	ctx     context.Context //nolint:containedctx // the span's context, needed when the body has been read
	span    trace.Span
	metrics *httpMetrics
	attrs   []attribute.KeyValue
	began   time.Time
	once    sync.Once
}

func (c *call) answered(status int) {
	c.add(attribute.Int("http.response.status_code", status))
	if status >= http.StatusBadRequest {
		c.add(attribute.String("error.type", strconv.Itoa(status)))
		c.span.SetStatus(codes.Error, "")
	}
}

func (c *call) failed(err error) {
	c.add(attribute.String("error.type", errorType(err)))
	c.span.SetStatus(codes.Error, "")
	c.end()
}

func (c *call) add(kv attribute.KeyValue) {
	c.attrs = append(c.attrs, kv)
	c.span.SetAttributes(kv)
}

func (c *call) end() {
	c.once.Do(func() {
		c.metrics.duration.Record(c.ctx, time.Since(c.began).Seconds(), metric.WithAttributes(c.attrs...))
		c.span.End()
	})
}

// errorType names a transport error without quoting it: an error of net/http
// holds the URL.
func errorType(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection_closed"
	}
	return "connection"
}

// body ends the call when it has been read or is closed, whichever comes first.
type body struct {
	io.ReadCloser
	end func()
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end()
	}
	return n, err // io.EOF must stay itself
}

func (b *body) Close() error {
	b.end()
	return b.ReadCloser.Close()
}

func server(req *http.Request) []attribute.KeyValue {
	attrs := []attribute.KeyValue{attribute.String("server.address", req.URL.Hostname())}
	if port, err := strconv.Atoi(req.URL.Port()); err == nil {
		attrs = append(attrs, attribute.Int("server.port", port))
	}
	return attrs
}

func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete, http.MethodPut, http.MethodHead:
		return m
	}
	return "_OTHER"
}

// spanListener is the context key of [WithSpanListener].
type spanListener struct{}

// WithSpanListener tells f the span context of every HTTP call made with the
// returned context, so that the spans of many people can link to the one call
// that carried them.
func WithSpanListener(ctx context.Context, f func(trace.SpanContext)) context.Context {
	return context.WithValue(ctx, spanListener{}, f)
}

func announce(ctx context.Context, sc trace.SpanContext) {
	if f, ok := ctx.Value(spanListener{}).(func(trace.SpanContext)); ok {
		f(sc)
	}
}
