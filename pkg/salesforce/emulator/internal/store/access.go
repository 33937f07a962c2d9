package store

import (
	"fmt"
	"strings"
)

// FieldAccess is what field-level security leaves of a field to those who call
// the API.
type FieldAccess string

const (
	// FieldHidden fields are not there: INVALID_FIELD, and no describe shows
	// them. [R]
	FieldHidden FieldAccess = "none"
	// FieldReadOnly fields are read, and writing them is
	// INVALID_FIELD_FOR_INSERT_UPDATE. [R amp-labs]
	FieldReadOnly FieldAccess = "read"
	// FieldEditable is the default.
	FieldEditable FieldAccess = "edit"
)

// Hides says whether callers cannot see the field.
func (d *Data) Hides(f *Field) bool { return d.Access[f] == FieldHidden }

// Visible finds a field that callers can see.
func (d *Data) Visible(obj *Object, name string) *Field {
	if f := obj.Field(name); f != nil && !d.Hides(f) {
		return f
	}
	return nil
}

// Key finds a field that may address a record in a path, or nil.
func (d *Data) Key(obj *Object, name string) *Field {
	if f := d.Visible(obj, name); f != nil && f.lookup() {
		return f
	}
	return nil
}

// LimitField changes field-level security; field is an object and a field.
func (d *Data) LimitField(field string, access FieldAccess) error {
	object, name, _ := strings.Cut(field, ".")
	obj := d.Object(object)
	if obj == nil || obj.Field(name) == nil {
		return fmt.Errorf("emulator: field access: no field %q", field)
	}
	switch access {
	case FieldHidden, FieldReadOnly, FieldEditable:
	default:
		return fmt.Errorf("emulator: field access: %q, only none, read and edit", access)
	}
	f := obj.Field(name)
	if access == FieldHidden && (f.Required || f.Kind == KindID) {
		return fmt.Errorf("emulator: field access: %s is required and cannot be hidden", field) // [D]
	}
	d.Access[f] = access
	return nil
}
