package emulator

import (
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// jsonInput reads a record from a parsed JSON object.
type jsonInput struct {
	object *wire.Object
	src    []byte
}

func (in jsonInput) each(fn func(string, any) *wire.APIError) *wire.APIError {
	for i := range in.object.Members {
		m := &in.object.Members[i]
		if m.Name == "attributes" {
			continue
		}
		if err := fn(m.Name, m.Value); err != nil {
			if err.Code == "JSON_PARSER_ERROR" {
				err.Message += " at " + wire.Position(in.src, m.Pos)
			}
			return err
		}
	}
	return nil
}

func (in jsonInput) value(name string) (any, bool) { return in.object.Get(name) }

// mapInput reads a record from a Go map, for planting.
type mapInput map[string]any

func (in mapInput) each(fn func(string, any) *wire.APIError) *wire.APIError {
	for name, v := range in {
		if err := fn(name, wire.FromGo(v)); err != nil {
			return err
		}
	}
	return nil
}

func (in mapInput) value(name string) (any, bool) {
	for n, v := range in {
		if strings.EqualFold(n, name) {
			return wire.FromGo(v), true
		}
	}
	return nil, false
}

// draftInput lets a fault match on the sent value or, for an update, on what
// the record already holds.
type draftInput struct {
	draft *draft
	sent  input
}

func (in draftInput) each(fn func(string, any) *wire.APIError) *wire.APIError {
	return in.sent.each(fn)
}

func (in draftInput) value(name string) (any, bool) {
	if v, ok := in.sent.value(name); ok {
		return v, true
	}
	f := in.draft.object.field(name)
	if f == nil {
		return nil, false
	}
	if in.draft.row != nil && f.kind == kindID {
		return in.draft.row.id, true
	}
	v := cellAt(in.draft.cells, f.pos)
	return v, v != nil
}

// rowInput is a stored row seen as input, for faults on deletes.
type rowInput struct {
	org    *Org
	object *object
	row    *record
}

func (in rowInput) each(func(string, any) *wire.APIError) *wire.APIError { return nil }

func (in rowInput) value(name string) (any, bool) {
	f := in.object.field(name)
	if f == nil {
		return nil, false
	}
	v := in.org.value(in.row, f)
	return v, v != nil
}
