package org

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Hand is what an administrator does to an org by hand, behind every client's
// back. The state lock is held.
type Hand struct {
	*Org
	// Tx is what has been done; nil where nothing is.
	Tx *store.Tx
}

// ByHand begins what an administrator does; a failure is rolled back by whom it
// is told.
func (o *Org) ByHand() Hand {
	t := o.Begin(nil)
	t.Plants = true
	return Hand{o, t}
}

// modify changes a row as the emulator itself: no faults, read-only fields
// allowed.
func (h Hand) modify(object, id string, fields map[string]any) error {
	if res := h.Tx.Update(h.Object(object), id, store.MapInput(fields)); !res.OK() {
		return fmt.Errorf("emulator: update: %w", res.Errs[0])
	}
	return nil
}

// Create makes a record of any object and gives its id.
func (h Hand) Create(object string, fields map[string]any) (string, error) {
	obj := h.Object(object)
	if obj == nil {
		return "", fmt.Errorf("emulator: create: no object %q", object)
	}
	if obj.Name == "User" {
		var err error
		if fields, err = h.completeUser(fields); err != nil {
			return "", fmt.Errorf("emulator: create: %w", err)
		}
	}
	res := h.Tx.Insert(obj, store.MapInput(fields))
	if !res.OK() {
		return "", fmt.Errorf("emulator: create: %s %v: %w", obj.Name, fields, res.Errs[0])
	}
	return res.ID, nil
}

// touched finds a user who must be there, for a change that the journal names
// the user in.
func (h Hand) touched(username string) (*store.Record, error) {
	r, err := h.User(username)
	if err == nil {
		h.Tx.Places = append(h.Tx.Places, r.ID, wire.PlainValue(r.At(h.user.username.Pos)))
	}
	return r, err
}

// User finds a user who must be there.
func (h Hand) User(username string) (*store.Record, error) {
	r := h.UserByName(username)
	if r == nil {
		return nil, fmt.Errorf("emulator: no user %q", username)
	}
	return r, nil
}

// UpdateUser changes fields of a user.
func (h Hand) UpdateUser(username string, fields map[string]any) error {
	r, err := h.touched(username)
	if err != nil {
		return err
	}
	return h.modify("User", r.ID, fields)
}

// FreezeUser freezes or unfreezes a user.
func (h Hand) FreezeUser(username string, frozen bool) error {
	r, err := h.touched(username)
	if err != nil {
		return err
	}
	return h.modify("UserLogin", h.loginOf(r.ID).ID, map[string]any{"IsFrozen": frozen})
}

// Give gives a user access beside what is there. Names of what the org does not
// have are refused, and nothing is given then.
func (h Hand) Give(username string, a Access) error {
	r, err := h.touched(username)
	if err != nil {
		return err
	}
	if err := h.known(a, false); err != nil {
		return err
	}
	return h.give(h.Tx, r.ID, a)
}

// Take takes access away that a user has; Everything is all of a list.
func (h Hand) Take(username string, a Access) error {
	r, err := h.touched(username)
	if err != nil {
		return err
	}
	if err := h.known(a, true); err != nil {
		return err
	}
	return h.take(h.Tx, r.ID, a)
}

// PlantFlow has the org strip users who are deactivated from now on; an empty
// Flow ends it.
func (h Hand) PlantFlow(f Flow) error {
	if err := h.checkFlow(f); err != nil {
		return err
	}
	h.Config.OnDeactivation = f
	return nil
}

// RefuseDeactivation makes deactivating a user fail with a reason; a zero
// Refusal allows it again. An empty code becomes FIELD_INTEGRITY_EXCEPTION. [U]
func (h Hand) RefuseDeactivation(username string, reason Refusal) error {
	r, err := h.User(username)
	if err != nil {
		return err
	}
	if reason == (Refusal{}) {
		delete(h.refusals, store.ShortID(r.ID))
		return nil
	}
	if reason.Code == "" {
		reason.Code = "FIELD_INTEGRITY_EXCEPTION"
	}
	h.refusals[store.ShortID(r.ID)] = reason
	return nil
}

// SetSeats changes the total of a licence, by its name, definition key, or field
// of User.
func (h Hand) SetSeats(licence string, total int) error {
	if f := h.seats.feature(licence); f != nil {
		h.seats.limit(f, total)
		return nil
	}
	object, r := h.licenceNamed(licence)
	if r == nil {
		return fmt.Errorf("emulator: no licence %q", licence)
	}
	return h.modify(object, r.ID, map[string]any{"TotalLicenses": total})
}

// Seats gives used and total of a licence; zeros when there is none.
func (h Hand) Seats(licence string) (used, total int) {
	if f := h.seats.feature(licence); f != nil {
		return h.seats.features[f], h.seats.limits[f.Name]
	}
	object, r := h.licenceNamed(licence)
	if r == nil {
		return 0, 0
	}
	n, _ := r.At(h.Object(object).Field("TotalLicenses").Pos).(int64)
	return h.seats.taken(r.ID), int(n)
}

func (h Hand) licenceNamed(name string) (string, *store.Record) {
	for _, at := range [...][2]string{{"UserLicense", "Name"}, {"UserLicense", "LicenseDefinitionKey"}, {"PermissionSetLicense", "DeveloperName"}} {
		if r := h.ByName(at[0], at[1], name); r != nil {
			return at[0], r
		}
	}
	return "", nil
}

// Deny puts denials in a user's way, beside those that are there; an empty
// username means every user of the org.
func (h Hand) Deny(username string, what []Denial) error {
	for _, d := range what {
		if !slices.Contains(everyDenial(), d) {
			return fmt.Errorf("emulator: deny: no denial %q, only %v", d, everyDenial())
		}
	}
	key, err := h.denialKey(username)
	if err != nil {
		return err
	}
	h.Denied.add(key, what)
	return nil
}

// Allow takes denials away again, all of them when none is named.
func (h Hand) Allow(username string, what []Denial) error {
	key, err := h.denialKey(username)
	if err != nil {
		return err
	}
	h.Denied.take(key, what)
	return nil
}

func (h Hand) denialKey(username string) (string, error) {
	if username == "" {
		return "", nil
	}
	r, err := h.User(username)
	if err != nil {
		return "", err
	}
	return store.ShortID(r.ID), nil
}

// SetFieldAccess changes field-level security; field is an object and a field.
func (h Hand) SetFieldAccess(field string, access store.FieldAccess) error {
	if err := h.LimitField(field, access); err != nil {
		return err
	}
	h.Config.FieldAccess = maps.Clone(h.Config.FieldAccess)
	if h.Config.FieldAccess == nil {
		h.Config.FieldAccess = map[string]store.FieldAccess{}
	}
	h.Config.FieldAccess[field] = access
	h.Made = h.set.Now()
	return nil
}

// SetPropagationDelay is for the apps that are added or changed from now on.
func (h Hand) SetPropagationDelay(delay time.Duration) {
	h.Config.PropagationDelay = delay
	h.Auth.SetPropagationDelay(delay)
}
