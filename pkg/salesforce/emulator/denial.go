package emulator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/faults"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
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
)

// everyDenial lists what Deny takes.
func everyDenial() []Denial {
	return []Denial{DenyAPIEnabled, DenyAPIAccess, DenyOrgAPI, DenyRESTSession, DenyPassword, DenyLogin, DenyManageUsers, DenyAssignPermissionSets}
}

// denials stand in the way of users, by their 15 character ids; those of "" in
// everybody's.
type denials map[string][]Denial

// add puts denials beside those that are there.
func (d denials) add(key string, what []Denial) {
	d[key] = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(d[key]), what...))))
}

// take takes denials away, all of them when none is named.
func (d denials) take(key string, what []Denial) {
	kept := slices.DeleteFunc(slices.Clone(d[key]), func(one Denial) bool { return len(what) == 0 || slices.Contains(what, one) })
	if len(kept) == 0 {
		delete(d, key)
		return
	}
	d[key] = kept
}

// deny says whether something stands in the user's way.
func (d denials) deny(userID string, what Denial) bool {
	return slices.Contains(d[""], what) || slices.Contains(d[store.ShortID(userID)], what)
}

// lacksRight says whether a user may not change rows of a type.
func (d denials) lacksRight(userID string, obj *store.Object) bool {
	switch obj.Name {
	case "User", "UserLogin", "Group", "GroupMember", "QueueSobject":
		return d.deny(userID, DenyManageUsers)
	case "PermissionSetAssignment", "PermissionSetLicenseAssign":
		return d.deny(userID, DenyAssignPermissionSets)
	}
	return false
}

// Deny puts denials in a user's way, beside those that are there; an empty
// username means every user of the org.
func (o *Org) Deny(username string, what ...Denial) error {
	for _, d := range what {
		if !slices.Contains(everyDenial(), d) {
			return fmt.Errorf("emulator: deny: no denial %q, only %v", d, everyDenial())
		}
	}
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	key, err := o.denialKey(username)
	if err != nil {
		return err
	}
	o.denied.add(key, what)
	return nil
}

// Allow takes denials away again, all of them when none is named.
func (o *Org) Allow(username string, what ...Denial) error {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	key, err := o.denialKey(username)
	if err != nil {
		return err
	}
	o.denied.take(key, what)
	return nil
}

func (o *Org) denialKey(username string) (string, error) {
	if username == "" {
		return "", nil
	}
	r := o.userByName(username)
	if r == nil {
		return "", fmt.Errorf("emulator: no user %q", username)
	}
	return store.ShortID(r.ID), nil
}

// blocked is what every data call of a denied caller answers.
func (c *call) blocked() *wire.APIError {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	for _, wall := range [...]struct {
		denial Denial
		answer faults.Effect
	}{
		{DenyRESTSession, "session_not_for_rest"}, {DenyOrgAPI, "api_disabled_for_org"}, {DenyAPIEnabled, "functionality_not_enabled"},
		{DenyAPIAccess, "api_currently_disabled"}, {DenyPassword, "expired_password"},
	} {
		if c.org.denied.deny(c.actor.ID, wall.denial) {
			return faults.RefusalOf(wall.answer)
		}
	}
	return c.scoped()
}

// scoped refuses a token that was given without a scope for the API: the text
// is [R], that this is its cause is an assumption. [U]
func (c *call) scoped() *wire.APIError {
	for scope := range strings.FieldsSeq(c.session.Scope) {
		if scope == "api" || scope == "full" || scope == "web" {
			return nil
		}
	}
	return faults.RefusalOf("session_not_for_rest")
}
