package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
)

// Reader understands events: it knows the sources and derives keys. It is safe
// for concurrent use.
type Reader struct {
	sources map[string]source
	keyer   *events.Keyer
}

// source is a configured source.
type source struct {
	ids      *correlation.IDs
	versions events.VersionKind
}

// NewReader takes the sources of the configuration; keyer may be nil where
// nothing is read. The error joins every fault.
func NewReader(sources map[string]config.Source, keyer *events.Keyer) (*Reader, error) {
	var faults []error
	r := &Reader{sources: make(map[string]source, len(sources)), keyer: keyer}
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		if err := events.CheckName(name); err != nil {
			faults = append(faults, fmt.Errorf("sources: %w", err))
		}
		ids, err := correlation.New(name, sources[name])
		if err != nil {
			faults = append(faults, err)
		}
		r.sources[name] = source{ids: ids, versions: sources[name].VersionKind()}
	}
	return r, errors.Join(faults...)
}

// Knows says whether a source is in the configuration.
func (r *Reader) Knows(name string) bool {
	_, ok := r.sources[name]
	return ok
}

// Person is the key of the person with a correlation id.
func (r *Reader) Person(correlationID string) events.Key { return r.keyer.Person(correlationID) }

// Read decodes what stands under a subject of DIRECTORY. A fault is an
// *[events.EventError]; what is known of the event by then is in the result all
// the same.
func (r *Reader) Read(subject string, data []byte, origin events.Origin) (Event, error) {
	in := Event{Origin: origin}
	in.Origin.Source = events.SourceOf(subject)
	event, err := events.DecodeEvent(subject, data)
	if err != nil {
		return in, err
	}
	in.Event, in.Origin.EventID = event, event.ID
	from, ok := r.sources[in.Origin.Source]
	if !ok {
		return in, &events.EventError{Reason: "comes from a source that is not in the configuration (sources)"}
	}
	in.Versions = from.versions
	if err := checkVersion(in.Origin.Source, from.versions, event.SourceVersion); err != nil {
		return in, err
	}
	if event.Group != nil {
		in.Key = r.keyer.Group(in.Origin.Source, event.Group.Identity())
	}
	if in.CorrelationID, err = from.ids.Of(event); err != nil || event.Group != nil {
		return in, err
	}
	in.Key = r.keyer.Person(in.CorrelationID)
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
