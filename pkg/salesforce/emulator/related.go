package emulator

import (
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// related reads a reference by a key of the row that is meant: the member
// "Manager":{"Username":"..."} of a record, or the column Manager.Username of a
// bulk row. It gives the field that holds the reference and the row's id, and
// no field when the name is no relation. [D api_rest relationship by external id]
func (t *tx) related(o *object, name string, value any) (*field, any, *wire.APIError) {
	relation, key, dotted := strings.Cut(name, ".")
	f := o.relation(relation)
	if f == nil || len(f.referenceTo) == 0 {
		return nil, nil, nil
	}
	target := t.org.object(f.referenceTo[0])
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
			return nil, nil, wire.RecordError("INVALID_FIELD", "More than 1 field provided in an external foreign key reference in entity: "+target.name)
		}
	}
	column := t.org.key(target, key)
	if column == nil { // code and text [U]
		return nil, nil, wire.RecordError("INVALID_FIELD", "Foreign key external ID: "+key+" is not an external ID or indexed field of "+target.name)
	}
	if value == nil {
		return f, nil, nil
	}
	rows := t.org.table(target.name).matches(column, wire.PlainValue(value))
	if len(rows) != 1 { // [U]
		return nil, nil, wire.RecordError("INVALID_FIELD", "Foreign key external ID: "+wire.PlainValue(value)+" not found for field "+column.name+" in entity "+target.name)
	}
	return f, rows[0].id, nil
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

// column says whether callers may name a column of a bulk upload so.
func (o *Org) column(obj *object, name string) bool {
	if o.visible(obj, name) != nil {
		return true
	}
	relation, key, _ := strings.Cut(name, ".")
	f := obj.relation(relation)
	if f == nil || len(f.referenceTo) == 0 || o.hides(f) {
		return false
	}
	target := o.object(f.referenceTo[0])
	return target != nil && o.key(target, key) != nil
}
