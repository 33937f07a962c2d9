package emulator

import (
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// Create makes a record of any object, as the emulator itself: no faults, and
// no limits on which fields may be written. It gives the new id. For User,
// "Profile" and "UserRole" may be given by name, and what is required but
// missing is filled in.
func (o *Org) Create(object string, fields map[string]any) (string, error) {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	obj := o.Object(object)
	if obj == nil {
		return "", fmt.Errorf("emulator: create: no object %q", object)
	}
	if obj.Name == "User" {
		var err error
		if fields, err = o.seedValues(fields); err != nil {
			return "", fmt.Errorf("emulator: create: %w", err)
		}
	}
	id, err := o.plant(obj.Name, fields)
	if err != nil {
		return "", fmt.Errorf("emulator: create: %w", err)
	}
	return id, nil
}

// UpdateUser changes fields of a user behind every client's back.
func (o *Org) UpdateUser(username string, fields map[string]any) error {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	r := o.userByName(username)
	if r == nil {
		return fmt.Errorf("emulator: no user %q", username)
	}
	return o.modify("User", r.ID, fields)
}

func (o *Org) modify(object, id string, fields map[string]any) error {
	t := o.Begin(nil)
	t.Plants = true
	if res := t.Update(o.Object(object), id, store.MapInput(fields)); !res.OK() {
		t.Rollback()
		return fmt.Errorf("emulator: update: %w", res.Errs[0])
	}
	return nil
}

// DisableUser deactivates a user behind every client's back.
func (o *Org) DisableUser(username string) error {
	return o.UpdateUser(username, map[string]any{"IsActive": false})
}

// FreezeUser freezes or unfreezes a user.
func (o *Org) FreezeUser(username string, frozen bool) error {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	r := o.userByName(username)
	if r == nil {
		return fmt.Errorf("emulator: no user %q", username)
	}
	return o.modify("UserLogin", o.loginOf(r.ID).ID, map[string]any{"IsFrozen": frozen})
}

// RefuseDeactivation makes deactivating a user fail with a reason; a zero
// Refusal allows it again. An empty code becomes FIELD_INTEGRITY_EXCEPTION. [U]
func (o *Org) RefuseDeactivation(username string, reason Refusal) error {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	r := o.userByName(username)
	if r == nil {
		return fmt.Errorf("emulator: no user %q", username)
	}
	if reason == (Refusal{}) {
		delete(o.refusals, store.ShortID(r.ID))
		return nil
	}
	if reason.Code == "" {
		reason.Code = "FIELD_INTEGRITY_EXCEPTION"
	}
	o.refusals[store.ShortID(r.ID)] = reason
	return nil
}

// SetSeats changes the total of a licence, by its name or definition key; a
// feature licence is named by its field, as in UserPermissionsKnowledgeUser.
func (o *Org) SetSeats(licence string, total int) error {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	if f := o.seats.feature(licence); f != nil {
		o.seats.limit(f, total)
		return nil
	}
	object, r := o.licenceNamed(licence)
	if r == nil {
		return fmt.Errorf("emulator: no licence %q", licence)
	}
	return o.modify(object, r.ID, map[string]any{"TotalLicenses": total})
}

// Seats gives used and total of a licence; zeros when there is none.
func (o *Org) Seats(licence string) (used, total int) {
	o.server.mu.RLock()
	defer o.server.mu.RUnlock()
	if f := o.seats.feature(licence); f != nil {
		return o.seats.features[f], o.seats.limits[f.Name]
	}
	object, r := o.licenceNamed(licence)
	if r == nil {
		return 0, 0
	}
	n, _ := r.At(o.Object(object).Field("TotalLicenses").Pos).(int64)
	return o.seats.taken(r.ID), int(n)
}

func (o *Org) licenceNamed(name string) (string, *store.Record) {
	for _, at := range [...][2]string{{"UserLicense", "Name"}, {"UserLicense", "LicenseDefinitionKey"}, {"PermissionSetLicense", "DeveloperName"}} {
		if r := o.ByName(at[0], at[1], name); r != nil {
			return at[0], r
		}
	}
	return "", nil
}

// HoldBulkJobs has ingest jobs that are closed from now on wait for their turn, as
// they do in a busy org, or does the work of all that wait.
func (o *Org) HoldBulkJobs(hold bool) {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	o.bulk.held = hold
	if hold {
		return
	}
	for _, id := range o.bulk.order {
		if j := o.bulk.jobs[store.ShortID(id)]; j != nil && j.queued != nil {
			j.queued()
			j.queued = nil
		}
	}
}

// SetDailyLimit changes the limit of API calls per rolling 24 hours.
func (o *Org) SetDailyLimit(calls int) {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	o.cfg.DailyAPILimit = calls
}
