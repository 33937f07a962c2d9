package emulator

import (
	"fmt"
	"maps"
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

// SetFieldAccess changes field-level security for everybody who calls the API;
// field is an object and a field, as in "User.Department".
func (o *Org) SetFieldAccess(field string, access FieldAccess) error {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	if err := o.limitField(field, access); err != nil {
		return err
	}
	o.cfg.FieldAccess = maps.Clone(o.cfg.FieldAccess)
	if o.cfg.FieldAccess == nil {
		o.cfg.FieldAccess = map[string]FieldAccess{}
	}
	o.cfg.FieldAccess[field] = access
	o.made = o.server.now()
	return nil
}

func (o *Org) limitField(field string, access FieldAccess) error {
	object, name, _ := strings.Cut(field, ".")
	obj := o.object(object)
	if obj == nil || obj.field(name) == nil {
		return fmt.Errorf("emulator: field access: no field %q", field)
	}
	switch access {
	case FieldHidden, FieldReadOnly, FieldEditable:
	default:
		return fmt.Errorf("emulator: field access: %q, only none, read and edit", access)
	}
	f := obj.field(name)
	if access == FieldHidden && (f.required || f.kind == kindID) {
		return fmt.Errorf("emulator: field access: %s is required and cannot be hidden", field) // [D]
	}
	o.access[f] = access
	return nil
}

// seedFieldAccess applies what the configuration says.
func (o *Org) seedFieldAccess() error {
	for field, access := range o.cfg.FieldAccess {
		if err := o.limitField(field, access); err != nil {
			return err
		}
	}
	return nil
}

// hides says whether callers cannot see the field.
func (o *Org) hides(f *field) bool { return o.access[f] == FieldHidden }

// visible finds a field that callers can see.
func (o *Org) visible(obj *object, name string) *field {
	if f := obj.field(name); f != nil && !o.hides(f) {
		return f
	}
	return nil
}

// key finds a field that may address a record in a path, or nil.
func (o *Org) key(obj *object, name string) *field {
	if f := o.visible(obj, name); f != nil && f.lookup() {
		return f
	}
	return nil
}
