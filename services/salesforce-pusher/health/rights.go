package health

import (
	"context"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// rightsQuery asks Salesforce what the integration user may do. [C OrgCheck, Jetstream]
const rightsQuery = "SELECT PermissionsManageUsers,PermissionsManageInternalUsers,PermissionsAssignPermissionSets FROM UserPermissionAccess"

// Rights are what the integration user may do.
type Rights struct{ users, sets bool }

// AllRights are what is assumed where nobody knows.
func AllRights() Rights { return Rights{users: true, sets: true} }

// Cover says whether they suffice for an operation.
func (r Rights) Cover(operation string) bool {
	switch operation {
	case plan.OpAssign, plan.OpUnassign:
		return r.users && r.sets
	}
	return r.users
}

// ReadRights asks for them; all where the answer is not clear.
func ReadRights(ctx context.Context, c *salesforce.Client) (Rights, error) {
	got, err := c.Query(ctx, rightsQuery)
	if err != nil || len(got) != 1 {
		return AllRights(), err
	}
	may := func(name string) bool { return got[0][name] == true }
	return Rights{
		users: may("PermissionsManageUsers") || may("PermissionsManageInternalUsers"),
		sets:  may("PermissionsAssignPermissionSets"),
	}, nil
}

// stillDemoted is part of a probe: it says whether the right whose loss holds
// the org is still missing.
func stillDemoted(ctx context.Context, client *salesforce.Client, was *events.Failure) *events.Failure {
	if was == nil || was.Value != plan.ValueRights {
		return nil
	}
	got, err := ReadRights(ctx, client)
	if err != nil || got.Cover(was.Operation) {
		return nil
	}
	return was
}
