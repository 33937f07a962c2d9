package emulator

import "github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"

// Create makes a record of any object, as the emulator itself: no faults, and
// no limits on which fields may be written. It gives the new id. For User,
// "Profile" and "UserRole" may be given by name, and what is required but
// missing is filled in.
func (o *Org) Create(object string, fields map[string]any) (id string, err error) {
	err = o.byHand("create", object, func(h org.Hand) error {
		id, err = h.Create(object, fields)
		return err
	})
	return id, err
}

// UpdateUser changes fields of a user behind every client's back.
func (o *Org) UpdateUser(username string, fields map[string]any) error {
	return o.byHand("update", "User", func(h org.Hand) error { return h.UpdateUser(username, fields) })
}

// DisableUser deactivates a user behind every client's back.
func (o *Org) DisableUser(username string) error {
	return o.UpdateUser(username, map[string]any{"IsActive": false})
}

// FreezeUser freezes or unfreezes a user.
func (o *Org) FreezeUser(username string, frozen bool) error {
	return o.byHand("freeze", "UserLogin", func(h org.Hand) error { return h.FreezeUser(username, frozen) })
}

// Access is what a user has beside the profile, by names.
type Access = org.Access

// Everything stands for all names of a list that is taken away.
const Everything = org.Everything

// Give gives a user access, beside what is there.
func (o *Org) Give(username string, a Access) error {
	return o.byHand("give", "", func(h org.Hand) error { return h.Give(username, a) })
}

// Take takes access away that a user has; Everything is all of a list. Deleted
// assignments leave nothing that a query finds.
func (o *Org) Take(username string, a Access) error {
	return o.byHand("take", "", func(h org.Hand) error { return h.Take(username, a) })
}

// Flow is an automation of the org's own: when a user is deactivated, by
// whomever, it takes access away and blanks fields. When the user comes back it
// does nothing.
type Flow = org.Flow

// PlantFlow has the org strip users who are deactivated from now on; an empty
// Flow ends it.
func (o *Org) PlantFlow(f Flow) error {
	hand, unlock := o.lock()
	defer unlock()
	return hand.PlantFlow(f)
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
