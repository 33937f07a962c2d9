package store

import (
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// related reads a reference by a key of the row that is meant: the member
// "Manager":{"Username":"..."} of a record, or the column Manager.Username of a
// bulk row. It gives the field that holds the reference and the row's id, and
// no field when the name is no relation. [D api_rest relationship by external id]
func (t *Tx) related(o *Object, name string, value any) (*Field, any, *wire.APIError) {
	relation, key, dotted := strings.Cut(name, ".")
	f := o.Relation(relation)
	if f == nil || len(f.ReferenceTo) == 0 {
		return nil, nil, nil
	}
	target := t.Data.Object(f.ReferenceTo[0])
	if target == nil {
		return nil, nil, nil
	}
	if !dotted {
		if value == nil {
			return f, nil, nil
		}
		obj, ok := value.(*wire.Object)
		if !ok {
			return nil, nil, f.cannot(value)
		}
		if key, value, ok = soleMember(obj); !ok { // [U]
			return nil, nil, wire.RecordError("INVALID_FIELD", "More than 1 field provided in an external foreign key reference in entity: "+target.Name)
		}
	}
	column := t.Data.Key(target, key)
	if column == nil { // code and text [U]
		return nil, nil, wire.RecordError("INVALID_FIELD", "Foreign key external ID: "+key+" is not an external ID or indexed field of "+target.Name)
	}
	if value == nil {
		return f, nil, nil
	}
	rows := t.Data.Table(target.Name).Matches(column, wire.PlainValue(value))
	if len(rows) != 1 { // [U]
		return nil, nil, wire.RecordError("INVALID_FIELD", "Foreign key external ID: "+wire.PlainValue(value)+" not found for field "+column.Name+" in entity "+target.Name)
	}
	return f, rows[0].ID, nil
}

// soleMember is the one member of an object beside its attributes.
func soleMember(obj *wire.Object) (name string, value any, ok bool) {
	for _, m := range obj.Members {
		if m.Name == "attributes" {
			continue
		}
		if ok {
			return "", nil, false
		}
		name, value, ok = m.Name, m.Value, true
	}
	return name, value, ok
}

// Column says whether callers may name a column of a bulk upload so.
func (d *Data) Column(obj *Object, name string) bool {
	if d.Visible(obj, name) != nil {
		return true
	}
	relation, key, _ := strings.Cut(name, ".")
	f := obj.Relation(relation)
	if f == nil || len(f.ReferenceTo) == 0 || d.Hides(f) {
		return false
	}
	target := d.Object(f.ReferenceTo[0])
	return target != nil && d.Key(target, key) != nil
}
