package org

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// assignmentObject is PermissionSetAssignment: create, delete, query, and
// update of ExpirationDate only. [D]
func assignmentObject(org *Org) *store.Object {
	o := store.NewObject("PermissionSetAssignment", "Permission Set Assignment", "0Pa",
		store.Reference("AssigneeId", "Assignee ID", "Assignee", "User").Must().Once().Index().Named("PermissionSetAssignments"),
		store.Reference("PermissionSetId", "Permission Set ID", "PermissionSet", "PermissionSet").Once().Index().Named("Assignments"),
		store.Reference("PermissionSetGroupId", "Permission Set Group ID", "PermissionSetGroup", "PermissionSetGroup").Once().Index().Named("Assignments"),
		&store.Field{Name: "ExpirationDate", Label: "Expiration Date", Kind: store.KindDatetime},
		store.Flag("IsActive", "Is Active", true).Fixed(),
		store.Flag("IsRevoked", "Is Revoked", false).Fixed())
	o.Setup, o.Untraced = true, true // [U]
	o.Rules = assignmentRules{org}.check
	return o
}

// assignmentRules are what only assignments of permission sets and groups have.
type assignmentRules struct{ org *Org }

func (a assignmentRules) check(t *store.Tx, d *store.Draft) *wire.APIError {
	if d.Old != nil {
		return nil
	}
	set, group := d.Get("PermissionSetId"), d.Get("PermissionSetGroupId")
	if set == nil && group == nil {
		return wire.ErrRequired([]string{"PermissionSetId"})
	}
	if set != nil && group != nil { // exactly one of the two [D], text [U]
		return wire.RecordError("FIELD_INTEGRITY_EXCEPTION",
			"Specify either PermissionSetId or PermissionSetGroupId, not both.", "PermissionSetGroupId")
	}
	if err := a.duplicate(t, d); err != nil {
		return err
	}
	return a.licence(d)
}

// duplicate answers with 15 character ids and two spaces. [R amp-labs]
func (assignmentRules) duplicate(t *store.Tx, d *store.Draft) *wire.APIError {
	name, label := "PermissionSetId", "Permission Set"
	if d.Get(name) == nil {
		name, label = "PermissionSetGroupId", "Permission Set Group" // label for groups [U]
	}
	f := d.Object.Field(name)
	assignee := d.Object.Field("AssigneeId")
	for _, r := range t.Data.Table(d.Object.Name).Matches(assignee, d.Text("AssigneeId")) {
		if r.At(f.Pos) == d.Get(name) {
			return wire.RecordError("DUPLICATE_VALUE", "Duplicate PermissionSetAssignment.  Assignee: "+
				store.ShortID(d.Text("AssigneeId"))+"; "+label+": "+store.ShortID(d.Text(name)), "AssigneeId", name)
		}
	}
	return nil
}

// licence refuses a permission set tied to another user licence. [R text]
func (a assignmentRules) licence(d *store.Draft) *wire.APIError {
	sets := a.org.Table("PermissionSet")
	set := sets.Live(d.Text("PermissionSetId"))
	if set == nil {
		return nil
	}
	licence, _ := set.At(sets.Object.Field("LicenseId").Pos).(string)
	user := a.org.Table("User").Live(d.Text("AssigneeId"))
	profile, _ := user.At(a.org.user.profile.Pos).(string)
	if a.org.Table("UserLicense").Live(licence) == nil || licence == a.org.LicenceOf(profile) {
		return nil
	}
	label, _ := set.At(sets.Object.Field("Label").Pos).(string)
	name, _ := a.org.fullName(user).(string)
	return wire.RecordError("FIELD_INTEGRITY_EXCEPTION",
		"Can't assign permission set "+label+" to user "+name+". The user license doesn't allow the permission: "+label, "PermissionSetId")
}

// permissionSetLicenseAssignObject: create and delete; each takes a seat.
func permissionSetLicenseAssignObject(org *Org) *store.Object {
	o := store.NewObject("PermissionSetLicenseAssign", "Permission Set License Assignment", "2LA", // prefix [U]
		store.Reference("AssigneeId", "Assignee ID", "Assignee", "User").Must().Once().Index().Named("PermissionSetLicenseAssignments"),
		store.Reference("PermissionSetLicenseId", "Permission Set License ID", "PermissionSetLicense", "PermissionSetLicense").Must().Once())
	o.Setup, o.NoUpdate, o.Untraced = true, true, true // [U]
	o.Rules = func(t *store.Tx, d *store.Draft) *wire.APIError { return licenceAssignRules(org.seats, t, d) }
	o.Stored = func(t *store.Tx, d *store.Draft) {
		id := d.Text("PermissionSetLicenseId")
		org.seats.move("", id)
		t.OnRollback(func() { org.seats.move(id, "") })
	}
	o.Removed = func(t *store.Tx, r *store.Record) {
		id, _ := r.At(o.Field("PermissionSetLicenseId").Pos).(string)
		org.seats.move(id, "")
		t.OnRollback(func() { org.seats.move("", id) })
	}
	return o
}

func licenceAssignRules(s *seats, t *store.Tx, d *store.Draft) *wire.APIError {
	f := d.Object.Field("PermissionSetLicenseId")
	for _, r := range t.Data.Table(d.Object.Name).Matches(d.Object.Field("AssigneeId"), d.Text("AssigneeId")) {
		if r.At(f.Pos) == d.Get(f.Name) { // [U] text
			return wire.RecordError("DUPLICATE_VALUE", "duplicate value found: <unknown> duplicates value on record with id: <unknown>")
		}
	}
	if !s.free(d.Text(f.Name)) {
		return wire.ErrLicence()
	}
	return nil
}

// groupMemberObject: create, delete, query; a second create of the same
// membership succeeds with the id of the first. [D]
func groupMemberObject(org *Org) *store.Object {
	o := store.NewObject("GroupMember", "Group Member", "011", // prefix [U]
		store.Reference("GroupId", "Group ID", "Group", "Group").Must().Once().Index().Named("GroupMembers"),
		store.Reference("UserOrGroupId", "User/Group ID", "", "User", "Group").Must().Once().Index())
	o.Setup, o.NoUpdate, o.Untraced = true, true, true // [U]
	o.Existing = func(d *store.Draft) *store.Record {
		for _, r := range org.Table("GroupMember").Matches(o.Field("UserOrGroupId"), d.Text("UserOrGroupId")) {
			if r.At(o.Field("GroupId").Pos) == d.Get("GroupId") {
				return r
			}
		}
		return nil
	}
	return o
}
