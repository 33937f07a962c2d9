// Package telemetrytest records what a test's subject traces and logs.
package telemetrytest

import (
	"bytes"
	"context"
	"sync"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// Recorder is telemetry that keeps every span and log line in memory.
type Recorder struct {
	*telemetry.Telemetry
	spans *tracetest.SpanRecorder
	log   *lines
}

// Recording returns telemetry that keeps what it is told. The log of a failed
// test is shown.
func Recording(t testing.TB) *Recorder {
	t.Helper()
	r := &Recorder{spans: tracetest.NewSpanRecorder(), log: &lines{}}
	tel, err := telemetry.New(context.Background(), "test", "test", config.Log{Level: "debug", Format: "json"},
		telemetry.WithLogWriter(r.log), telemetry.WithSpanProcessor(r.spans))
	if err != nil {
		t.Fatalf("telemetry: %v", err)
	}
	r.Telemetry = tel
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", r.log.String())
		}
		_ = tel.Shutdown(context.Background())
	})
	return r
}

// Spans returns the spans that have ended, in the order in which they did.
func (r *Recorder) Spans() []sdktrace.ReadOnlySpan { return r.spans.Ended() }

// Named returns the ended spans with this name.
func (r *Recorder) Named(name string) []sdktrace.ReadOnlySpan {
	var out []sdktrace.ReadOnlySpan
	for _, s := range r.spans.Ended() {
		if s.Name() == name {
			out = append(out, s)
		}
	}
	return out
}

// LogText returns everything logged so far, one JSON object a line.
func (r *Recorder) LogText() string { return r.log.String() }

// lines is a buffer that may be written and read at the same time.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
