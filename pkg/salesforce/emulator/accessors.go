package emulator

import (
	"errors"
	"fmt"
	"slices"
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

// typedFields are members of User and left out of its Fields.
var typedFields = []string{"Username", "FirstName", "LastName", "Email", "Alias", "CommunityNickname", "FederationIdentifier",
	"EmployeeNumber", "IsActive", "ProfileId", "UserRoleId"}

func (o *Org) snapshot(r *record) User {
	obj := o.object("User")
	text := func(name string) string { return plainValue(o.value(r, obj.field(name))) }
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
		if slices.Contains(typedFields, f.name) {
			continue
		}
		if at, ok := c.value.(instant); ok {
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
	return plainValue(r.at(t.object.field(column).pos))
}

// names follows a junction object from one user to the names it leads to,
// sorted.
func (o *Org) names(junction, from, to, object, column, userID string) []string {
	t := o.table(junction)
	out := []string{}
	for _, r := range t.matches(t.object.field(from), userID) {
		if id := plainValue(r.at(t.object.field(to).pos)); id != "" {
			out = append(out, o.nameOf(object, id, column))
		}
	}
	slices.Sort(out)
	return out
}

// Query runs SOQL and gives the rows as encoding/json would read them. A
// SELECT COUNT() gives no rows; use Count.
func (o *Org) Query(soql string) ([]map[string]any, error) {
	o.server.mu.RLock()
	defer o.server.mu.RUnlock()
	plan, err := o.plan(soql)
	if err != nil {
		return nil, err
	}
	rows := plan.run()
	out := make([]map[string]any, 0, len(rows))
	for _, r := range rows {
		row, err := decodeRow(plan.root.append(nil, o, r, "63.0"))
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

// Count runs SOQL and says how many rows it has.
func (o *Org) Count(soql string) (int, error) {
	o.server.mu.RLock()
	defer o.server.mu.RUnlock()
	plan, err := o.plan(soql)
	if err != nil {
		return 0, err
	}
	return len(plan.run()), nil
}

func (o *Org) plan(soql string) (*compiled, error) {
	q, err := parseSOQL(soql)
	if err != nil {
		return nil, fmt.Errorf("emulator: query: %w", err)
	}
	plan, failure := o.compile(q)
	if failure != nil {
		return nil, fmt.Errorf("emulator: query: %w", failure)
	}
	return plan, nil
}

// Create makes a record of any object, as the emulator itself: no faults, and
// no limits on which fields may be written. It gives the new id. For User,
// "Profile" and "UserRole" may be given by name, and what is required but
// missing is filled in.
func (o *Org) Create(object string, fields map[string]any) (string, error) {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	obj := o.object(object)
	if obj == nil {
		return "", fmt.Errorf("emulator: create: no object %q", object)
	}
	if obj.name == "User" {
		var err error
		if fields, err = o.seedValues(fields); err != nil {
			return "", fmt.Errorf("emulator: create: %w", err)
		}
	}
	id, err := o.plant(obj.name, fields)
	if err != nil {
		return "", fmt.Errorf("emulator: create: %w", err)
	}
	return id, nil
}

// UpdateUser changes fields of a user behind every client's back.
func (o *Org) UpdateUser(username string, fields map[string]any) error {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	r := o.userByName(username)
	if r == nil {
		return fmt.Errorf("emulator: no user %q", username)
	}
	return o.modify("User", r.id, fields)
}

func (o *Org) modify(object, id string, fields map[string]any) error {
	t := o.begin(nil)
	t.plants = true
	if res := t.update(o.object(object), id, mapInput(fields)); !res.ok() {
		t.rollback()
		return fmt.Errorf("emulator: update: %w", res.errs[0])
	}
	return nil
}

// DisableUser deactivates a user behind every client's back.
func (o *Org) DisableUser(username string) error {
	return o.UpdateUser(username, map[string]any{"IsActive": false})
}

// FreezeUser freezes or unfreezes a user.
func (o *Org) FreezeUser(username string, frozen bool) error {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	r := o.userByName(username)
	if r == nil {
		return fmt.Errorf("emulator: no user %q", username)
	}
	return o.modify("UserLogin", o.loginOf(r.id).id, map[string]any{"IsFrozen": frozen})
}

// RefuseDeactivation makes deactivating a user fail with a reason; a zero
// Refusal allows it again. An empty code becomes FIELD_INTEGRITY_EXCEPTION. [U]
func (o *Org) RefuseDeactivation(username string, reason Refusal) error {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	r := o.userByName(username)
	if r == nil {
		return fmt.Errorf("emulator: no user %q", username)
	}
	if reason == (Refusal{}) {
		delete(o.refusals, shortID(r.id))
		return nil
	}
	if reason.Code == "" {
		reason.Code = "FIELD_INTEGRITY_EXCEPTION"
	}
	o.refusals[shortID(r.id)] = reason
	return nil
}

// SetSeats changes the total of a licence, by its name or definition key.
func (o *Org) SetSeats(licence string, total int) error {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	object, r := o.licenceNamed(licence)
	if r == nil {
		return fmt.Errorf("emulator: no licence %q", licence)
	}
	return o.modify(object, r.id, map[string]any{"TotalLicenses": total})
}

// Seats gives used and total of a licence; zeros when there is none.
func (o *Org) Seats(licence string) (used, total int) {
	o.server.mu.RLock()
	defer o.server.mu.RUnlock()
	object, r := o.licenceNamed(licence)
	if r == nil {
		return 0, 0
	}
	n, _ := r.at(o.object(object).field("TotalLicenses").pos).(int64)
	return o.seats[shortID(r.id)], int(n)
}

func (o *Org) licenceNamed(name string) (string, *record) {
	for _, at := range [...][2]string{{"UserLicense", "Name"}, {"UserLicense", "LicenseDefinitionKey"}, {"PermissionSetLicense", "DeveloperName"}} {
		if r := o.byName(at[0], at[1], name); r != nil {
			return at[0], r
		}
	}
	return "", nil
}

// RevokeTokens ends every session and every refresh token of the org.
func (o *Org) RevokeTokens() {
	defer o.auth.lock()()
	for _, g := range o.auth.grants {
		o.auth.end(g)
	}
	clear(o.auth.sessions)
	clear(o.auth.codes)
}

// ExpireSessions ends every session; refresh tokens stay.
func (o *Org) ExpireSessions() {
	defer o.auth.lock()()
	clear(o.auth.sessions)
}

var errNoApp = errors.New("emulator: no such connected app")

// UpdateApp changes a connected app; the change takes effect after the org's
// PropagationDelay.
func (o *Org) UpdateApp(clientID string, change func(app *ConnectedApp)) error {
	defer o.auth.lock()()
	entry := o.auth.apps[clientID]
	if entry == nil {
		return errNoApp
	}
	cfg := entry.latest()
	change(&cfg)
	cfg.ClientID = clientID
	o.auth.propagate(entry, cfg)
	return nil
}

// AddApp registers another connected app.
func (o *Org) AddApp(cfg ConnectedApp) error {
	if _, err := cfg.publicKey(); err != nil {
		return fmt.Errorf("emulator: app: %w", err)
	}
	defer o.auth.lock()()
	if cfg.ClientID == "" || o.auth.apps[cfg.ClientID] != nil {
		return errors.New("emulator: app: client id is empty or taken")
	}
	o.auth.apps[cfg.ClientID] = o.auth.propagate(&app{}, cfg)
	return nil
}

// Grant gives a refresh token as if the user had consented.
func (o *Org) Grant(clientID, username string) (string, error) {
	o.server.mu.RLock()
	user := o.userByName(username)
	o.server.mu.RUnlock()
	if user == nil {
		return "", fmt.Errorf("emulator: no user %q", username)
	}
	defer o.auth.lock()()
	entry := o.auth.apps[clientID]
	if entry == nil {
		return "", errNoApp
	}
	cfg := entry.latest()
	return o.auth.grantTo(user.id, clientID, joinScopes(cfg.scopes())).token, nil
}

// AccessToken gives a session for a user without the token endpoint.
func (o *Org) AccessToken(username string) (string, error) {
	o.server.mu.RLock()
	user := o.userByName(username)
	o.server.mu.RUnlock()
	if user == nil {
		return "", fmt.Errorf("emulator: no user %q", username)
	}
	defer o.auth.lock()()
	return o.auth.issue(user.id, "", "api", nil, o.server.now()).token, nil
}

// SetDailyLimit changes the limit of API calls per rolling 24 hours.
func (o *Org) SetDailyLimit(calls int) {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	o.cfg.DailyAPILimit = calls
}

// Counters of this org's calls.
func (o *Org) Counters() Counters { return o.server.journal.counters(o.id) }

// Journal lists this org's calls.
func (o *Org) Journal(f JournalFilter) []JournalEntry {
	f.Org = o.id
	return o.server.journal.list(f)
}

// ResetJournal forgets this org's calls and counters.
func (o *Org) ResetJournal() { o.server.journal.reset(o.id) }

// Plan adds a fault and gives it back with its id.
func (s *Server) Plan(f Fault) (Fault, error) { return s.faults.add(f) }

// Faults lists the plan with the count of uses.
func (s *Server) Faults() []Fault { return s.faults.list() }

// Fault gives one planned fault by id.
func (s *Server) Fault(id string) (Fault, bool) {
	for _, f := range s.faults.list() {
		if f.ID == id {
			return f, true
		}
	}
	return Fault{}, false
}

// RemoveFault takes one fault away.
func (s *Server) RemoveFault(id string) bool { return id != "" && s.faults.remove(id) > 0 }

// ClearFaults takes the whole plan away.
func (s *Server) ClearFaults() { s.faults.remove("") }

// Journal lists calls of all orgs.
func (s *Server) Journal(f JournalFilter) []JournalEntry { return s.journal.list(f) }

// Counters of all orgs together.
func (s *Server) Counters() Counters { return s.journal.counters("") }

// ResetJournal forgets all calls and counters.
func (s *Server) ResetJournal() { s.journal.reset("") }
