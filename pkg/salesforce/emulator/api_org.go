package emulator

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
)

// OrgConfig describes an org to add. The zero value of every field but Clients
// has a sensible meaning; DefaultOrg fills in a whole org.
type OrgConfig = org.Config

// HostKind says what the address a request came to stands for.
type HostKind = org.HostKind

const (
	// MyDomain serves everything. It is the default.
	MyDomain = org.MyDomain
	// LoginHost is login.salesforce.com or test.salesforce.com: it serves
	// OAuth, refuses client credentials, and answers REST with URL_NOT_RESET.
	// The org itself is then reached at OrgConfig.InstanceURL.
	LoginHost = org.LoginHost
)

// License is a user licence or a permission set licence.
type License = org.License

// Profile belongs to a licence named in OrgConfig.Licenses.
type Profile = org.Profile

// Role is a UserRole; Parent is the name of a role listed before.
type Role = org.Role

// PermissionSet may be tied to a user licence by name.
type PermissionSet = org.PermissionSet

// PermissionSetGroup bundles permission sets by name.
type PermissionSetGroup = org.PermissionSetGroup

// Group is a public group (Type "Regular", the default) or a queue ("Queue").
type Group = org.Group

// CustomField declares a custom field of User.
type CustomField = org.CustomField

// Names in the default org that other code refers to.
const (
	IntegrationUsername  = org.IntegrationUsername
	SalesforceLicense    = org.SalesforceLicense
	PlatformLicense      = org.PlatformLicense
	ChatterFreeLicense   = org.ChatterFreeLicense
	StandardUserProfile  = org.StandardUserProfile
	MinimumAccessProfile = org.MinimumAccessProfile
	PlatformUserProfile  = org.PlatformUserProfile
	AdminProfile         = org.AdminProfile
)

// DefaultOrg is an org with licences, profiles, roles, permission sets, groups,
// a queue, one integration user and one connected app that may use every flow.
func DefaultOrg(clientID, clientSecret string) OrgConfig { return org.Default(clientID, clientSecret) }

// Refusal is a planted reason for which a user cannot be deactivated. The
// errorCode over REST was never captured; the default is an assumption. [U]
type Refusal = org.Refusal

// Denial is a right or a policy that stands in a caller's way.
type Denial = org.Denial

// What may be denied, to one user or to the whole org.
const (
	// DenyAPIEnabled takes "API Enabled": 403 FUNCTIONALITY_NOT_ENABLED. [R]
	DenyAPIEnabled = org.DenyAPIEnabled
	// DenyAPIAccess switches the API off for the user: 403
	// API_CURRENTLY_DISABLED. [S/U]
	DenyAPIAccess = org.DenyAPIAccess
	// DenyOrgAPI is an edition without the API: 403 API_DISABLED_FOR_ORG. [R]
	DenyOrgAPI = org.DenyOrgAPI
	// DenyRESTSession is a session policy: 401 INVALID_SESSION_ID that a new
	// token does not mend. [R]
	DenyRESTSession = org.DenyRESTSession
	// DenyPassword is an expired password: 403
	// INVALID_OPERATION_WITH_EXPIRED_PASSWORD. [R]
	DenyPassword = org.DenyPassword
	// DenyLogin refuses at the token endpoint, as login hours or an IP range
	// do: invalid_grant, "authentication failure". [R]
	DenyLogin = org.DenyLogin
	// DenyManageUsers takes "Manage Users": writing users, freezing and groups
	// answer INSUFFICIENT_ACCESS_OR_READONLY. [R text; which objects: U]
	DenyManageUsers = org.DenyManageUsers
	// DenyAssignPermissionSets takes "Assign Permission Sets": assignments
	// answer INSUFFICIENT_ACCESS_OR_READONLY. [R text; which objects: U]
	DenyAssignPermissionSets = org.DenyAssignPermissionSets
	// DenyWrites answers what is to change something with 503 SERVER_UNAVAILABLE
	// while reads go on. [S text; that reads go on: U]
	DenyWrites = org.DenyWrites
	// DenyReadOnlyMode is the read-only mode of planned maintenance: each record
	// gets INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE, and the Bulk API
	// is shut. [D; the status of a call about one record: U]
	DenyReadOnlyMode = org.DenyReadOnlyMode
)
