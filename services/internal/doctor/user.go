package doctor

import (
	"context"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

const (
	// passwordSoon is how long before its end a password is spoken of.
	passwordSoon = 14 * 24 * time.Hour
	// salesforceTime is how Salesforce writes a time.
	salesforceTime = "2006-01-02T15:04:05.000-0700"
)

const unknownUser = "it is not known which user the session is of: see org.session"

// user says whether whom Rollcall acts as may log in.
func (x *examination) user(ctx context.Context) []verdict {
	if x.userID == "" {
		return skipped(unknownUser)
	}
	rows, err := x.client.Query(ctx, "SELECT Id, Username, IsActive, Profile.Name FROM User WHERE "+salesforce.In("Id", []string{x.userID}))
	switch {
	case err != nil && unseen(err) || err == nil && len(rows) == 0:
		return skipped("the integration user may not read its own record")
	case err != nil:
		return refused("reading the integration user", err)
	}
	name := rows[0].String("Username")
	if !rows[0].Bool("IsActive") {
		return fail("Activate it in Setup, Users.", "the integration user %s is not active", name)
	}
	logins, err := x.userLogin(ctx)
	if err == nil && len(logins) > 0 && logins[0].Bool("IsFrozen") {
		return fail("Unfreeze it in Setup, Users.", "the integration user %s is frozen: when its session ends it cannot log in again", name)
	}
	return ok("the integration user %s is active, profile %s", name, rows[0].String("Profile.Name"))
}

func (x *examination) userLogin(ctx context.Context) ([]salesforce.Record, error) {
	return x.client.Query(ctx, "SELECT Id, IsFrozen, IsPasswordLocked FROM UserLogin WHERE "+salesforce.In("UserId", []string{x.userID}))
}

// password says what can be seen of the password. An expired one refuses every
// call, so where we come this far it is not.
func (x *examination) password(ctx context.Context) []verdict {
	if x.userID == "" {
		return skipped(unknownUser)
	}
	logins, err := x.userLogin(ctx)
	if err == nil && len(logins) > 0 && logins[0].Bool("IsPasswordLocked") {
		return fail("Unlock the user in Setup, Users, and see in Login History who tried.", "the integration user is locked out after wrong passwords")
	}
	// The date is not shown in every org. [S]
	rows, err := x.client.Query(ctx, "SELECT PasswordExpirationDate FROM User WHERE "+salesforce.In("Id", []string{x.userID}))
	if err != nil || len(rows) == 0 {
		return ok("not expired: Salesforce answers. When it expires is not shown here; give the user \"Password Never Expires\"")
	}
	end, err := time.Parse(salesforceTime, rows[0].String("PasswordExpirationDate"))
	if err != nil {
		return ok("not expired, and no date is set")
	}
	left := end.Sub(x.Now())
	const todo = "Reset the password, and give the user the permission \"Password Never Expires\"."
	switch {
	case left <= 0:
		return fail(todo, "the password expired on %s", stamp(end))
	case left < passwordSoon:
		return warn(todo, "the password expires on %s; every call is refused from then on", stamp(end))
	}
	return ok("the password expires on %s", stamp(end))
}

// right is a permission that Rollcall needs.
type right struct {
	field, label, why string
	// or is another right that does as well.
	or string
	// merely says that it is only missed, not needed.
	merely bool
}

func rights() []right {
	return []right{
		{field: "PermissionsApiEnabled", label: "API Enabled", why: "nothing can be read or changed"},
		{field: "PermissionsManageUsers", label: "Manage Users", or: "PermissionsManageInternalUsers", why: "no user can be created, changed, frozen or deactivated"},
		{field: "PermissionsAssignPermissionSets", label: "Assign Permission Sets", why: "no permission set can be given or taken"},
		{field: "PermissionsViewSetup", label: "View Setup and Configuration", why: "the org's limits cannot be read", merely: true},
	}
}

// permissions reads the caller's own rights.
func (x *examination) permissions(ctx context.Context) []verdict {
	have := map[string]bool{}
	var unknown []string
	for _, r := range rights() {
		for _, field := range []string{r.field, r.or} {
			if field == "" {
				continue
			}
			rows, err := x.client.Query(ctx, "SELECT "+field+" FROM UserPermissionAccess")
			if err != nil || len(rows) == 0 {
				if err != nil && !unseen(err) {
					return refused("reading the integration user's rights", err)
				}
				continue
			}
			have[r.label] = have[r.label] || rows[0].Bool(field)
		}
		if _, seen := have[r.label]; !seen {
			unknown = append(unknown, r.label)
		}
	}
	return missingRights(have, unknown)
}

func missingRights(have map[string]bool, unknown []string) []verdict {
	var out []verdict
	for _, r := range rights() {
		granted, seen := have[r.label]
		switch {
		case !seen || granted:
		case r.merely:
			out = append(out, warn("Give it by a permission set.", "the integration user lacks %s: %s", r.label, r.why)...)
		default:
			out = append(out, fail("Give it by the profile or a permission set.", "the integration user lacks %s: %s", r.label, r.why)...)
		}
	}
	if len(unknown) > 0 {
		out = append(out, skipped("the org does not show whether the integration user has %s: see its profile and permission sets", strings.Join(unknown, ", "))...)
	}
	if len(out) == 0 {
		return ok("the integration user may do what Rollcall needs")
	}
	return out
}
