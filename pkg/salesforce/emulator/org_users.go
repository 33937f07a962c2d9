package emulator

import (
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// User is a snapshot of one user.
type User struct {
	ID                   string   `json:"id"`
	Username             string   `json:"username"`
	FirstName            string   `json:"firstName,omitempty"`
	LastName             string   `json:"lastName"`
	Email                string   `json:"email"`
	Alias                string   `json:"alias"`
	CommunityNickname    string   `json:"communityNickname"`
	FederationIdentifier string   `json:"federationIdentifier,omitempty"`
	EmployeeNumber       string   `json:"employeeNumber,omitempty"`
	IsActive             bool     `json:"isActive"`
	IsFrozen             bool     `json:"isFrozen"`
	Profile              string   `json:"profile"`
	License              string   `json:"license"`
	Role                 string   `json:"role,omitempty"`
	PermissionSets       []string `json:"permissionSets"`
	PermissionSetGroups  []string `json:"permissionSetGroups"`
	Groups               []string `json:"groups"`
	// Fields holds every other stored value by API name.
	Fields map[string]any `json:"fields"`
}

// Users is a snapshot of all users in the order they were made.
func (o *Org) Users() []User {
	defer o.rlock()()
	t := o.org.Table("User")
	users := make([]User, 0, len(t.Rows))
	for _, r := range t.Rows {
		users = append(users, snapshot(o.org, r))
	}
	return users
}

// UserByUsername finds a user, active or not.
func (o *Org) UserByUsername(username string) (User, bool) {
	defer o.rlock()()
	r := o.org.UserByName(username)
	if r == nil {
		return User{}, false
	}
	return snapshot(o.org, r), true
}

// typed says whether a field is a member of User and left out of its Fields.
func typed(name string) bool {
	switch name {
	case "Username", "FirstName", "LastName", "Email", "Alias", "CommunityNickname", "FederationIdentifier", "EmployeeNumber",
		"IsActive", "ProfileId", "UserRoleId":
		return true
	}
	return false
}

// snapshot reads a user. The state lock is held.
func snapshot(o *org.Org, r *store.Record) User {
	obj := o.Object("User")
	text := func(name string) string { return wire.PlainValue(o.Value(r, obj.Field(name))) }
	u := User{ID: r.ID, Username: text("Username"), FirstName: text("FirstName"), LastName: text("LastName"), Email: text("Email"),
		Alias: text("Alias"), CommunityNickname: text("CommunityNickname"), FederationIdentifier: text("FederationIdentifier"),
		EmployeeNumber: text("EmployeeNumber"), IsActive: o.Active(r), IsFrozen: o.Frozen(r.ID), Fields: map[string]any{}}
	u.Profile = o.NameOf("Profile", text("ProfileId"), "Name")
	u.License = o.NameOf("UserLicense", o.LicenceOf(text("ProfileId")), "Name")
	u.Role = o.NameOf("UserRole", text("UserRoleId"), "Name")
	u.PermissionSets = names(o, "PermissionSetAssignment", "AssigneeId", "PermissionSetId", "PermissionSet", "Name", r.ID)
	u.PermissionSetGroups = names(o, "PermissionSetAssignment", "AssigneeId", "PermissionSetGroupId", "PermissionSetGroup", "DeveloperName", r.ID)
	u.Groups = names(o, "GroupMember", "UserOrGroupId", "GroupId", "Group", "Name", r.ID)
	for _, c := range r.Cells {
		f := obj.Fields[c.Pos]
		if typed(f.Name) {
			continue
		}
		if at, ok := c.Value.(wire.Instant); ok {
			u.Fields[f.Name] = at.String()
			continue
		}
		u.Fields[f.Name] = c.Value
	}
	return u
}

// names follows a junction object from one user to the names it leads to,
// sorted.
func names(o *org.Org, junction, from, to, object, column, userID string) []string {
	t := o.Table(junction)
	out := []string{}
	for _, r := range t.Matches(t.Object.Field(from), userID) {
		if id := wire.PlainValue(r.At(t.Object.Field(to).Pos)); id != "" {
			out = append(out, o.NameOf(object, id, column))
		}
	}
	slices.Sort(out)
	return out
}
