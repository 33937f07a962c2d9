package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry/telemetrytest"
)

const incoming = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func TestATraceThatComesInGoesOutUnchangedWhereNothingExports(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.New(t.Context(), "assignment", "v1", config.Log{}, telemetry.WithLogWriter(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	ctx := telemetry.Extract(t.Context(), map[string][]string{"traceparent": {incoming}})
	ctx, span := tel.Tracer.Start(ctx, "process")
	defer span.End()
	h := map[string][]string{}
	telemetry.Inject(ctx, h)
	if got := h["traceparent"]; len(got) != 1 || got[0] != incoming {
		t.Errorf("traceparent = %v, want %s under a lower-case key", got, incoming)
	}
}

func TestATraceBeginsWhereNoneComesIn(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.New(t.Context(), "cli", "v1", config.Log{}, telemetry.WithLogWriter(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	ctx, span := tel.Tracer.Start(t.Context(), "publish")
	defer span.End()
	if got := telemetry.Traceparent(ctx); !strings.HasSuffix(got, "-01") {
		t.Errorf("traceparent = %q, want a new one that others may record", got)
	}
}

func TestLogsCarryServiceAndTrace(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	tel, err := telemetry.New(t.Context(), "pusher", "v1", config.Log{Level: "info", Format: "json"}, telemetry.WithLogWriter(&out))
	if err != nil {
		t.Fatal(err)
	}
	tel.Log.With("org", "acme").InfoContext(telemetry.WithTraceparent(t.Context(), incoming), "applied")
	tel.Log.Debug("not said at this level")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	for key, want := range map[string]string{
		"service": "pusher", "org": "acme",
		"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7",
	} {
		if line[key] != want {
			t.Errorf("%s = %v, want %s", key, line[key], want)
		}
	}
}

func TestTransportRecordsTheRouteAndNoPersonalData(t *testing.T) {
	t.Parallel()
	var sent http.Header
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Clone()
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "no")
	}))
	defer srv.Close()
	rec := telemetrytest.Recording(t)
	ctx, parent := rec.Tracer.Start(t.Context(), "batch")
	var heard trace.SpanContext
	ctx = telemetry.WithSpanListener(ctx, func(sc trace.SpanContext) { heard = sc })
	call(ctx, t, &http.Client{Transport: rec.Transport(nil)}, srv.URL+"/services/data/v63.0/query?q=SELECT+Id+FROM+User+WHERE+Email='ann@example.com'")
	parent.End()

	spans := rec.Named("GET /services/data/{version}/query")
	if len(spans) != 1 {
		t.Fatalf("spans: %v", rec.Spans())
	}
	s := spans[0]
	if s.SpanKind() != trace.SpanKindClient || s.Parent().SpanID() != parent.SpanContext().SpanID() || !heard.Equal(s.SpanContext()) {
		t.Errorf("kind %v, parent %v, heard %v", s.SpanKind(), s.Parent(), heard)
	}
	got := map[string]string{}
	for _, a := range s.Attributes() {
		got[string(a.Key)] = a.Value.String()
		if strings.Contains(a.Value.String(), "ann@") {
			t.Errorf("attribute %s holds personal data", a.Key)
		}
	}
	if got["http.response.status_code"] != "403" || got["error.type"] != "403" || got["url.template"] == "" {
		t.Errorf("attributes: %v", got)
	}
	if sent.Get("Traceparent") != "" {
		t.Error("a trace header went to Salesforce")
	}
	if text := metrics(t, rec.Handler()); !strings.Contains(text, `http_client_request_duration_seconds_count{`) || strings.Contains(text, "ann@") {
		t.Errorf("metrics:\n%s", text)
	}
}

func TestForSharesMetricsUnderItsOwnName(t *testing.T) {
	t.Parallel()
	rec := telemetrytest.Recording(t)
	for _, name := range []string{"assignment", "retry-scheduler"} {
		tel, err := rec.For(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := tel.Meter.Int64Counter("rollcall.handled")
		if err != nil {
			t.Fatal(err)
		}
		c.Add(context.Background(), 1)
	}
	text := metrics(t, rec.Handler())
	for _, want := range []string{`rollcall/assignment"`, `rollcall/retry-scheduler"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no series of %s in\n%s", want, text)
		}
	}
}

func TestRoutesHideRecordsAndStayBounded(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/services/data/v63.0/composite/sobjects":                "/services/data/{version}/composite/sobjects",
		"/services/data/v63.0/composite/sobjects/User/Ext__c":    "/services/data/{version}/composite/sobjects/User/{id}",
		"/services/data/v63.0/sobjects/User/005000000000001":     "/services/data/{version}/sobjects/User/{id}",
		"/services/data/v63.0/sobjects/User/Ext__c/ann@acme.com": "/services/data/{version}/sobjects/User/{field}/{value}",
		"/services/data/v63.0/sobjects/Ann__c/1":                 "/services/data/{version}/sobjects/{object}/{id}",
		"/services/data/v63.0/query/01gxx-500":                   "/services/data/{version}/query/{locator}",
		"/services/data/v63.0/limits":                            "/services/data/{version}/limits",
		"/services/data/":                                        "/services/data",
		"/services/oauth2/token":                                 "/services/oauth2/token",
		"/services/oauth2/secret-thing":                          "/services/oauth2/other",
		"/ann@acme.com":                                          "other",
	} {
		if got := telemetry.Route(path); got != want {
			t.Errorf("Route(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestDiscardCanDoEverything(t *testing.T) {
	t.Parallel()
	tel := telemetry.Discard()
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	call(t.Context(), t, &http.Client{Transport: tel.Transport(nil)}, srv.URL+"/services/oauth2/token")
	if _, err := tel.For("x"); err != nil {
		t.Error(err)
	}
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func call(ctx context.Context, t *testing.T, c *http.Client, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

func metrics(t *testing.T, h http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}
