package publish

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
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
	// maxListed bounds how many problems are kept for the report.
	maxListed = 1000
)

// Reader yields the rows of an export, one after the other.
type Reader func(r io.Reader, each func(hrimport.Row) error) (hrimport.Summary, error)

// Lines reads CloudEvents, one a line, of one source; ids reads its correlation
// ids, nil where its configuration is not known.
func Lines(source string, ids *correlation.IDs) Reader {
	return func(r io.Reader, each func(hrimport.Row) error) (hrimport.Summary, error) {
		return hrimport.ReadLines(r, source, ids, each)
	}
}

// Result is what became of an export.
type Result struct {
	// Rows read, of which Published are stored now, Duplicate were refused by the
	// stream, Unusable had a problem, Repeated say what another row says and
	// Superseded have a newer version.
	Rows       int `json:"rows"`
	Published  int `json:"published"`
	Duplicate  int `json:"duplicate"`
	Unusable   int `json:"unusable"`
	Repeated   int `json:"repeated"`
	Superseded int `json:"superseded"`
	// Batch is what the events of the rows say of themselves.
	Batch Batch `json:"batch"`
	// Problems are the first 1,000 reasons why rows were not published.
	Problems []Problem `json:"problems"`
}

// Problem is why a row was not published.
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
	// id begins the message id of every event of this publication. Nobody can
	// guess it, so nobody else's event keeps one of ours out.
	id string

	waiting []bus.Group
	lines   []int // of those waiting
	bytes   int
	result  Result
}

// New makes a publisher for one export; progress may be nil.
func New(b *bus.Bus, tel *telemetry.Telemetry, progress func(rows, published int)) *Publisher {
	if progress == nil {
		progress = func(int, int) {}
	}
	return &Publisher{bus: b, tel: tel, progress: progress, id: rand.Text(), result: Result{Problems: []Problem{}}}
}

// Publish reads an export to its end, twice: every event says how many there
// are. Rows that cannot be used are in the result; an error means that it ended
// early, and that it can be run again: what is stored already is stored again,
// and changes nothing.
func (p *Publisher) Publish(ctx context.Context, read Reader, r io.ReadSeeker) (Result, error) {
	size, err := Survey(read, r, func(hrimport.Row) error { return ctx.Err() })
	if err != nil {
		return p.result, err
	}
	p.result.Batch = newBatch(size)
	sum, err := read(r, func(row hrimport.Row) error { return p.row(ctx, row) })
	p.result.Repeated, p.result.Superseded = sum.Repeated, sum.Superseded
	if err == nil {
		err = p.flush(ctx)
	}
	if err != nil {
		return p.result, err
	}
	if sent := p.result.Published + p.result.Duplicate; sent != size {
		return p.result, fmt.Errorf("the file changed while it was read: %d rows were usable, then %d. Wait until it is written, and run it again", size, sent)
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
	if err := tooLong(row); err != nil {
		row.Problems = append(row.Problems, hrimport.Problem{Line: row.Line, Reason: err.Error()})
	}
	if len(row.Problems) > 0 {
		p.unusable(row)
		return nil
	}
	if row.Event == nil {
		return nil
	}
	var err error
	if row.Data, err = p.result.Batch.stamp(row.Data); err != nil {
		return err
	}
	return p.take(ctx, row)
}

// take has an event wait until there are enough to be stored at once.
func (p *Publisher) take(ctx context.Context, row hrimport.Row) error {
	p.waiting, p.lines = append(p.waiting, bus.Group{p.write(ctx, row)}), append(p.lines, row.Line)
	p.bytes += len(row.Data)
	if len(p.waiting) < batch && p.bytes < batchBytes {
		return nil
	}
	return p.flush(ctx)
}

func (p *Publisher) unusable(row hrimport.Row) {
	p.result.Unusable++
	for _, problem := range row.Problems {
		p.problem(Problem(problem))
	}
}

func (p *Publisher) problem(problem Problem) {
	if len(p.result.Problems) < maxListed {
		p.result.Problems = append(p.result.Problems, problem)
	}
}

// write makes the message of one event, with a span of its own: the person's
// story begins here. Its message id is the publication and the line. So a repeat
// after a lost answer is dropped, and a row is not that says again what it said
// before a correction, nor a second event of the same event id.
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
	return bus.Write{Subject: row.Subject, Data: row.Data, Header: h, MsgID: p.id + "/" + strconv.Itoa(row.Line)}
}

// flush stores what waits.
func (p *Publisher) flush(ctx context.Context) error {
	if len(p.waiting) == 0 {
		return nil
	}
	done, err := p.bus.Commit(ctx, events.StreamDirectory, p.waiting)
	if err != nil {
		return fmt.Errorf("stored %d events or more, then stopped (run it again: what is stored twice changes nothing): %w", p.result.Published, err)
	}
	for i, d := range done {
		if !d.Duplicate {
			p.result.Published++
			continue
		}
		p.result.Duplicate++
		p.problem(Problem{Line: p.lines[i], Reason: "was not stored: the stream has another event under the id of this message. Run it again."})
	}
	p.waiting, p.lines, p.bytes = p.waiting[:0], p.lines[:0], 0
	p.progress(p.result.Rows, p.result.Published)
	return nil
}
