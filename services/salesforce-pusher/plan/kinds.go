package plan

import "strings"

// Kinds of names that a user's own fields refer to.
const (
	KindProfile = "profile"
	KindRole    = "role"
)

// Kinds of names that are assigned. They begin the names in Link.Assigned, so
// they must not change.
const (
	KindPermissionSet = "ps"
	KindGroup         = "group"
)

// Fields in which an assignment names its target.
const (
	fieldSetID   = "PermissionSetId"
	fieldBundle  = "PermissionSetGroupId"
	fieldGroupID = "GroupId"
)

// kindOf is the kind of an assignment's name.
func kindOf(name string) string {
	kind, _, _ := strings.Cut(name, "/")
	return kind
}
