package org

import (
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Refusal is a planted reason for which a user cannot be deactivated. The
// errorCode over REST was never captured; the default is an assumption. [U]
type Refusal struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
}

// userRules are the checks that only User has.
type userRules struct{ org *Org }

func (u userRules) check(t *store.Tx, d *store.Draft) *wire.APIError {
	for _, rule := range [...]func(userRules, *store.Tx, *store.Draft) *wire.APIError{
		userRules.usernameForm, userRules.usernameFree, userRules.nicknameFree, userRules.federationFree, userRules.profileMove,
		userRules.activation, userRules.featuresFree,
	} {
		if err := rule(u, t, d); err != nil {
			return err
		}
	}
	return nil
}

func (u userRules) usernameForm(_ *store.Tx, d *store.Draft) *wire.APIError {
	name, _ := store.CellAt(d.Cells, u.org.user.username.Pos).(string)
	if d.Changed("Username") && !store.IsEmail(name) { // [R wso2 product-is #23846]
		return wire.RecordError("FIELD_INTEGRITY_EXCEPTION",
			"Username must be in the form of an email address (for example, john@acme.com): Username", "Username")
	}
	return nil
}

// usernameFree is unique over all orgs, inactive users included. [R, D]
func (u userRules) usernameFree(_ *store.Tx, d *store.Draft) *wire.APIError {
	name := strings.ToLower(d.Text("Username"))
	was, _ := d.Was("Username").(string)
	if name == strings.ToLower(was) || !u.org.set.usernameTaken(name) {
		return nil
	}
	return wire.RecordError("DUPLICATE_USERNAME", // [R githubsfdeploy #20], trailing space included
		"Duplicate Username.<br>The username already exists in this or another Salesforce organization. Usernames must be unique across all Salesforce organizations. To resolve, use a different username (it doesn't need to match the user's email address). ", "Username")
}

func (u userRules) nicknameFree(_ *store.Tx, d *store.Draft) *wire.APIError {
	f := u.org.user.nickname
	v := store.CellAt(d.Cells, f.Pos)
	if v == nil {
		if d.Old == nil {
			d.Set(f, u.freeNickname(d)) // defaulted on create [U]
		}
		return nil
	}
	if !d.SentField("CommunityNickname") || u.org.Taken(d.Object, f, v, d.Row) == nil {
		return nil
	}
	return wire.RecordError("DUPLICATE_COMM_NICKNAME", // [R forcedotcom/cli #3142]
		"Duplicate Nickname.<br>Another user has already selected this nickname.<br>Please select another.", "CommunityNickname")
}

func (u userRules) freeNickname(d *store.Draft) string {
	base, _, _ := strings.Cut(d.Text("Username"), "@")
	if len(base) > 30 {
		base = strings.ToValidUTF8(base[:30], "")
	}
	name := base
	for n := 1; u.org.Taken(d.Object, u.org.user.nickname, name, nil) != nil; n++ {
		name = base + strconv.Itoa(n)
	}
	return name
}

// federationFree: the text is [R]; code and case-sensitivity are not. [U]
func (u userRules) federationFree(_ *store.Tx, d *store.Draft) *wire.APIError {
	f := u.org.user.federation
	v := store.CellAt(d.Cells, f.Pos)
	if v == nil || d.Was(f.Name) == v {
		return nil
	}
	for _, r := range u.org.Table("User").Matches(f, store.IndexKey(f, v)) {
		if r != d.Row && r.At(f.Pos) == v {
			return wire.RecordError("DUPLICATE_VALUE",
				"This Federation ID is already in use. Use a different Federation ID.: SAML Federation ID", f.Name)
		}
	}
	return nil
}

// profileMove refuses the one documented change of licence. [R/D help 000386999]
func (u userRules) profileMove(_ *store.Tx, d *store.Draft) *wire.APIError {
	if d.Old == nil || !d.Changed("ProfileId") {
		return nil
	}
	was, _ := d.Was("ProfileId").(string)
	from, to := u.org.LicenceOf(was), u.org.LicenceOf(d.Text("ProfileId"))
	if from == to || !u.org.isChatter(from) {
		return nil
	}
	return wire.RecordError("FIELD_INTEGRITY_EXCEPTION",
		"You can only reassign this user to a profile of the current license.: [ProfileId]", "ProfileId")
}

