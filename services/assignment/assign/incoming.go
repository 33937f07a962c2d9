package assign

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// incoming is one DIRECTORY event on its way through a step.
type incoming struct {
	entry  bus.Entry
	source string
	origin events.Origin
	// event, correlationID and key are set once the event is understood.
	event         *events.Event
	correlationID string
	key           events.Key

	span    trace.Span
	context context.Context //nolint:containedctx // the span's, for what the event leads to
	// fault says why the event cannot be used.
	fault error
	// again says that an admin wants a rejected event to be read again.
	again bool
	// folded says what the event did to the person.
	folded folded
	// trouble says why the event is undecided, where that is not the bus.
	trouble error
	// verdict is what became of the event; done is told, with the delay after
	// which an undecided event is to come again.
	verdict verdict
	done    func(verdict, time.Duration)
}

// verdict is what became of an event.
type verdict string

// The verdicts; also the values of the metric's result label.
const (
	verdictApplied    verdict = "applied"
	verdictUnchanged  verdict = "unchanged"
	verdictSuperseded verdict = "superseded"
	verdictRejected   verdict = "rejected"
	verdictUndecided  verdict = "undecided" // put back, to come again
)

func (in *incoming) position() position {
	return position{in.entry.Seq, in.event.SourceVersion}
}

// reader understands events: it knows the sources and derives keys.
type reader struct {
	sources map[string]correlation
	keyer   *events.Keyer
}

// read decodes an entry. A fault is an *[events.EventError]; what is known of
// the event by then is in the result all the same.
func (r *reader) read(entry bus.Entry) (*incoming, error) {
	in := &incoming{
		entry:  entry,
		source: events.SourceOf(entry.Subject),
		origin: events.Origin{Seq: entry.Seq, Time: entry.Time.UTC()},
	}
	in.origin.Source = in.source
	event, err := events.DecodeEvent(entry.Subject, entry.Data)
	if err != nil {
		return in, err
	}
	in.event, in.origin.EventID = event, event.ID
	correlate, ok := r.sources[in.source]
	if !ok {
		return in, &events.EventError{Reason: "comes from a source that is not in the configuration (sources)"}
	}
	if event.Group != nil {
		in.key = r.keyer.Group(in.source, event.Group.Identity())
		return in, checkMembers(event.Group)
	}
	in.correlationID = correlate(event.Person)
	if strings.TrimSpace(in.correlationID) == "" {
		return in, &events.EventError{Where: "/data", Reason: "lacks the attribute that names the person (sources, correlate)"}
	}
	in.key = r.keyer.Person(in.correlationID)
	return in, nil
}

// reason is an error in the words of a rejection.
func reason(err error) string {
	var fault *events.EventError
	if errors.As(err, &fault) {
		return fault.Error()
	}
	return "event: could not be used"
}
