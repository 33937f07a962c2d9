package emulator

// permissionAccess is the object in which a caller reads its own rights.
const permissionAccess = "UserPermissionAccess"

// permissionAccessObject has one row for whoever asks, and no other. [C Jetstream,
// OrgCheck: both read rights from it; which fields there are: D user permissions]
func permissionAccessObject() *object {
	right := func(name string, against ...Denial) *field {
		return computed("Permissions"+name, name, kindBoolean, func(o *Org, r *record) any {
			for _, d := range against {
				if o.denies(r.id, d) {
					return false
				}
			}
			return true
		})
	}
	o := newObject(permissionAccess, "User Permission Access", "0UA", // prefix [U]
		right("ApiEnabled", DenyAPIEnabled, DenyAPIAccess),
		right("ManageUsers", DenyManageUsers),
		right("ManageInternalUsers", DenyManageUsers),
		right("AssignPermissionSets", DenyAssignPermissionSets),
		right("ViewSetup"))
	o.setup, o.noCreate, o.noUpdate, o.noDelete = true, true, true, true
	return o
}

// rows are a query's, for who asks.
func (c *call) rows(plan *compiled) []*record {
	if plan.table.object.name == permissionAccess {
		return []*record{{id: c.actor.id}}
	}
	return plan.run()
}
