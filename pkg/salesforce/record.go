package salesforce

import (
	"encoding/json"
	"strings"
)

// Record is one row: field name to value. Numbers that were read are
// json.Number, a parent relationship is a nested map, an empty one nil.
// The "attributes" Salesforce wants are added by the client when writing.
type Record map[string]any

// ID returns the record's id, empty if it was not selected.
func (r Record) ID() string { return r.String("Id") }

// String returns a text field, empty when missing, null or not a text. A
// dotted name reaches into parents: "Profile.UserLicense.Name".
func (r Record) String(field string) string {
	switch v := r.Value(field).(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// Bool returns a checkbox field, false when missing or null.
func (r Record) Bool(field string) bool {
	v, _ := r.Value(field).(bool)
	return v
}

// Int returns a number field, 0 when missing, null or not whole.
func (r Record) Int(field string) int64 {
	n, _ := r.Value(field).(json.Number)
	i, _ := n.Int64()
	return i
}

// Type returns the object the record says it is, empty if it does not say.
func (r Record) Type() string { return r.String("attributes.type") }

// Value returns a field as it was read. Names are matched without regard to
// case when there is no exact match: SOQL is answered with the names of the
// schema, not with those of the query.
func (r Record) Value(field string) any {
	first, rest, nested := strings.Cut(field, ".")
	v, ok := r[first]
	if !ok {
		v = r.fold(first)
	}
	if !nested {
		return v
	}
	switch parent := v.(type) {
	case map[string]any:
		return Record(parent).Value(rest)
	case Record:
		return parent.Value(rest)
	case map[string]string:
		if text, ok := parent[rest]; ok {
			return text
		}
	}
	return nil
}

func (r Record) fold(name string) any {
	for k, v := range r {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}

// typed copies a record and says which object it is; the caller's map is left
// alone, it may be shared.
func (r Record) typed(object string) map[string]any {
	out := make(map[string]any, len(r)+1)
	for k, v := range r {
		out[k] = v
	}
	out["attributes"] = map[string]string{"type": object}
	return out
}

// Result is Salesforce's verdict on one record of a call.
type Result struct {
	ID      string
	Success bool
	// Created tells an upsert's insert from its update.
	Created bool
	// Errors has at least one element when Success is false.
	Errors []*Error
}

// Err returns the cause of a failure, nil on success. A consequence of a
// sibling's failure comes last.
func (r Result) Err() error {
	if r.Success {
		return nil
	}
	if e := causeOf(r.Errors); e != nil {
		return e
	}
	return &Error{Code: CodeUnreadable, Message: "a failure without an error"}
}
