package events

import (
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxAttribute is the most characters an attribute of an event may have. They
// are copied into headers, logs and everything that follows from the event.
const maxAttribute = 1024

// Limits on what an event says of its batch. The id is kept while the batch is
// being read; an Integer of CloudEvents has 32 bits.
const (
	maxBatchID   = 128
	maxBatchSize = math.MaxInt32
)

func (w *wireEvent) checkAttributes(kind string) error {
	if err := w.checkExtensions(); err != nil {
		return err
	}
	if err := w.checkText(); err != nil {
		return err
	}
	switch {
	case w.SpecVersion != "1.0":
		return &EventError{Where: "/specversion", Reason: `must be "1.0"`}
	case w.ID == "":
		return &EventError{Where: "/id", Reason: "is missing"}
	case w.Source == "":
		return &EventError{Where: "/source", Reason: "is missing"}
	case Kind(w.Type) == "":
		return &EventError{Where: "/type", Reason: "is not a type Rollcall reads: " + strings.Join(EventTypes(), ", ")}
	case Kind(w.Type) != kind:
		return &EventError{Where: "/type", Reason: "is about a " + Kind(w.Type) + " but was published under a subject for a " + kind}
	case w.DataContentType != "" && w.DataContentType != ContentTypeJSON:
		return &EventError{Where: "/datacontenttype", Reason: "must be application/json"}
	case w.Lane != "" && w.Lane != LaneBackfill && w.Lane != LaneChange:
		return &EventError{Where: "/rollcalllane", Reason: `must be "change" or "backfill"`}
	case w.SourceVersion != "" && !validVersion(w.SourceVersion):
		return &EventError{Where: "/sourceversion", Reason: "must be a whole number or an RFC 3339 time"}
	case len(w.Data) == 0:
		return &EventError{Where: "/data", Reason: "is missing"}
	}
	return w.checkBatch()
}

// checkBatch refuses half of what has to be said of a batch: an id without a
// size would look like a burst of unknown size, which nobody can judge.
func (w *wireEvent) checkBatch() error {
	switch {
	case utf8.RuneCountInString(w.BatchID) > maxBatchID:
		return &EventError{Where: "/batchid", Reason: "is longer than 128 characters"}
	case w.BatchSize < 0 || w.BatchSize > maxBatchSize:
		return &EventError{Where: "/batchsize", Reason: "must be a whole number from 1 to 2147483647: how many events the batch has"}
	case w.BatchID != "" && w.BatchSize == 0:
		return &EventError{Where: "/batchsize", Reason: "is missing: an event with a batchid says how many events the batch has"}
	case w.BatchID == "" && w.BatchSize != 0:
		return &EventError{Where: "/batchid", Reason: "is missing: an event with a batchsize says which batch that is"}
	}
	return nil
}

// checkExtensions comes first: an attribute that is merely misspelt would
// otherwise be reported as missing.
func (w *wireEvent) checkExtensions() error {
	for _, name := range slices.Sorted(maps.Keys(w.Extensions)) {
		where := clip(string(jsontext.Pointer("").AppendToken(name)))
		if !validExtension(name) {
			return &EventError{Where: where, Reason: "is not an attribute of CloudEvents 1.0 (extensions are lower-case letters and digits)"}
		}
		if k := w.Extensions[name].Kind(); k == '{' || k == '[' {
			return &EventError{Where: where, Reason: "must be a string, a number or a bool: an extension holds no structure"}
		}
	}
	return nil
}

// checkText bounds what is copied into headers and logs.
func (w *wireEvent) checkText() error {
	for _, a := range []struct{ where, text string }{
		{"/id", w.ID},
		{"/source", w.Source},
		{"/subject", w.Subject},
		{"/dataschema", w.DataSchema},
		{"/sourceversion", w.SourceVersion},
		{"/batchid", w.BatchID},
		{"/traceparent", w.Traceparent},
		{"/tracestate", w.Tracestate},
	} {
		if utf8.RuneCountInString(a.text) > maxAttribute {
			return &EventError{Where: a.where, Reason: "is longer than 1024 characters"}
		}
		if strings.ContainsFunc(a.text, unicode.IsControl) {
			return &EventError{Where: a.where, Reason: "holds a control character"}
		}
	}
	return nil
}

// EventTypes returns the types of event that Rollcall reads.
func EventTypes() []string {
	return []string{TypePersonUpserted, TypePersonRemoved, TypeGroupUpserted, TypeGroupRemoved}
}

func validExtension(name string) bool {
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}
