package events

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

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
	maxAttribute  = 1024
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
	// whole number or an RFC 3339 time that grows with every change.
	SourceVersion string `json:"sourceversion,omitempty"`
	// Lane "backfill" marks a bulk load, which waits behind single changes.
	Lane        Lane   `json:"rollcalllane,omitempty"`
	Traceparent string `json:"traceparent,omitempty"`
	Tracestate  string `json:"tracestate,omitempty"`

	// Person or Group is the data, by type.
	Person *Person `json:"-"`
	Group  *Group  `json:"-"`
}

// wireEvent is Event as it travels.
type wireEvent struct {
	Event
	Data       jsontext.Value            `json:"data"`
	Extensions map[string]jsontext.Value `json:",inline"`
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

// EventError says what is wrong with an event and where, in words for the team
// that published it. Detail may quote a value, so it is not for logs.
type EventError struct {
	// Where is a JSON pointer (RFC 6901), empty for the event as a whole.
	Where string
	// Reason is a sentence without values from the event.
	Reason string
}

func (e *EventError) Error() string {
	if e.Where == "" {
		return "event: " + e.Reason
	}
	return "event at " + e.Where + ": " + e.Reason
}

// DecodeEvent reads a structured CloudEvent published under subject. Every
// fault is an *[EventError].
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
		return nil, eventError(err)
	}
	if err := w.checkAttributes(kind); err != nil {
		return nil, err
	}
	return w.decodeData()
}

