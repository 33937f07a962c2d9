package publish

import (
	"context"
	"errors"
	"fmt"
	"io"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/rollcall/hrimport"
)

const (
	// batch is how many events are stored at once: one sync to disk for all.
	batch = 500
	// batchBytes bounds a batch of large events.
	batchBytes = 4 << 20
	// headerRoom is what a message's headers take beside the event: NATS counts
	// both against one limit.
	headerRoom = 2 << 10
	// maxListed bounds how many unusable rows are kept for the report.
	maxListed = 1000
)

// Reader yields the rows of an export, one after the other.
type Reader func(r io.Reader, each func(hrimport.Row) error) (hrimport.Summary, error)

// Lines reads CloudEvents, one a line, of one source.
func Lines(source string) Reader {
	return func(r io.Reader, each func(hrimport.Row) error) (hrimport.Summary, error) {
		return hrimport.ReadLines(r, source, each)
	}
}

// Result is what became of an export.
type Result struct {
	// Rows read, of which Published are stored now, Unusable had a problem,
	// Repeated say what another row says and Superseded have a newer version.
	Rows       int `json:"rows"`
	Published  int `json:"published"`
	Unusable   int `json:"unusable"`
	Repeated   int `json:"repeated"`
	Superseded int `json:"superseded"`
	// Problems are the first 1,000 reasons why rows could not be used.
	Problems []Problem `json:"problems"`
}

// Problem is why a row cannot be used.
type Problem struct {
	Line   int    `json:"line"`
	Column string `json:"column,omitempty"`
	Reason string `json:"reason"`
}

// Publisher stores events durably.
type Publisher struct {
	bus *bus.Bus
	tel *telemetry.Telemetry
	// progress is told how many rows have been read and events stored.
	progress func(rows, published int)

	waiting []bus.Group
	bytes   int
	result  Result
}

// New makes a publisher for a source; progress may be nil.
func New(b *bus.Bus, tel *telemetry.Telemetry, progress func(rows, published int)) *Publisher {
	if progress == nil {
		progress = func(int, int) {}
	}
	return &Publisher{bus: b, tel: tel, progress: progress, result: Result{Problems: []Problem{}}}
}

// Publish reads an export to its end. Rows that cannot be used are in the
// result; an error means that it ended early, and that it can be run again: what
// is stored already is recognised by its id or changes nothing.
func (p *Publisher) Publish(ctx context.Context, read Reader, r io.Reader) (Result, error) {
	sum, err := read(r, func(row hrimport.Row) error { return p.row(ctx, row) })
	p.result.Repeated, p.result.Superseded = sum.Repeated, sum.Superseded
	if err == nil {
		err = p.flush(ctx)
	}
	if err != nil {
		return p.result, err
	}
	p.progress(p.result.Rows, p.result.Published)
	return p.result, nil
}

// row takes one row.
func (p *Publisher) row(ctx context.Context, row hrimport.Row) error {
	if err := ctx.Err(); err != nil {
		return errors.New("interrupted")
	}
	p.result.Rows++
	if len(row.Data) > events.MaxEventBytes-headerRoom {
		row.Problems = append(row.Problems, hrimport.Problem{Line: row.Line,
			Reason: fmt.Sprintf("the event is %d bytes, the limit is %d", len(row.Data), events.MaxEventBytes-headerRoom)})
	}
	if len(row.Problems) > 0 {
		p.unusable(row)
		return nil
	}
	if row.Event == nil {
		return nil
	}
	p.waiting = append(p.waiting, bus.Group{p.write(ctx, row)})
	p.bytes += len(row.Data)
	if len(p.waiting) < batch && p.bytes < batchBytes {
		return nil
	}
	return p.flush(ctx)
}

func (p *Publisher) unusable(row hrimport.Row) {
	p.result.Unusable++
	for _, problem := range row.Problems {
		if len(p.result.Problems) < maxListed {
			p.result.Problems = append(p.result.Problems, Problem(problem))
		}
	}
}

// write makes the message of one event, with a span of its own: the person's
// story begins here.
func (p *Publisher) write(ctx context.Context, row hrimport.Row) bus.Write {
	source := events.SourceOf(row.Subject)
	ctx, span := p.tel.Tracer.Start(ctx, "publish "+events.TemplateDirectory,
		trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
			attribute.String("messaging.system", "nats"), attribute.String("messaging.operation.type", "send"),
			attribute.String("messaging.destination.template", events.TemplateDirectory),
			attribute.String("rollcall.source", source), attribute.String("cloudevents.event_id", row.Event.ID)))
	defer span.End()
	h := bus.Header{events.HeaderContentType: {events.ContentTypeCloudEvent}}
	telemetry.Inject(ctx, h)
	return bus.Write{Subject: row.Subject, Data: row.Data, Header: h, MsgID: source + "/" + row.Event.ID}
}

// flush stores what waits.
func (p *Publisher) flush(ctx context.Context) error {
	if len(p.waiting) == 0 {
		return nil
	}
	if _, err := p.bus.Commit(ctx, events.StreamDirectory, p.waiting); err != nil {
		return fmt.Errorf("stored %d events, then stopped (run it again: nothing is stored twice): %w", p.result.Published, err)
	}
	p.result.Published += len(p.waiting)
	p.waiting, p.bytes = p.waiting[:0], 0
	p.progress(p.result.Rows, p.result.Published)
	return nil
}
