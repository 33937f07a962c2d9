package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// newHandler makes the slog handler the config asks for.
func newHandler(w io.Writer, c config.Log) (slog.Handler, error) {
	level := slog.LevelInfo
	if c.Level != "" {
		if err := level.UnmarshalText([]byte(c.Level)); err != nil {
			return nil, fmt.Errorf("log.level: must be debug, info, warn or error")
		}
	}
	o := &slog.HandlerOptions{Level: level}
	switch c.Format {
	case "text":
		return traced{slog.NewTextHandler(w, o)}, nil
	case "json", "":
		return traced{slog.NewJSONHandler(w, o)}, nil
	}
	return nil, fmt.Errorf("log.format: must be text or json")
}

// traced adds the trace and span of the context to every record.
type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		r.AddAttrs(slog.String("trace_id", sc.TraceID().String()), slog.String("span_id", sc.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }
func (h traced) WithGroup(name string) slog.Handler       { return traced{h.Handler.WithGroup(name)} }