// EncodeEvent writes an event as DecodeEvent reads it.
func EncodeEvent(e *Event) ([]byte, error) {
	var (
		data []byte
		err  error
	)
	switch Kind(e.Type) {
	case KindPerson:
		data, err = json.Marshal(e.Person, json.Deterministic(true))
	case KindGroup:
		data, err = json.Marshal(e.Group, json.Deterministic(true))
	default:
		return nil, fmt.Errorf("encode event: type %q is not one of Rollcall's", e.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("encode event data: %w", err)
	}
	out, err := json.Marshal(wireEvent{Event: *e, Data: data}, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	if len(out) > MaxEventBytes {
		return nil, &EventError{Reason: fmt.Sprintf("is %d bytes, the limit is %d", len(out), MaxEventBytes)}
	}
	return out, nil
}

func directoryKind(subject string) (string, error) {
	p := strings.Split(subject, ".")
	if len(p) != 4 || p[0] != "rollcall" || p[1] != "directory" {
		return "", &EventError{Reason: "was published under a subject that is not rollcall.directory.<source>.<kind>"}
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

// checkShape walks the tokens once: size, UTF-8, syntax, duplicate keys (all
// refused by jsontext), depth, and keys that differ only in case.
func checkShape(data []byte) error {
	if len(data) > MaxEventBytes {
		return &EventError{Reason: fmt.Sprintf("is %d bytes, the limit is %d", len(data), MaxEventBytes)}
	}
	if !utf8.Valid(data) {
		return &EventError{Reason: "is not UTF-8"}
	}
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	folded := []map[string]struct{}{nil}
	for {
		key := isKey(dec)
		tok, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return eventError(err)
		}
		if depth := dec.StackDepth(); depth > MaxEventDepth {
			return &EventError{Reason: fmt.Sprintf("is nested deeper than %d", MaxEventDepth)}
		}
		switch {
		case tok.Kind() == '{' || tok.Kind() == '[':
			folded = append(folded, nil)
		case tok.Kind() == '}' || tok.Kind() == ']':
			folded = folded[:len(folded)-1]
		case key:
			top := len(folded) - 1
			if folded[top] == nil {
				folded[top] = make(map[string]struct{}, 8)
			}
			name := strings.ToLower(tok.String())
			if _, dup := folded[top][name]; dup {
				return &EventError{Where: string(dec.StackPointer()), Reason: "stands twice, in different case"}
			}
			folded[top][name] = struct{}{}
		}
	}
}

// isKey says whether the next token is an object's key.
func isKey(dec *jsontext.Decoder) bool {
	kind, n := dec.StackIndex(dec.StackDepth())
	return kind == '{' && n%2 == 0 && dec.PeekKind() == '"'
}

func (w *wireEvent) checkAttributes(kind string) error {
	switch {
	case w.SpecVersion != "1.0":
		return &EventError{Where: "/specversion", Reason: `must be "1.0"`}
	case w.ID == "" || len(w.ID) > maxAttribute:
		return &EventError{Where: "/id", Reason: "must be 1 to 1024 characters"}
	case w.Source == "" || len(w.Source) > maxAttribute:
		return &EventError{Where: "/source", Reason: "must be 1 to 1024 characters"}
	case Kind(w.Type) == "":
		return &EventError{Where: "/type", Reason: "is not a type Rollcall reads: " + strings.Join(eventTypes(), ", ")}
	case Kind(w.Type) != kind:
		return &EventError{Where: "/type", Reason: "is about a " + Kind(w.Type) + " but was published under a subject for " + kind}
	case w.DataContentType != "" && w.DataContentType != ContentTypeJSON:
		return &EventError{Where: "/datacontenttype", Reason: "must be application/json"}
	case w.Lane != "" && w.Lane != LaneBackfill && w.Lane != LaneChange:
		return &EventError{Where: "/rollcalllane", Reason: `must be "change" or "backfill"`}
	case w.SourceVersion != "" && !validVersion(w.SourceVersion):
		return &EventError{Where: "/sourceversion", Reason: "must be a whole number or an RFC 3339 time"}
	case len(w.Data) == 0:
		return &EventError{Where: "/data", Reason: "is missing"}
	}
	for name := range w.Extensions {
		if !validExtension(name) {
			return &EventError{Where: "/" + name, Reason: "is not an attribute of CloudEvents 1.0 (extensions are lower-case letters and digits)"}
		}
	}
	return nil
}

func eventTypes() []string {
	return []string{TypePersonUpserted, TypePersonRemoved, TypeGroupUpserted, TypeGroupRemoved}
}

func validExtension(name string) bool {
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return false
		}
	}
	return name != "" && name != "data_base64"
}

func (w *wireEvent) decodeData() (*Event, error) {
	e := w.Event
	var into any
	if Kind(e.Type) == KindPerson {
		e.Person = &Person{}
		into = e.Person
	} else {
		e.Group = &Group{}
		into = e.Group
	}
	if w.Data.Kind() != '{' {
		return nil, &EventError{Where: "/data", Reason: "must be an object"}
	}
	if err := json.Unmarshal(w.Data, into, json.RejectUnknownMembers(true)); err != nil {
		ee := eventError(err)
		ee.Where = "/data" + ee.Where
		return nil, ee
	}
	if e.Group != nil && e.Group.Identity() == "" {
		return nil, &EventError{Where: "/data/externalId", Reason: "a group needs externalId or id"}
	}
	return &e, nil
}

// eventError turns a decoder's error into one that quotes no value.
func eventError(err error) *EventError {
	var sem *json.SemanticError
	if errors.As(err, &sem) {
		reason := "has the wrong type"
		switch {
		case errors.Is(err, json.ErrUnknownName):
			reason = "is not an attribute Rollcall knows (custom ones go under urn:rollcall:params:scim:schemas:extension:custom:1.0:User)"
		case sem.GoType != nil && sem.JSONKind != 0:
			reason = fmt.Sprintf("must be %s, is %s", jsonName(sem.GoType.Kind().String()), sem.JSONKind)
		}
		return &EventError{Where: string(sem.JSONPointer), Reason: reason}
	}
	var syn *jsontext.SyntacticError
	if errors.As(err, &syn) {
		reason := "is not valid JSON"
		if errors.Is(err, jsontext.ErrDuplicateName) {
			reason = "stands twice"
		}
		return &EventError{Where: string(syn.JSONPointer), Reason: fmt.Sprintf("%s (byte %d)", reason, syn.ByteOffset)}
	}
	return &EventError{Reason: "is not valid JSON"}
}

func jsonName(goKind string) string {
	switch goKind {
	case "string", "bool":
		return "a " + goKind
	case "slice":
		return "an array"
	case "struct", "map", "ptr":
		return "an object"
	}
	return "a " + goKind
}

func validVersion(v string) bool {
	_, number := new(big.Int).SetString(v, 10)
	if number {
		return len(v) <= 64
	}
	_, err := time.Parse(time.RFC3339Nano, v)
	return err == nil
}

// ErrVersionKind is returned where two source versions cannot be compared: one
// is a number, the other a time.
var ErrVersionKind = errors.New("sourceversion changed between a number and a time")

// CompareSourceVersions returns -1, 0 or 1 as a is older than, the same as or
// newer than b. Both must be valid.
func CompareSourceVersions(a, b string) (int, error) {
	na, okA := new(big.Int).SetString(a, 10)
	nb, okB := new(big.Int).SetString(b, 10)
	if okA != okB {
		return 0, ErrVersionKind
	}
	if okA {
		return na.Cmp(nb), nil
	}
	ta, errA := time.Parse(time.RFC3339Nano, a)
	tb, errB := time.Parse(time.RFC3339Nano, b)
	if errA != nil || errB != nil {
		return 0, ErrVersionKind
	}
	return ta.Compare(tb), nil
}
