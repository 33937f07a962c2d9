package emulator

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// assignmentObject is PermissionSetAssignment: create, delete, query, and
// update of ExpirationDate only. [D]
func assignmentObject() *object {
	o := newObject("PermissionSetAssignment", "Permission Set Assignment", "0Pa",
		reference("AssigneeId", "Assignee ID", "Assignee", "User").must().once().index().named("PermissionSetAssignments"),
		reference("PermissionSetId", "Permission Set ID", "PermissionSet", "PermissionSet").once().index().named("Assignments"),
		reference("PermissionSetGroupId", "Permission Set Group ID", "PermissionSetGroup", "PermissionSetGroup").once().index().named("Assignments"),
		&field{name: "ExpirationDate", label: "Expiration Date", kind: kindDatetime},
		flag("IsActive", "Is Active", true).fixed(),
		flag("IsRevoked", "Is Revoked", false).fixed())
	o.setup = true
	o.rules = assignmentRules
	return o
}

func assignmentRules(t *tx, d *draft) *wire.APIError {
	if d.old != nil {
		return nil
	}
	set, group := d.get("PermissionSetId"), d.get("PermissionSetGroupId")
	if set == nil && group == nil {
		return wire.ErrRequired([]string{"PermissionSetId"})
	}
	if set != nil && group != nil { // exactly one of the two [D], text [U]
		return wire.RecordError("FIELD_INTEGRITY_EXCEPTION",
			"Specify either PermissionSetId or PermissionSetGroupId, not both.", "PermissionSetGroupId")
	}
	if err := assignmentDuplicate(t, d); err != nil {
		return err
	}
	return assignmentLicence(t, d)
}

// assignmentDuplicate answers with 15 character ids and two spaces. [R amp-labs]
func assignmentDuplicate(t *tx, d *draft) *wire.APIError {
	name, label := "PermissionSetId", "Permission Set"
	if d.get(name) == nil {
		name, label = "PermissionSetGroupId", "Permission Set Group" // label for groups [U]
	}
	f := d.object.field(name)
	assignee := d.object.field("AssigneeId")
	for _, r := range t.org.table(d.object.name).matches(assignee, d.text("AssigneeId")) {
		if r.at(f.pos) == d.get(name) {
			return wire.RecordError("DUPLICATE_VALUE", "Duplicate PermissionSetAssignment.  Assignee: "+
				shortID(d.text("AssigneeId"))+"; "+label+": "+shortID(d.text(name)), "AssigneeId", name)
		}
	}
	return nil
}

// assignmentLicence refuses a permission set tied to another user licence. [R text]
func assignmentLicence(t *tx, d *draft) *wire.APIError {
	sets := t.org.table("PermissionSet")
	set := sets.live(d.text("PermissionSetId"))
	if set == nil {
		return nil
	}
	licence, _ := set.at(sets.object.field("LicenseId").pos).(string)
	user := t.org.table("User").live(d.text("AssigneeId"))
	profile, _ := user.at(t.org.user.profile.pos).(string)
	if t.org.table("UserLicense").live(licence) == nil || licence == t.org.licenceOf(profile) {
		return nil
	}
	label, _ := set.at(sets.object.field("Label").pos).(string)
	name, _ := userName(t.org, user).(string)
	return wire.RecordError("FIELD_INTEGRITY_EXCEPTION",
		"Can't assign permission set "+label+" to user "+name+". The user license doesn't allow the permission: "+label, "PermissionSetId")
}

// permissionSetLicenseAssignObject: create and delete; each takes a seat.
func permissionSetLicenseAssignObject() *object {
	o := newObject("PermissionSetLicenseAssign", "Permission Set License Assignment", "2LA", // prefix [U]
		reference("AssigneeId", "Assignee ID", "Assignee", "User").must().once().index().named("PermissionSetLicenseAssignments"),
		reference("PermissionSetLicenseId", "Permission Set License ID", "PermissionSetLicense", "PermissionSetLicense").must().once())
	o.setup, o.noUpdate = true, true
	o.rules = licenceAssignRules
	o.stored = func(t *tx, d *draft) {
		id := d.text("PermissionSetLicenseId")
		t.org.moveSeat("", id)
		t.undo = append(t.undo, func() { t.org.moveSeat(id, "") })
	}
	o.removed = func(t *tx, r *record) {
		id, _ := r.at(o.field("PermissionSetLicenseId").pos).(string)
		t.org.moveSeat(id, "")
		t.undo = append(t.undo, func() { t.org.moveSeat("", id) })
	}
	return o
}

func licenceAssignRules(t *tx, d *draft) *wire.APIError {
	f := d.object.field("PermissionSetLicenseId")
	for _, r := range t.org.table(d.object.name).matches(d.object.field("AssigneeId"), d.text("AssigneeId")) {
		if r.at(f.pos) == d.get(f.name) { // [U] text
			return wire.RecordError("DUPLICATE_VALUE", "duplicate value found: <unknown> duplicates value on record with id: <unknown>")
		}
	}
	if !t.org.seatFree(d.text(f.name)) {
		return wire.ErrLicence()
	}
	return nil
}

// groupMemberObject: create, delete, query; a second create of the same
// membership succeeds with the id of the first. [D]
func groupMemberObject() *object {
	o := newObject("GroupMember", "Group Member", "011", // prefix [U]
		reference("GroupId", "Group ID", "Group", "Group").must().once().index().named("GroupMembers"),
		reference("UserOrGroupId", "User/Group ID", "", "User", "Group").must().once().index())
	o.setup, o.noUpdate = true, true
	o.existing = func(org *Org, d *draft) *record {
		for _, r := range org.table("GroupMember").matches(o.field("UserOrGroupId"), d.text("UserOrGroupId")) {
			if r.at(o.field("GroupId").pos) == d.get("GroupId") {
				return r
			}
		}
		return nil
	}
	return o
}