// activation guards seats, planted refusals and the caller's own user.
func (u userRules) activation(t *store.Tx, d *store.Draft) *wire.APIError {
	wasActive, _ := d.Was("IsActive").(bool)
	active := d.Flag("IsActive")
	if d.Old != nil && wasActive && !active {
		return u.deactivation(t, d)
	}
	if !active {
		return nil
	}
	was, _ := d.Was("ProfileId").(string)
	licence := u.org.LicenceOf(d.Text("ProfileId"))
	if wasActive && u.org.LicenceOf(was) == licence {
		return nil
	}
	if !u.org.seats.free(licence) {
		return wire.ErrLicence()
	}
	return nil
}

func (u userRules) deactivation(t *store.Tx, d *store.Draft) *wire.APIError {
	if reason, ok := u.org.refusals[store.ShortID(d.Row.ID)]; ok && t.Actor != nil {
		return wire.RecordError(reason.Code, reason.Message)
	}
	if t.Actor == d.Row && t.Actor != nil { // [U] text
		return wire.RecordError("FIELD_INTEGRITY_EXCEPTION", "You cannot deactivate yourself.", "IsActive")
	}
	return nil
}

// featuresFree asks for a seat of each feature: the code is that of other
// licences, which is an assumption. [U]
func (u userRules) featuresFree(_ *store.Tx, d *store.Draft) *wire.APIError {
	var was []store.Cell
	if d.Old != nil {
		was = d.Old.Cells
	}
	for _, f := range u.org.seats.featuresOf(d.Cells) {
		if !u.org.seats.featureFree(f, was) {
			return wire.ErrLicence()
		}
	}
	return nil
}

// neutral says whether a change of a user may stand beside any other: these
// fields make it setup work, without them it is not. [D]
func (userRules) neutral(d *store.Draft) bool {
	if d.Old == nil {
		return false
	}
	for _, name := range [...]string{"UserRoleId", "IsActive", "ForecastEnabled", "IsPortalEnabled", "Username", "ProfileId"} {
		if f := d.Object.Field(name); f != nil && d.SentField(name) {
			return false
		}
	}
	return true
}

// stored keeps what hangs on a user: the seat and UserLogin.
func (u userRules) stored(t *store.Tx, d *store.Draft) {
	o, id := u.org, d.Row.ID
	wasActive, _ := d.Was("IsActive").(bool)
	wasProfile, _ := d.Was("ProfileId").(string)
	from, to := "", ""
	if wasActive {
		from = o.LicenceOf(wasProfile)
	}
	if d.Flag("IsActive") {
		to = o.LicenceOf(d.Text("ProfileId"))
	}
	if from != to {
		o.seats.move(from, to)
		t.OnRollback(func() { o.seats.move(to, from) })
	}
	var before []store.Cell
	if d.Old != nil {
		before = d.Old.Cells
	}
	after := d.Row.Cells
	o.seats.moveFeatures(before, after)
	t.OnRollback(func() { o.seats.moveFeatures(after, before) })
	if d.Old == nil {
		addLogin(t, id)
		t.Places = append(t.Places, d.Text("Username"))
	}
	if wasActive && !d.Flag("IsActive") {
		o.runFlow(t, id)
	}
}

// addLogin makes the UserLogin row that freezing works on.
func addLogin(t *store.Tx, userID string) {
	table := t.Data.Table("UserLogin")
	table.Next++
	o := table.Object
	r := &store.Record{ID: store.NewID(o.Prefix, t.Data.Pod, table.Next), Created: t.Now, Modified: t.Now,
		Cells: []store.Cell{o.Field("UserId").Cell(userID)}}
	table.Add(r)
	t.OnRollback(func() { table.Drop(r) })
}
