package emulator

import (
	"fmt"
	"slices"
	"strings"

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

func denials() []Denial {
	return []Denial{DenyAPIEnabled, DenyAPIAccess, DenyOrgAPI, DenyRESTSession, DenyPassword, DenyLogin, DenyManageUsers, DenyAssignPermissionSets}
}

// Deny puts denials in a user's way, beside those that are there; an empty
// username means every user of the org.
func (o *Org) Deny(username string, what ...Denial) error {
	for _, d := range what {
		if !slices.Contains(denials(), d) {
			return fmt.Errorf("emulator: deny: no denial %q, only %v", d, denials())
		}
	}
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	key, err := o.denialKey(username)
	if err != nil {
		return err
	}
	o.denied[key] = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(o.denied[key]), what...))))
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
	kept := slices.DeleteFunc(slices.Clone(o.denied[key]), func(d Denial) bool { return len(what) == 0 || slices.Contains(what, d) })
	if len(kept) == 0 {
		delete(o.denied, key)
		return nil
	}
	o.denied[key] = kept
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
	return shortID(r.id), nil
}

// denies says whether something stands in the user's way. The state lock is
// held.
func (o *Org) denies(userID string, d Denial) bool {
	return slices.Contains(o.denied[""], d) || slices.Contains(o.denied[shortID(userID)], d)
}

// blocked is what every data call of a denied caller answers.
func (c *call) blocked() *wire.APIError {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	for _, wall := range [...]struct {
		denial Denial
		answer Effect
	}{
		{DenyRESTSession, "session_not_for_rest"}, {DenyOrgAPI, "api_disabled_for_org"}, {DenyAPIEnabled, "functionality_not_enabled"},
		{DenyAPIAccess, "api_currently_disabled"}, {DenyPassword, "expired_password"},
	} {
		if c.org.denies(c.actor.id, wall.denial) {
			p, _ := preset(wall.answer)
			return p.refusal(&Fault{})
		}
	}
	return c.scoped()
}

// scoped refuses a token that was given without a scope for the API: the text
// is [R], that this is its cause is an assumption. [U]
func (c *call) scoped() *wire.APIError {
	for scope := range strings.FieldsSeq(c.session.scope) {
		if scope == "api" || scope == "full" || scope == "web" {
			return nil
		}
	}
	p, _ := preset("session_not_for_rest")
	return p.refusal(&Fault{})
}

// mayChange asks whether the caller has the right to change rows of a type.
func (t *tx) mayChange(o *object) *wire.APIError {
	if t.actor == nil || !t.org.lacksRight(t.actor.id, o) {
		return nil
	}
	return wire.RecordError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
}

func (o *Org) lacksRight(userID string, obj *object) bool {
	switch obj.name {
	case "User", "UserLogin", "Group", "GroupMember", "QueueSobject":
		return o.denies(userID, DenyManageUsers)
	case "PermissionSetAssignment", "PermissionSetLicenseAssign":
		return o.denies(userID, DenyAssignPermissionSets)
	}
	return false
}
