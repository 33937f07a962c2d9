package events

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Event types. A type's version changes when a reader of the old one would
// misunderstand the new.
const (
	typePrefix         = "io.github.rollcall-sync."
	TypePersonUpserted = typePrefix + "person.upserted.v1"
	TypePersonRemoved  = typePrefix + "person.removed.v1"
	TypeGroupUpserted  = typePrefix + "group.upserted.v1"
	TypeGroupRemoved   = typePrefix + "group.removed.v1"
)

// Kinds are the last token of a DIRECTORY subject.
const (
	KindPerson = "person"
	KindGroup  = "group"
)

// Limits on an event. NATS itself refuses more than 1 MiB by default, so a
// larger event never arrives; depth is what SCIM needs, doubled.
const (
	MaxEventBytes = 1 << 20
	MaxEventDepth = 16
)

// Event is a CloudEvent 1.0 in structured JSON, as DIRECTORY holds it.
// See https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md.
type Event struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Subject         string    `json:"subject,omitempty"`
	Time            time.Time `json:"time,omitzero"`
	DataContentType string    `json:"datacontenttype,omitempty"`
	DataSchema      string    `json:"dataschema,omitempty"`
	// SourceVersion decides between events of one source about one person: a
	// whole number or an RFC 3339 time that grows with every change. A source
	// sends it always or never, as configured ([VersionKind]).
	SourceVersion string `json:"sourceversion,omitempty"`
	// Lane "backfill" marks a bulk load, which waits behind single changes.
	Lane Lane `json:"rollcalllane,omitempty"`
	// BatchID names what the event was published with, a whole export say, among
	// the batches of its source; BatchSize is how many events that are, this one
	// counted. Both or neither: a burst can be judged by its size before all of
	// it is there.
	BatchID     string `json:"batchid,omitempty"`
	BatchSize   int    `json:"batchsize,omitzero"`
	Traceparent string `json:"traceparent,omitempty"`
	Tracestate  string `json:"tracestate,omitempty"`

	// Person or Group is the data, by type.
	Person *Person `json:"-"`
	Group  *Group  `json:"-"`
}

// SaysLeft says whether the event is a source's word that a person has left.
func (e *Event) SaysLeft() bool {
	return e.Type == TypePersonRemoved || e.Person != nil && e.Person.Active != nil && !*e.Person.Active
}

// wireEvent is Event as it travels. Extensions Rollcall has no use for are
// checked and let pass.
type wireEvent struct {
	Event
	Data       jsontext.Value            `json:"data"`
	Extensions map[string]jsontext.Value `json:",embed"`
}

// Kind returns the kind of an event type, empty for a type nobody knows.
func Kind(eventType string) string {
	switch eventType {
	case TypePersonUpserted, TypePersonRemoved:
		return KindPerson
	case TypeGroupUpserted, TypeGroupRemoved:
		return KindGroup
	}
	return ""
}

// Removed says whether the event takes its subject away.
func (e *Event) Removed() bool { return e.Type == TypePersonRemoved || e.Type == TypeGroupRemoved }

// DecodeEvent reads a structured CloudEvent published under subject. Every
// fault is an *[EventError]. A null attribute is an absent one, as CloudEvents
// and SCIM both say.
func DecodeEvent(subject string, data []byte) (*Event, error) {
	kind, err := directoryKind(subject)
	if err != nil {
		return nil, err
	}
	if err := checkShape(data); err != nil {
		return nil, err
	}
	var w wireEvent
	if err := json.Unmarshal(data, &w); err != nil {
		return nil, explain(err)
	}
	if err := w.checkAttributes(kind); err != nil {
		return nil, err
	}
	return w.decodeData()
}

// EncodeEvent writes an event as DecodeEvent reads it, and refuses one that
// DecodeEvent would refuse. An empty specversion is written as 1.0.
func EncodeEvent(e *Event) ([]byte, error) {
	w := wireEvent{Event: *e}
	w.SpecVersion = cmp.Or(e.SpecVersion, "1.0")
	var err error
	if w.Data, err = encodeData(e); err != nil {
		return nil, err
	}
	if err := w.checkAttributes(Kind(e.Type)); err != nil {
		return nil, err
	}
	out, err := json.Marshal(w, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", explain(err))
	}
	// Keys that differ only in case can hide in a map of custom attributes.
	if err := checkShape(out); err != nil {
		return nil, err
	}
	return out, nil
}

func encodeData(e *Event) (jsontext.Value, error) {
	var (
		data []byte
		err  error
	)
	switch {
	case Kind(e.Type) == KindPerson && e.Person != nil:
		data, err = json.Marshal(e.Person, json.Deterministic(true))
	case Kind(e.Type) == KindGroup && e.Group != nil:
		if e.Group.Identity() == "" {
			return nil, errNoGroupIdentity()
		}
		data, err = json.Marshal(e.Group, json.Deterministic(true))
	case Kind(e.Type) == "":
		return nil, &EventError{Where: "/type", Reason: "is not a type Rollcall reads"}
	default:
		return nil, &EventError{Where: "/data", Reason: "is missing"}
	}
	if err != nil {
		return nil, fmt.Errorf("encode event data: %w", explain(err))
	}
	return data, nil
}

func directoryKind(subject string) (string, error) {
	p := strings.Split(subject, ".")
	if len(p) != 4 || p[0] != "rollcall" || p[1] != "directory" || p[2] == "" {
		return "", &EventError{Reason: "was published under a subject that is not rollcall.directory.<source>.<kind>"}
	}
	if p[3] != KindPerson && p[3] != KindGroup {
		return "", &EventError{Reason: "was published under a subject that ends in neither person nor group"}
	}
	return p[3], nil
}

// SourceOf returns the source named by a DIRECTORY subject; the subject is what
// NATS permissions protect, so it is believed rather than the body.
func SourceOf(subject string) string {
	p := strings.Split(subject, ".")
	if len(p) != 4 {
		return ""
	}
	return p[2]
}

func (w *wireEvent) decodeData() (*Event, error) {
	if w.Data.Kind() != '{' {
		return nil, &EventError{Where: "/data", Reason: "must be an object"}
	}
	e := w.Event
	var into any
	if Kind(e.Type) == KindPerson {
		e.Person = &Person{}
		into = e.Person
	} else {
		e.Group = &Group{}
		into = e.Group
	}
	if err := json.Unmarshal(w.Data, into, json.RejectUnknownMembers(true)); err != nil {
		fault := explain(err)
		fault.Where = clip("/data" + fault.Where)
		return nil, fault
	}
	if e.Group != nil && e.Group.Identity() == "" {
		return nil, errNoGroupIdentity()
	}
	return &e, nil
}

func errNoGroupIdentity() *EventError {
	return &EventError{Where: "/data/externalId", Reason: "a group needs externalId or id"}
}
