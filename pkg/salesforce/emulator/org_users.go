package emulator

import (
	"slices"

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
	t := o.table("User")
	users := make([]User, 0, len(t.rows))
	for _, r := range t.rows {
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

func (o *Org) snapshot(r *record) User {
	obj := o.object("User")
	text := func(name string) string { return wire.PlainValue(o.value(r, obj.field(name))) }
	u := User{ID: r.id, Username: text("Username"), FirstName: text("FirstName"), LastName: text("LastName"), Email: text("Email"),
		Alias: text("Alias"), CommunityNickname: text("CommunityNickname"), FederationIdentifier: text("FederationIdentifier"),
		EmployeeNumber: text("EmployeeNumber"), IsActive: r.at(o.user.active.pos) == true, IsFrozen: o.frozen(r.id), Fields: map[string]any{}}
	u.Profile = o.nameOf("Profile", text("ProfileId"), "Name")
	u.License = o.nameOf("UserLicense", o.licenceOf(text("ProfileId")), "Name")
	u.Role = o.nameOf("UserRole", text("UserRoleId"), "Name")
	u.PermissionSets = o.names("PermissionSetAssignment", "AssigneeId", "PermissionSetId", "PermissionSet", "Name", r.id)
	u.PermissionSetGroups = o.names("PermissionSetAssignment", "AssigneeId", "PermissionSetGroupId", "PermissionSetGroup", "DeveloperName", r.id)
	u.Groups = o.names("GroupMember", "UserOrGroupId", "GroupId", "Group", "Name", r.id)
	for _, c := range r.cells {
		f := obj.fields[c.pos]
		if typed(f.name) {
			continue
		}
		if at, ok := c.value.(wire.Instant); ok {
			u.Fields[f.name] = at.String()
			continue
		}
		u.Fields[f.name] = c.value
	}
	return u
}

func (o *Org) nameOf(object, id, column string) string {
	t := o.table(object)
	r := t.live(id)
	if r == nil {
		return ""
	}
	return wire.PlainValue(r.at(t.object.field(column).pos))
}

// names follows a junction object from one user to the names it leads to,
// sorted.
func (o *Org) names(junction, from, to, object, column, userID string) []string {
	t := o.table(junction)
	out := []string{}
	for _, r := range t.matches(t.object.field(from), userID) {
		if id := wire.PlainValue(r.at(t.object.field(to).pos)); id != "" {
			out = append(out, o.nameOf(object, id, column))
		}
	}
	slices.Sort(out)
	return out
}
