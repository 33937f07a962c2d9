package emulator

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/soql"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// permissionAccess is the object in which a caller reads its own rights.
const permissionAccess = "UserPermissionAccess"

// permissionAccessObject has one row for whoever asks, and no other. [C Jetstream,
// OrgCheck: both read rights from it; which fields there are: D user permissions]
func permissionAccessObject(org *Org) *store.Object {
	right := func(name string, against ...Denial) *store.Field {
		return store.Computed("Permissions"+name, name, store.KindBoolean, func(r *store.Record) any {
			for _, d := range against {
				if org.denied.deny(r.ID, d) {
					return false
				}
			}
			return true
		})
	}
	o := store.NewObject(permissionAccess, "User Permission Access", "0UA", // prefix [U]
		right("ApiEnabled", DenyAPIEnabled, DenyAPIAccess),
		right("ManageUsers", DenyManageUsers),
		right("ManageInternalUsers", DenyManageUsers),
		right("AssignPermissionSets", DenyAssignPermissionSets),
		right("ViewSetup"))
	o.Setup, o.NoCreate, o.NoUpdate, o.NoDelete = true, true, true, true
	return o
}

// rows are a query's, for who asks.
func (c *call) rows(plan *soql.Plan) []*store.Record {
	if plan.Object().Name == permissionAccess {
		return []*store.Record{{ID: c.actor.ID}}
	}
	return plan.Run()
}
