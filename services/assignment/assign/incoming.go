package assign

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
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
	versions      events.VersionKind

	span    trace.Span
	context context.Context //nolint:containedctx // the span's, for what the event leads to
	// fault says why the event cannot be used.
	fault error
	// again says that an admin wants a rejected event to be read again.
	again bool
	// folded says what the event did to the person.
	folded rules.Folded
	// trouble says why the event is undecided, where that is not the bus.
	trouble error
	// verdict is what became of the event; done is told, with the delay after
	// which an undecided event is to come again.
	verdict verdict
	done    func(verdict, time.Duration)
}

// said is the event as the rules fold it.
func (in *incoming) said() rules.Event {
	return rules.Event{Event: in.event, Origin: in.origin, Versions: in.versions, CorrelationID: in.correlationID, Key: in.key}
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

// reader makes incoming events of what is stored.
type reader struct{ *rules.Reader }

// read decodes an entry. A fault is an *[events.EventError]; what is known of
// the event by then is in the result all the same.
func (r *reader) read(entry bus.Entry) (*incoming, error) {
	said, err := r.Read(entry.Subject, entry.Data, events.Origin{Seq: entry.Seq, Time: entry.Time.UTC()})
	return &incoming{
		entry: entry, source: said.Origin.Source, origin: said.Origin,
		event: said.Event, correlationID: said.CorrelationID, key: said.Key, versions: said.Versions,
	}, err
}

// reason is an error in the words of a rejection.
func reason(err error) string {
	var fault *events.EventError
	if errors.As(err, &fault) {
		return fault.Error()
	}
	return "event: could not be used"
}
