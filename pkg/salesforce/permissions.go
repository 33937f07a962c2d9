package salesforce

import (
	"slices"
	"strings"
)

// AdministrativePermissions are the user permissions of whoever can make themselves, or
// anybody, an administrator: as fields of Profile and PermissionSet. This list is the only
// one there is; what counts as privileged everywhere goes by it. [D object reference,
// PermissionsPermissionName; which editions lack which is U]
func AdministrativePermissions() []string {
	return []string{
		"PermissionsModifyAllData",                // every record, whoever shares it
		"PermissionsManageUsers",                  // any user, their e-mail address and password too
		"PermissionsManageInternalUsers",          // the same, of one's own company
		"PermissionsAssignPermissionSets",         // any permission set, to oneself too
		"PermissionsManageProfilesPermissionsets", // what any of them permits
		"PermissionsCustomizeApplication",         // rules and flows, which run as the system
		"PermissionsAuthorApex",                   // code, which runs as the system
		"PermissionsModifyMetadata",               // both of these, by the Metadata API
		"PermissionsResetPasswords",               // anybody's sign-in
	}
}

// PermissionCore is the permission without whose field nothing is known of the others.
const PermissionCore = "PermissionsModifyAllData"

// Permitted are those of the permissions that a record has in its fields, which stand
// behind prefix ("Profile.", say).
func Permitted(r Record, prefix string, permissions []string) []string {
	var out []string
	for _, p := range permissions {
		if r.Bool(prefix + p) {
			out = append(out, strings.TrimPrefix(p, "Permissions"))
		}
	}
	return out
}

// MissingPermission is the administrative permission for which the org has no field, as
// its refusal of a query says; empty where that is about something else. [R "No such
// column 'x' on entity 'User'"]
func MissingPermission(e *Error) string {
	if e == nil || e.Kind != KindSchema {
		return ""
	}
	_, rest, _ := strings.Cut(e.Message, "No such column '")
	name, _, _ := strings.Cut(rest, "'")
	if i := slices.IndexFunc(AdministrativePermissions(), func(p string) bool { return strings.EqualFold(p, name) }); i >= 0 {
		return AdministrativePermissions()[i]
	}
	return ""
}
