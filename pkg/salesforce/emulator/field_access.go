package emulator

import (
	"maps"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// SetFieldAccess changes field-level security for everybody who calls the API;
// field is an object and a field, as in "User.Department".
func (o *Org) SetFieldAccess(field string, access store.FieldAccess) error {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	if err := o.LimitField(field, access); err != nil {
		return err
	}
	o.cfg.FieldAccess = maps.Clone(o.cfg.FieldAccess)
	if o.cfg.FieldAccess == nil {
		o.cfg.FieldAccess = map[string]store.FieldAccess{}
	}
	o.cfg.FieldAccess[field] = access
	o.made = o.server.now()
	return nil
}

// seedFieldAccess applies what the configuration says.
func (o *Org) seedFieldAccess() error {
	for field, access := range o.cfg.FieldAccess {
		if err := o.LimitField(field, access); err != nil {
			return err
		}
	}
	return nil
}
