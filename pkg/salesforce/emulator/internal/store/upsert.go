package store

import (
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Upsert creates or updates by an external id or idLookup field.
func (t *Tx) Upsert(o *Object, f *Field, value string, in Input, updateOnly bool) (Outcome, []*Record) {
	rows := t.Data.Table(o.Name).Matches(f, value)
	switch {
	case len(rows) > 1:
		return Outcome{}, rows
	case len(rows) == 1:
		return t.Update(o, rows[0].ID, in), nil
	case updateOnly: // [D] forbids creation; answer [U]
		return Failed(wire.ErrNotFound()), nil
	case f.Kind == KindID && value != "":
		return Failed(wire.ErrNotFound()), nil
	}
	return t.Insert(o, keyedInput{in, f, value}), nil
}

// UpsertKeys counts the external ids of one request: every record that shares
// its own with another is refused. [C and S: clients that look for the text]
type UpsertKeys struct {
	field *Field
	seen  map[string]int
}

// NewUpsertKeys counts nothing yet.
func NewUpsertKeys(f *Field) UpsertKeys { return UpsertKeys{f, map[string]int{}} }

func (k UpsertKeys) of(in Input) string {
	v, _ := in.Value(k.field.Name)
	return IndexKey(k.field, wire.PlainValue(v))
}

// Add counts the key of one record.
func (k UpsertKeys) Add(in Input) { k.seen[k.of(in)]++ }

// Repeated refuses a record whose key another one has.
func (k UpsertKeys) Repeated(in Input) *wire.APIError {
	key := k.of(in)
	if key == "" || k.seen[key] < 2 {
		return nil
	}
	v, _ := in.Value(k.field.Name)
	return wire.RecordError("DUPLICATE_VALUE", "Duplicate external id specified: "+wire.PlainValue(v), k.field.Name)
}

// keyedInput adds the value of the external id field to what was sent.
type keyedInput struct {
	Input
	field *Field
	key   string
}

func (in keyedInput) Each(fn func(string, any) *wire.APIError) *wire.APIError {
	if in.field.Kind != KindID {
		if err := fn(in.field.Name, in.key); err != nil {
			return err
		}
	}
	return in.Input.Each(fn)
}

func (in keyedInput) Value(name string) (any, bool) {
	if strings.EqualFold(name, in.field.Name) {
		return in.key, true
	}
	return in.Input.Value(name)
}
