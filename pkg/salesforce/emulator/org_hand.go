package emulator

import "github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"

// Create makes a record of any object, as the emulator itself: no faults, and
// no limits on which fields may be written. It gives the new id. For User,
// "Profile" and "UserRole" may be given by name, and what is required but
// missing is filled in.
func (o *Org) Create(object string, fields map[string]any) (string, error) {
	hand, unlock := o.lock()
	defer unlock()
	return hand.Create(object, fields)
}

// UpdateUser changes fields of a user behind every client's back.
func (o *Org) UpdateUser(username string, fields map[string]any) error {
	hand, unlock := o.lock()
	defer unlock()
	return hand.UpdateUser(username, fields)
}

// DisableUser deactivates a user behind every client's back.
func (o *Org) DisableUser(username string) error {
	return o.UpdateUser(username, map[string]any{"IsActive": false})
}

// FreezeUser freezes or unfreezes a user.
func (o *Org) FreezeUser(username string, frozen bool) error {
	hand, unlock := o.lock()
	defer unlock()
	return hand.FreezeUser(username, frozen)
}

// RefuseDeactivation makes deactivating a user fail with a reason; a zero
// Refusal allows it again. An empty code becomes FIELD_INTEGRITY_EXCEPTION. [U]
func (o *Org) RefuseDeactivation(username string, reason Refusal) error {
	hand, unlock := o.lock()
	defer unlock()
	return hand.RefuseDeactivation(username, reason)
}

// Deny puts denials in a user's way, beside those that are there; an empty
// username means every user of the org.
func (o *Org) Deny(username string, what ...Denial) error {
	hand, unlock := o.lock()
	defer unlock()
	return hand.Deny(username, what)
}

// Allow takes denials away again, all of them when none is named.
func (o *Org) Allow(username string, what ...Denial) error {
	hand, unlock := o.lock()
	defer unlock()
	return hand.Allow(username, what)
}

// SetFieldAccess changes field-level security for everybody who calls the API;
// field is an object and a field, as in "User.Department".
func (o *Org) SetFieldAccess(field string, access FieldAccess) error {
	hand, unlock := o.lock()
	defer unlock()
	return hand.SetFieldAccess(field, access)
}

// SetSeats changes the total of a licence, by its name or definition key; a
// feature licence is named by its field, as in UserPermissionsKnowledgeUser.
func (o *Org) SetSeats(licence string, total int) error {
	hand, unlock := o.lock()
	defer unlock()
	return hand.SetSeats(licence, total)
}

// Seats gives used and total of a licence; zeros when there is none.
func (o *Org) Seats(licence string) (used, total int) {
	defer o.rlock()()
	return org.Hand{Org: o.org}.Seats(licence)
}

// HoldBulkJobs has ingest jobs that are closed from now on wait for their turn, as
// they do in a busy org, or does the work of all that wait.
func (o *Org) HoldBulkJobs(hold bool) {
	_, unlock := o.lock()
	defer unlock()
	o.server.bulk.Hold(o.org, hold)
}

// SetDailyLimit changes the limit of API calls per rolling 24 hours.
func (o *Org) SetDailyLimit(calls int) {
	hand, unlock := o.lock()
	defer unlock()
	hand.Config.DailyAPILimit = calls
}
