package org

import (
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/auth"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// HostKind says what the address a request came to stands for.
type HostKind string

const (
	// MyDomain serves everything. It is the default.
	MyDomain HostKind = "MyDomain"
	// LoginHost is login.salesforce.com or test.salesforce.com: it serves
	// OAuth, refuses client credentials, and answers REST with URL_NOT_RESET.
	// The org itself is then reached at Config.InstanceURL.
	LoginHost HostKind = "LoginHost"
)

// Config describes an org to add. The zero value of every field but Clients
// has a sensible meaning; Default fills in a whole org.
type Config struct {
	// ID is a 15 or 18 character id that begins with 00D; generated if empty.
	ID string `json:"id,omitempty"`
	// Name is the organization's name; default "Emulated Org".
	Name string `json:"name,omitempty"`
	// Kind of the host that requests arrive at; default MyDomain.
	Kind HostKind `json:"kind,omitempty"`
	// InstanceURL is what token answers send clients to. Empty: the address
	// the request came to.
	InstanceURL string              `json:"instanceUrl,omitempty"`
	Clients     []auth.ConnectedApp `json:"clients,omitempty"`
	Licenses    []License           `json:"licenses,omitempty"`
	// PermissionSetLicenses have seats of their own.
	PermissionSetLicenses []License            `json:"permissionSetLicenses,omitempty"`
	Profiles              []Profile            `json:"profiles,omitempty"`
	Roles                 []Role               `json:"roles,omitempty"`
	PermissionSets        []PermissionSet      `json:"permissionSets,omitempty"`
	PermissionSetGroups   []PermissionSetGroup `json:"permissionSetGroups,omitempty"`
	Groups                []Group              `json:"groups,omitempty"`
	// CustomFields of User.
	CustomFields []CustomField `json:"customFields,omitempty"`
	// Users are field values by API name; "Profile" and "UserRole" may be
	// given by name instead of ProfileId and UserRoleId, and everything
	// required but Username has a default.
	Users []map[string]any `json:"users,omitempty"`
	// FieldAccess is field-level security for callers of the API, by object
	// and field as in "User.Department".
	FieldAccess map[string]store.FieldAccess `json:"fieldAccess,omitempty"`
	// FeatureLicenses are the seats of feature licences by field of User, as
	// in "UserPermissionsKnowledgeUser"; those not listed have no end.
	FeatureLicenses map[string]int `json:"featureLicenses,omitempty"`
	// OnDeactivation is a flow that strips users who are deactivated; default
	// none.
	OnDeactivation Flow `json:"onDeactivation,omitzero"`
	// LoginsPerHour bounds the logins of one user; default 3,600. [R]
	LoginsPerHour int `json:"loginsPerHour,omitempty"`
	// DailyAPILimit is the rolling 24 hour limit; default 5,000,000.
	DailyAPILimit int `json:"dailyApiLimit,omitempty"`
	// SessionTimeout is how long an unused access token lives; default 2 h. [D]
	SessionTimeout time.Duration `json:"sessionTimeout,omitempty"`
	// PropagationDelay is how long a new or changed connected app stays
	// unknown to the token endpoint (2-10 minutes in life); default 0. [D/R]
	PropagationDelay time.Duration `json:"propagationDelay,omitempty"`
}

// License is a user licence or a permission set licence.
type License struct {
	Name          string `json:"name"`
	DefinitionKey string `json:"definitionKey,omitempty"`
	Seats         int    `json:"seats"`
}

// Profile belongs to a licence named in Config.Licenses.
type Profile struct {
	Name     string `json:"name"`
	License  string `json:"license"`
	UserType string `json:"userType,omitempty"`
	// Permissions are the user permissions it has, as in "ModifyAllData"; the profile
	// "System Administrator" has all. [D]
	Permissions []string `json:"permissions,omitempty"`
}

// Role is a UserRole; Parent is the name of a role listed before.
type Role struct {
	Name   string `json:"name"`
	Parent string `json:"parent,omitempty"`
}

// PermissionSet may be tied to a user licence by name.
type PermissionSet struct {
	Name    string `json:"name"`
	Label   string `json:"label,omitempty"`
	License string `json:"license,omitempty"`
	// Permissions are the user permissions it gives, as in "ManageUsers".
	Permissions []string `json:"permissions,omitempty"`
}

// PermissionSetGroup bundles permission sets by name.
type PermissionSetGroup struct {
	DeveloperName  string   `json:"developerName"`
	Label          string   `json:"label,omitempty"`
	PermissionSets []string `json:"permissionSets,omitempty"`
}

// Group is a public group (Type "Regular", the default) or a queue ("Queue").
type Group struct {
	Name          string `json:"name"`
	DeveloperName string `json:"developerName,omitempty"`
	Type          string `json:"type,omitempty"`
}

// Names in the default org that other code refers to.
const (
	IntegrationUsername  = "integration@rollcall.example"
	SalesforceLicense    = "Salesforce"
	PlatformLicense      = "Salesforce Platform"
	ChatterFreeLicense   = "Chatter Free"
	StandardUserProfile  = "Standard User"
	MinimumAccessProfile = "Minimum Access - Salesforce"
	PlatformUserProfile  = "Standard Platform User"
	AdminProfile         = "System Administrator"
)

// Default is an org with licences, profiles, roles, permission sets, groups,
// a queue, one integration user and one connected app that may use every flow.
func Default(clientID, clientSecret string) Config {
	return Config{
		Name: "Rollcall Demo",
		Clients: []auth.ConnectedApp{{
			ClientID: clientID, ClientSecret: clientSecret, RunAsUsername: IntegrationUsername,
			Scopes:       []string{"api", "refresh_token", "openid", "id", "full", "web"},
			RedirectURIs: []string{"http://localhost:8080/oauth/callback", "http://127.0.0.1:8080/oauth/callback"},
		}},
		Licenses: []License{
			{SalesforceLicense, "SFDC", 100_000}, {PlatformLicense, "AUL", 100_000}, {ChatterFreeLicense, "PID_CHATTER", 100_000},
		},
		PermissionSetLicenses: []License{{"Salesforce API Integration", "SalesforceAPIIntegrationPsl", 5}, {"Sales User", "SalesUserPsl", 100}},
		Profiles: []Profile{
			{Name: AdminProfile, License: SalesforceLicense}, {Name: StandardUserProfile, License: SalesforceLicense}, {Name: MinimumAccessProfile, License: SalesforceLicense},
			{Name: PlatformUserProfile, License: PlatformLicense}, {Name: "Chatter Free User", License: ChatterFreeLicense, UserType: "CsnOnly"},
		},
		Roles: []Role{{"CEO", ""}, {"SVP, Sales", "CEO"}, {"Sales Rep", "SVP, Sales"}, {"SVP, Support", "CEO"}, {"Support Agent", "SVP, Support"}, {"HR", "CEO"}},
		PermissionSets: []PermissionSet{
			{Name: "Sales_Base"}, {Name: "Support_Base"}, {Name: "Reports_Export"}, {Name: "HR_Data"},
			{Name: "API_Enabled"}, {Name: "Salesforce_Only", License: SalesforceLicense},
		},
		PermissionSetGroups: []PermissionSetGroup{{"Sales_All", "Sales All", []string{"Sales_Base", "Reports_Export"}}},
		Groups: []Group{
			{"All Staff", "All_Staff", ""}, {"Sales Team", "Sales_Team", ""}, {"Support Team", "Support_Team", ""}, {"Support Queue", "Support_Queue", "Queue"},
		},
		CustomFields: []CustomField{{Name: "Rollcall_Key__c", Label: "Rollcall Key", Length: 80, ExternalID: true, Unique: true}},
		Users: []map[string]any{{"Username": IntegrationUsername, "LastName": "Integration", "FirstName": "Rollcall", "Alias": "rollcall",
			"Email": "integration@rollcall.example", "Profile": AdminProfile}},
	}
}

// Validate says everything for which an org cannot be added.
func (c Config) Validate() error {
	var errs []error
	if c.ID != "" && (!store.IsID(c.ID) || c.ID[:3] != "00D") {
		errs = append(errs, fmt.Errorf("org id %q: want 15 or 18 letters and digits that begin with 00D", c.ID))
	}
	if c.Kind != "" && c.Kind != MyDomain && c.Kind != LoginHost {
		errs = append(errs, fmt.Errorf("org kind %q: want %s or %s", c.Kind, MyDomain, LoginHost))
	}
	seen := map[string]bool{}
	for _, app := range c.Clients {
		if app.ClientID == "" || seen[app.ClientID] {
			errs = append(errs, fmt.Errorf("client id %q: empty or listed twice", app.ClientID))
		}
		seen[app.ClientID] = true
		if err := auth.CheckKey(&app); err != nil {
			errs = append(errs, fmt.Errorf("client %q: %w", app.ClientID, err))
		}
	}
	licences := map[string]bool{}
	for _, l := range c.Licenses {
		licences[l.Name] = true
	}
	for _, p := range c.Profiles {
		if !licences[p.License] {
			errs = append(errs, fmt.Errorf("profile %q: no licence named %q", p.Name, p.License))
		}
	}
	return errors.Join(errs...)
}
