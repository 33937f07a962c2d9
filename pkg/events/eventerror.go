package events

import (
	"errors"
	"fmt"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// EventError says what is wrong with an event and where, in words for the team
// that published it. It quotes no value of the event, so it may be logged.
type EventError struct {
	// Where is a JSON pointer (RFC 6901), empty for the event as a whole. It is
	// made of attribute names and cut after 256 bytes.
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

// maxWhere bounds how much of a sender's own attribute names is repeated.
const maxWhere = 256

func clip(where string) string {
	if len(where) <= maxWhere {
		return where
	}
	cut := maxWhere
	for !utf8.RuneStart(where[cut]) {
		cut--
	}
	return where[:cut] + "..."
}

// explain turns a decoder's error into one that quotes no value; the decoder's
// own sentence does.
func explain(err error) *EventError {
	var sem *json.SemanticError
	if errors.As(err, &sem) {
		return &EventError{Where: clip(string(sem.JSONPointer)), Reason: semanticReason(sem)}
	}
	var syn *jsontext.SyntacticError
	if !errors.As(err, &syn) {
		return &EventError{Reason: "is not valid JSON"}
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return &EventError{Where: clip(string(syn.JSONPointer)), Reason: "stands twice"}
	}
	return &EventError{
		Where:  clip(string(syn.JSONPointer)),
		Reason: fmt.Sprintf("is not valid JSON (byte %d)", syn.ByteOffset),
	}
}

func semanticReason(sem *json.SemanticError) string {
	if errors.Is(sem, json.ErrUnknownName) {
		return "is not an attribute Rollcall knows (custom ones go under urn:rollcall:params:scim:schemas:extension:custom:1.0:User)"
	}
	if sem.GoType == nil {
		return "has the wrong type"
	}
	want := wanted(sem.GoType)
	if got := got(sem.JSONKind); got != "" && got != want {
		return "must be " + want + ", is " + got
	}
	return "must be " + want
}

func wanted(t reflect.Type) string {
	if t == reflect.TypeFor[time.Time]() {
		return "an RFC 3339 time"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "a bool"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map, reflect.Pointer:
		return "an object"
	default:
		return "a whole number in range"
	}
}

func got(k jsontext.Kind) string {
	switch k {
	case '"':
		return "a string"
	case 't', 'f':
		return "a bool"
	case '0':
		return "a number"
	case '[':
		return "an array"
	case '{':
		return "an object"
	case 'n':
		return "null"
	default:
		return ""
	}
}
