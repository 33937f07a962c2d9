package org

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// PermissionAccess is the object in which a caller reads its own rights.
const PermissionAccess = "UserPermissionAccess"

// permissionAccessObject has one row for whoever asks, and no other. [C Jetstream,
// OrgCheck: both read rights from it; which fields there are: D user permissions]
func permissionAccessObject(org *Org) *store.Object {
	right := func(name string, against ...Denial) *store.Field {
		return store.Computed("Permissions"+name, name, store.KindBoolean, func(r *store.Record) any {
			for _, d := range against {
				if org.Denied.Denies(r.ID, d) {
					return false
				}
			}
			return true
		})
	}
	o := store.NewObject(PermissionAccess, "User Permission Access", "0UA", // prefix [U]
		right("ApiEnabled", DenyAPIEnabled, DenyAPIAccess),
		right("ManageUsers", DenyManageUsers),
		right("ManageInternalUsers", DenyManageUsers),
		right("AssignPermissionSets", DenyAssignPermissionSets),
		right("ViewSetup"))
	o.Setup, o.NoCreate, o.NoUpdate, o.NoDelete = true, true, true, true
	return o
}
