package store

import (
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// maxInterned bounds the table of shared values.
const maxInterned = 8192

// Data holds the rows of one org, and what callers may see and change of them.
type Data struct {
	Pod      string // two characters that tell the org's ids from those of others
	tables   map[string]*Table
	Objects  []*Object
	interned map[string]any
	Access   map[*Field]FieldAccess
	Now      func() time.Time
	// Lacks says whether a user has no right to change rows of a type; nil:
	// everybody has every right.
	Lacks func(userID string, o *Object) bool
}

// New is empty; declare says what it may hold.
func New(pod string, now func() time.Time) *Data {
	return &Data{Pod: pod, tables: map[string]*Table{}, interned: map[string]any{}, Access: map[*Field]FieldAccess{}, Now: now}
}

// Declare makes the tables of objects, in the order that ids are looked up in.
func (d *Data) Declare(objects []*Object) {
	d.Objects = objects
	for _, o := range objects {
		d.tables[strings.ToLower(o.Name)] = newTable(o)
	}
}

// Table finds the rows of an object by its name in any case, or nil.
func (d *Data) Table(object string) *Table {
	if t, ok := d.tables[object]; ok {
		return t
	}
	return d.tables[strings.ToLower(object)]
}

// Object finds an sObject type by name in any case, or nil.
func (d *Data) Object(name string) *Object {
	if t := d.Table(name); t != nil {
		return t.Object
	}
	return nil
}

// ObjectOf finds the type that an id belongs to.
func (d *Data) ObjectOf(id string) *Object {
	for _, obj := range d.Objects {
		if strings.HasPrefix(id, obj.Prefix) {
			return obj
		}
	}
	return nil
}

// Value reads a column, stored or computed.
func (d *Data) Value(r *Record, f *Field) any {
	if f.compute != nil {
		return f.compute(r)
	}
	v := r.At(f.Pos)
	if v == nil && f.Kind == KindBoolean {
		return false // false is not stored: a user has a dozen flags
	}
	return v
}

// Intern keeps one copy of values that many rows share.
func (d *Data) Intern(f *Field, v any) any {
	s, ok := v.(string)
	if !ok || !f.shared {
		return v
	}
	if kept, ok := d.interned[s]; ok {
		return kept
	}
	if len(d.interned) < maxInterned {
		d.interned[s] = v
	}
	return v
}

// ByName finds the first row whose indexed column has the value.
func (d *Data) ByName(object, column, value string) *Record {
	t := d.Table(object)
	rows := t.Matches(t.Object.Field(column), value)
	if len(rows) == 0 {
		return nil
	}
	BySeq(rows)
	return rows[0]
}

// Taken finds another row that holds the value.
func (d *Data) Taken(obj *Object, f *Field, v any, self *Record) *Record {
	for _, r := range d.Table(obj.Name).Matches(f, IndexKey(f, v)) {
		if r != self && (!f.CaseSensitive || r.At(f.Pos) == v) {
			return r
		}
	}
	return nil
}

// Parent follows a relation to the row it names.
func (d *Data) Parent(r *Record, rel *Field) *Record {
	id, _ := d.Value(r, rel).(string)
	if id == "" {
		return nil
	}
	// Polymorphic relations resolve to their first type only; the emulator has
	// no Name object.
	t := d.Table(rel.ReferenceTo[0])
	if t == nil || !strings.HasPrefix(id, t.Object.Prefix) {
		return nil
	}
	return t.Live(id)
}

// Begin opens a transaction; without an actor it is the emulator's own.
func (d *Data) Begin(actor *Record) *Tx {
	return &Tx{Data: d, Actor: actor, Now: wire.InstantOf(d.Now())}
}

// ChildRelation finds the object and field that a relationship to children
// stands for.
func (d *Data) ChildRelation(parent *Object, name string) (*Object, *Field) {
	for _, obj := range d.Objects {
		for _, f := range obj.Fields {
			if f.PointsTo(parent) && strings.EqualFold(f.Children, name) {
				return obj, f
			}
		}
	}
	return nil, nil
}
