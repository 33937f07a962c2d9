package org

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// permissions are the user permissions that an emulated org knows, as Profile and
// PermissionSet have them in fields that begin with "Permissions". Which fields there
// are: D object reference, "PermissionsPermissionName"; that every edition has these: U.
func permissions() []string {
	return []string{
		"ModifyAllData", "ViewAllData", "ManageUsers", "ManageInternalUsers", "AssignPermissionSets", "ManageProfilesPermissionsets",
		"CustomizeApplication", "AuthorApex", "ModifyMetadata", "ResetPasswords", "ApiEnabled", "ViewSetup",
	}
}

// permissionFields are a checkbox for each.
func permissionFields() []*store.Field {
	var out []*store.Field
	for _, name := range permissions() {
		out = append(out, store.Flag("Permissions"+name, name, false))
	}
	return out
}

// withPermissions adds what a profile or permission set permits to its values.
func withPermissions(values map[string]any, names []string) map[string]any {
	for _, name := range names {
		values["Permissions"+name] = true
	}
	return values
}

// componentStored adds what a permission set permits to the hidden permission set of a
// group that it is put into, which has what all of them have. [D; that it is so at once: U,
// for an org works it out after a while, and Status says so]
func componentStored(t *store.Tx, d *store.Draft) {
	if d.Old != nil {
		return
	}
	sets := t.Data.Table("PermissionSet")
	of := sets.Object.Field("PermissionSetGroupId").Pos
	set := sets.Live(d.Text("PermissionSetId"))
	if set == nil {
		return
	}
	more := map[string]any{}
	for _, name := range permissions() {
		if set.At(sets.Object.Field("Permissions"+name).Pos) == true {
			more["Permissions"+name] = true
		}
	}
	for _, r := range sets.Rows {
		if r.At(of) == d.Text("PermissionSetGroupId") && len(more) > 0 {
			t.Update(sets.Object, r.ID, store.MapInput(more))
		}
	}
}
