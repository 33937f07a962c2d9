package store

import (
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Draft is a record on its way in: what it was, and what it would be.
type Draft struct {
	Object *Object
	Old    *Record // nil on insert
	Row    *Record
	Cells  []Cell
	sent   []*Field
	fail   *wire.APIError
}

// Get reads the value after the change.
func (d *Draft) Get(name string) any { return CellAt(d.Cells, d.Object.Field(name).Pos) }

// Text reads a value that is a string, else empty.
func (d *Draft) Text(name string) string {
	s, _ := d.Get(name).(string)
	return s
}

// Flag reads a value that is true.
func (d *Draft) Flag(name string) bool {
	b, _ := d.Get(name).(bool)
	return b
}

// Was reads the value before the change; nil on insert.
func (d *Draft) Was(name string) any {
	if d.Old == nil {
		return nil
	}
	return d.Old.At(d.Object.Field(name).Pos)
}

// Changed says whether the value is another than before.
func (d *Draft) Changed(name string) bool { return d.Was(name) != d.Get(name) }

// SentField says whether the caller named the field.
func (d *Draft) SentField(name string) bool {
	return slices.Contains(d.sent, d.Object.Field(name))
}

// same keeps one copy of a text that a record holds twice: username and e-mail
// address, employee number and federation id are often equal.
func (d *Draft) same(v any) any {
	if _, text := v.(string); !text {
		return v
	}
	for i := range d.Cells {
		if d.Cells[i].Value == v {
			return d.Cells[i].Value
		}
	}
	return v
}

// Set gives a field its value; nil takes it away.
func (d *Draft) Set(f *Field, v any) {
	for i := range d.Cells {
		if d.Cells[i].Pos == int32(f.Pos) {
			if v == nil {
				d.Cells = slices.Delete(d.Cells, i, i+1)
			} else {
				d.Cells[i].Value = v
			}
			return
		}
	}
	if v != nil {
		d.Cells = append(d.Cells, Cell{int32(f.Pos), v})
	}
}

// required names every missing field in one error. [R]
func (d *Draft) required() *wire.APIError {
	var missing []string
	for _, f := range d.Object.Fields {
		if f.Required && CellAt(d.Cells, f.Pos) == nil {
			missing = append(missing, f.Name)
		}
	}
	if missing != nil {
		return wire.ErrRequired(missing)
	}
	return d.fail
}

func (d *Draft) defaults() {
	for _, f := range d.Object.Fields {
		if f.Fallback == nil || f.Fallback == false || f.compute != nil {
			continue
		}
		sentFalse := f.Kind == KindBoolean && slices.Contains(d.sent, f)
		if !sentFalse && CellAt(d.Cells, f.Pos) == nil {
			d.Cells = append(d.Cells, Cell{int32(f.Pos), f.Fallback})
		}
	}
}
