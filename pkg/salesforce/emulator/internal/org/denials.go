package org

import (
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// Denial is a right or a policy that stands in a caller's way.
type Denial string

// What may be denied, to one user or to the whole org.
const (
	// DenyAPIEnabled takes "API Enabled": 403 FUNCTIONALITY_NOT_ENABLED. [R]
	DenyAPIEnabled Denial = "api_enabled"
	// DenyAPIAccess switches the API off for the user: 403
	// API_CURRENTLY_DISABLED. [S/U]
	DenyAPIAccess Denial = "api_access"
	// DenyOrgAPI is an edition without the API: 403 API_DISABLED_FOR_ORG. [R]
	DenyOrgAPI Denial = "org_api"
	// DenyRESTSession is a session policy: 401 INVALID_SESSION_ID that a new
	// token does not mend. [R]
	DenyRESTSession Denial = "rest_session"
	// DenyPassword is an expired password: 403
	// INVALID_OPERATION_WITH_EXPIRED_PASSWORD. [R]
	DenyPassword Denial = "password_expired"
	// DenyLogin refuses at the token endpoint, as login hours or an IP range
	// do: invalid_grant, "authentication failure". [R]
	DenyLogin Denial = "login"
	// DenyManageUsers takes "Manage Users": writing users, freezing and groups
	// answer INSUFFICIENT_ACCESS_OR_READONLY. [R text; which objects: U]
	DenyManageUsers Denial = "manage_users"
	// DenyAssignPermissionSets takes "Assign Permission Sets": assignments
	// answer INSUFFICIENT_ACCESS_OR_READONLY. [R text; which objects: U]
	DenyAssignPermissionSets Denial = "assign_permission_sets"
	// DenyWrites answers what is to change something with 503 SERVER_UNAVAILABLE
	// while reads go on. [S text; that reads go on: U]
	DenyWrites Denial = "writes"
	// DenyReadOnlyMode is the read-only mode of planned maintenance: each record
	// gets INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE, and the Bulk API
	// is shut. [D; the status of a call about one record: U]
	DenyReadOnlyMode Denial = "read_only_mode"
)

// everyDenial lists what Deny takes.
func everyDenial() []Denial {
	return []Denial{DenyAPIEnabled, DenyAPIAccess, DenyOrgAPI, DenyRESTSession, DenyPassword, DenyLogin, DenyManageUsers, DenyAssignPermissionSets, DenyWrites, DenyReadOnlyMode}
}

// Denials stand in the way of users, by their 15 character ids; those of "" in
// everybody's.
type Denials map[string][]Denial

// add puts denials beside those that are there.
func (d Denials) add(key string, what []Denial) {
	d[key] = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(d[key]), what...))))
}

// take takes denials away, all of them when none is named.
func (d Denials) take(key string, what []Denial) {
	kept := slices.DeleteFunc(slices.Clone(d[key]), func(one Denial) bool { return len(what) == 0 || slices.Contains(what, one) })
	if len(kept) == 0 {
		delete(d, key)
		return
	}
	d[key] = kept
}

// Denies says whether something stands in the user's way.
func (d Denials) Denies(userID string, what Denial) bool {
	return slices.Contains(d[""], what) || slices.Contains(d[store.ShortID(userID)], what)
}

// LacksRight says whether a user may not change rows of a type.
func (d Denials) LacksRight(userID string, obj *store.Object) bool {
	switch obj.Name {
	case "User", "UserLogin", "Group", "GroupMember", "QueueSobject":
		return d.Denies(userID, DenyManageUsers)
	case "PermissionSetAssignment", "PermissionSetLicenseAssign":
		return d.Denies(userID, DenyAssignPermissionSets)
	}
	return false
}
