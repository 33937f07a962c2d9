package push

import (
	"context"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// rightsQuery asks Salesforce what the integration user may do. [C OrgCheck, Jetstream]
const rightsQuery = "SELECT PermissionsManageUsers,PermissionsManageInternalUsers,PermissionsAssignPermissionSets FROM UserPermissionAccess"

// valueRights marks the failure of an org whose integration user lost a right:
// sessions work, and every person would be refused.
const valueRights = "permissions"

// rights are what the integration user may do; all of it where nobody knows.
type rights struct{ users, sets bool }

// cover says whether they suffice for an operation.
func (r rights) cover(operation string) bool {
	switch operation {
	case opAssign, opUnassign:
		return r.users && r.sets
	}
	return r.users
}

func readRights(ctx context.Context, c *salesforce.Client) (rights, error) {
	got, err := c.Query(ctx, rightsQuery)
	if err != nil || len(got) != 1 {
		return rights{users: true, sets: true}, err //nolint:wrapcheck // the client says what it is about
	}
	may := func(name string) bool { return got[0][name] == true }
	return rights{
		users: may("PermissionsManageUsers") || may("PermissionsManageInternalUsers"),
		sets:  may("PermissionsAssignPermissionSets"),
	}, nil
}

// demoted says whether a person was refused because the integration user lost a
// right that it needs for everybody: then it is nobody's failure, and the org is
// held. Salesforce words the refusal of a single user the same way, so it is
// asked, once in a step.
func (s *step) demoted(e *salesforce.Error, operation string) *events.Failure {
	switch e.Code {
	case "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY":
	default:
		return nil
	}
	if s.rights == nil {
		if s.stopped() {
			return nil
		}
		s.rights = &rights{users: true, sets: true}
		_ = s.call(opProbe, "UserPermissionAccess", those(s.people, isOpen), func(ctx context.Context) error {
			got, err := readRights(ctx, s.org.client)
			s.rights = &got
			return err
		}) // what cannot be asked is judged as a person's own refusal
	}
	if s.rights.cover(operation) {
		return nil
	}
	f := failureOf(e, operation)
	f.Cause, f.Value = events.CauseCredentials, valueRights
	return f
}

// stillDemoted is part of a probe: it says whether the right whose loss holds
// the org is still missing.
func (o *org) stillDemoted(ctx context.Context, was *events.Failure) *events.Failure {
	if was == nil || was.Value != valueRights {
		return nil
	}
	got, err := readRights(ctx, o.client)
	if err != nil || got.cover(was.Operation) {
		return nil
	}
	return was
}
