package assign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
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

// reader understands events: it knows the sources and derives keys.
type reader struct {
	sources map[string]source
	keyer   *events.Keyer
}

// source is a configured source.
type source struct {
	ids      *correlation.IDs
	versions events.VersionKind
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
	from, ok := r.sources[in.source]
	if !ok {
		return in, &events.EventError{Reason: "comes from a source that is not in the configuration (sources)"}
	}
	in.versions = from.versions
	if err := checkVersion(in.source, from.versions, event.SourceVersion); err != nil {
		return in, err
	}
	if event.Group != nil {
		in.key = r.keyer.Group(in.source, event.Group.Identity())
	}
	if in.correlationID, err = from.ids.Of(event); err != nil || event.Group != nil {
		return in, err
	}
	in.key = r.keyer.Person(in.correlationID)
	return in, nil
}

// checkVersion refuses an event whose sourceversion is not of the kind that its
// source is configured to send, always or never: so whether an event is refused
// hangs on no other event, and any two can be ordered.
func checkVersion(source string, want events.VersionKind, version string) error {
	is := events.KindOfVersion(version)
	key := "sources." + source + ".sourceVersion"
	var reason string
	switch {
	case is == want:
		return nil
	case want == events.VersionNone:
		reason = fmt.Sprintf("is a %s, but source %s is configured to send none: say %s: %s in Rollcall's configuration, or leave sourceversion out", is, source, key, is)
	case is == events.VersionNone:
		reason = fmt.Sprintf("is missing, but source %s is configured to send a %s with every event (%s): send it, or say none there", source, want, key)
	default:
		reason = fmt.Sprintf("is a %s, but source %s is configured to send a %s (%s): send that, or say %s there", is, source, want, key, is)
	}
	return &events.EventError{Where: "/sourceversion", Reason: reason}
}

// reason is an error in the words of a rejection.
func reason(err error) string {
	var fault *events.EventError
	if errors.As(err, &fault) {
		return fault.Error()
	}
	return "event: could not be used"
}
