package org

import (
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// Flow is an automation of the org's own: when a user is deactivated, by
// whomever, it takes access away and blanks fields. When the user comes back it
// does nothing.
type Flow struct {
	Access
	// Fields of User, by API name.
	Fields []string `json:"fields,omitempty"`
}

// checkFlow refuses a flow that could not run.
func (o *Org) checkFlow(f Flow) error {
	if err := o.known(f.Access, true); err != nil {
		return err
	}
	for _, name := range f.Fields {
		field := o.Object("User").Field(name)
		if field == nil || field.Required || !field.Updateable() || field == o.user.active || field == o.user.nickname {
			return fmt.Errorf("emulator: flow: %q is no field of User that can be blank", name)
		}
	}
	return nil
}

// runFlow does what the org's flow does to a user who has just been deactivated.
// It acts by itself: rights, faults and limits of the caller are not its own, but
// what the caller rolls back it takes back too.
func (o *Org) runFlow(t *store.Tx, userID string) {
	own := o.Begin(nil)
	own.Plants, own.Now = true, t.Now
	// Rows that are there can be removed, and checkFlow saw the fields.
	_ = o.take(own, userID, o.Config.OnDeactivation.Access)
	if blank := o.blanks(userID); len(blank) > 0 {
		_ = own.Update(o.Object("User"), userID, blank)
	}
	if own.Mark() == 0 {
		return
	}
	t.OnRollback(own.Rollback)
	before := len(t.Stripped)
	t.Stripped = append(t.Stripped, userID)
	t.OnRollback(func() { t.Stripped = t.Stripped[:min(before, len(t.Stripped))] })
}

// blanks are the fields of the flow that hold something.
func (o *Org) blanks(userID string) store.MapInput {
	user := o.Table("User").Live(userID)
	out := store.MapInput{}
	for _, name := range o.Config.OnDeactivation.Fields {
		f := o.Object("User").Field(name)
		if user.At(f.Pos) == nil {
			continue
		}
		out[f.Name] = nil
		if f.Kind == store.KindBoolean {
			out[f.Name] = false
		}
	}
	return out
}
