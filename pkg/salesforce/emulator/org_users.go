package emulator

import (
	"slices"

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
	o.server.mu.RLock()
	defer o.server.mu.RUnlock()
	t := o.Table("User")
	users := make([]User, 0, len(t.Rows))
	for _, r := range t.Rows {
		users = append(users, o.snapshot(r))
	}
	return users
}

// UserByUsername finds a user, active or not.
func (o *Org) UserByUsername(username string) (User, bool) {
	o.server.mu.RLock()
	defer o.server.mu.RUnlock()
	r := o.userByName(username)
	if r == nil {
		return User{}, false
	}
	return o.snapshot(r), true
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

func (o *Org) snapshot(r *store.Record) User {
	obj := o.Object("User")
	text := func(name string) string { return wire.PlainValue(o.Value(r, obj.Field(name))) }
	u := User{ID: r.ID, Username: text("Username"), FirstName: text("FirstName"), LastName: text("LastName"), Email: text("Email"),
		Alias: text("Alias"), CommunityNickname: text("CommunityNickname"), FederationIdentifier: text("FederationIdentifier"),
		EmployeeNumber: text("EmployeeNumber"), IsActive: r.At(o.user.active.Pos) == true, IsFrozen: o.frozen(r.ID), Fields: map[string]any{}}
	u.Profile = o.nameOf("Profile", text("ProfileId"), "Name")
	u.License = o.nameOf("UserLicense", o.licenceOf(text("ProfileId")), "Name")
	u.Role = o.nameOf("UserRole", text("UserRoleId"), "Name")
	u.PermissionSets = o.names("PermissionSetAssignment", "AssigneeId", "PermissionSetId", "PermissionSet", "Name", r.ID)
	u.PermissionSetGroups = o.names("PermissionSetAssignment", "AssigneeId", "PermissionSetGroupId", "PermissionSetGroup", "DeveloperName", r.ID)
	u.Groups = o.names("GroupMember", "UserOrGroupId", "GroupId", "Group", "Name", r.ID)
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

func (o *Org) nameOf(object, id, column string) string {
	t := o.Table(object)
	r := t.Live(id)
	if r == nil {
		return ""
	}
	return wire.PlainValue(r.At(t.Object.Field(column).Pos))
}

// names follows a junction object from one user to the names it leads to,
// sorted.
func (o *Org) names(junction, from, to, object, column, userID string) []string {
	t := o.Table(junction)
	out := []string{}
	for _, r := range t.Matches(t.Object.Field(from), userID) {
		if id := wire.PlainValue(r.At(t.Object.Field(to).Pos)); id != "" {
			out = append(out, o.nameOf(object, id, column))
		}
	}
	slices.Sort(out)
	return out
}
