package emulator

import "strings"

// related reads a reference by a key of the row that is meant: the member
// "Manager":{"Username":"..."} of a record, or the column Manager.Username of a
// bulk row. It gives the field that holds the reference and the row's id, and
// no field when the name is no relation. [D api_rest relationship by external id]
func (t *tx) related(o *object, name string, value any) (*field, any, *APIError) {
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
		obj, ok := value.(*jsonObject)
		if !ok {
			return nil, nil, f.cannot(value)
		}
		if key, value, ok = soleMember(obj); !ok { // [U]
			return nil, nil, recordError("INVALID_FIELD", "More than 1 field provided in an external foreign key reference in entity: "+target.name)
		}
	}
	column := t.org.key(target, key)
	if column == nil { // code and text [U]
		return nil, nil, recordError("INVALID_FIELD", "Foreign key external ID: "+key+" is not an external ID or indexed field of "+target.name)
	}
	if value == nil {
		return f, nil, nil
	}
	rows := t.org.table(target.name).matches(column, plainValue(value))
	if len(rows) != 1 { // [U]
		return nil, nil, recordError("INVALID_FIELD", "Foreign key external ID: "+plainValue(value)+" not found for field "+column.name+" in entity "+target.name)
	}
	return f, rows[0].id, nil
}

// soleMember is the one member of an object beside its attributes.
func soleMember(obj *jsonObject) (name string, value any, ok bool) {
	for _, m := range obj.members {
		if m.name == "attributes" {
			continue
		}
		if ok {
			return "", nil, false
		}
		name, value, ok = m.name, m.value, true
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
