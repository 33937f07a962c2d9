package emulator

import (
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Refusal is a planted reason for which a user cannot be deactivated. The
// errorCode over REST was never captured; the default is an assumption. [U]
type Refusal struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
}

// userRules are the checks that only User has.
func userRules(t *tx, d *draft) *wire.APIError {
	for _, check := range [...]func(*tx, *draft) *wire.APIError{
		usernameForm, usernameFree, nicknameFree, federationFree, profileMove, activation, featuresFree,
	} {
		if err := check(t, d); err != nil {
			return err
		}
	}
	return nil
}

func usernameForm(t *tx, d *draft) *wire.APIError {
	name, _ := cellAt(d.cells, t.org.user.username.pos).(string)
	if d.changed("Username") && !isEmail(name) { // [R wso2 product-is #23846]
		return wire.RecordError("FIELD_INTEGRITY_EXCEPTION",
			"Username must be in the form of an email address (for example, john@acme.com): Username", "Username")
	}
	return nil
}

// usernameFree is unique over all orgs, inactive users included. [R, D]
func usernameFree(t *tx, d *draft) *wire.APIError {
	name := strings.ToLower(d.text("Username"))
	was, _ := d.was("Username").(string)
	if name == strings.ToLower(was) || !t.org.server.usernameTaken(name) {
		return nil
	}
	return wire.RecordError("DUPLICATE_USERNAME", // [R githubsfdeploy #20], trailing space included
		"Duplicate Username.<br>The username already exists in this or another Salesforce organization. Usernames must be unique across all Salesforce organizations. To resolve, use a different username (it doesn't need to match the user's email address). ", "Username")
}

func nicknameFree(t *tx, d *draft) *wire.APIError {
	f := t.org.user.nickname
	v := cellAt(d.cells, f.pos)
	if v == nil {
		if d.old == nil {
			d.set(f, t.freeNickname(d)) // defaulted on create [U]
		}
		return nil
	}
	if !d.sentField("CommunityNickname") || t.org.taken(d.object, f, v, d.row) == nil {
		return nil
	}
	return wire.RecordError("DUPLICATE_COMM_NICKNAME", // [R forcedotcom/cli #3142]
		"Duplicate Nickname.<br>Another user has already selected this nickname.<br>Please select another.", "CommunityNickname")
}

func (t *tx) freeNickname(d *draft) string {
	base, _, _ := strings.Cut(d.text("Username"), "@")
	if len(base) > 30 {
		base = strings.ToValidUTF8(base[:30], "")
	}
	name := base
	for n := 1; t.org.taken(d.object, t.org.user.nickname, name, nil) != nil; n++ {
		name = base + strconv.Itoa(n)
	}
	return name
}

// federationFree: the text is [R]; code and case-sensitivity are not. [U]
func federationFree(t *tx, d *draft) *wire.APIError {
	f := t.org.user.federation
	v := cellAt(d.cells, f.pos)
	if v == nil || d.was(f.name) == v {
		return nil
	}
	for _, r := range t.org.table("User").matches(f, indexKey(f, v)) {
		if r != d.row && r.at(f.pos) == v {
			return wire.RecordError("DUPLICATE_VALUE",
				"This Federation ID is already in use. Use a different Federation ID.: SAML Federation ID", f.name)
		}
	}
	return nil
}

// profileMove refuses the one documented change of licence. [R/D help 000386999]
func profileMove(t *tx, d *draft) *wire.APIError {
	if d.old == nil || !d.changed("ProfileId") {
		return nil
	}
	was, _ := d.was("ProfileId").(string)
	from, to := t.org.licenceOf(was), t.org.licenceOf(d.text("ProfileId"))
	if from == to || !t.org.isChatter(from) {
		return nil
	}
	return wire.RecordError("FIELD_INTEGRITY_EXCEPTION",
		"You can only reassign this user to a profile of the current license.: [ProfileId]", "ProfileId")
}

// activation guards seats, planted refusals and the caller's own user.
func activation(t *tx, d *draft) *wire.APIError {
	wasActive, _ := d.was("IsActive").(bool)
	active := d.flag("IsActive")
	if d.old != nil && wasActive && !active {
		return t.deactivation(d)
	}
	if !active {
		return nil
	}
	was, _ := d.was("ProfileId").(string)
	licence := t.org.licenceOf(d.text("ProfileId"))
	if wasActive && t.org.licenceOf(was) == licence {
		return nil
	}
	if !t.org.seatFree(licence) {
		return wire.ErrLicence()
	}
	return nil
}

func (t *tx) deactivation(d *draft) *wire.APIError {
	if reason, ok := t.org.refusals[shortID(d.row.id)]; ok && t.actor != nil {
		return wire.RecordError(reason.Code, reason.Message)
	}
	if t.actor == d.row && t.actor != nil { // [U] text
		return wire.RecordError("FIELD_INTEGRITY_EXCEPTION", "You cannot deactivate yourself.", "IsActive")
	}
	return nil
}

// userStored keeps what hangs on a user: the seat and UserLogin.
func userStored(t *tx, d *draft) {
	o, id := t.org, d.row.id
	wasActive, _ := d.was("IsActive").(bool)
	wasProfile, _ := d.was("ProfileId").(string)
	from, to := "", ""
	if wasActive {
		from = o.licenceOf(wasProfile)
	}
	if d.flag("IsActive") {
		to = o.licenceOf(d.text("ProfileId"))
	}
	if from != to {
		o.moveSeat(from, to)
		t.undo = append(t.undo, func() { o.moveSeat(to, from) })
	}
	var before []cell
	if d.old != nil {
		before = d.old.cells
	}
	after := d.row.cells
	o.moveFeatures(before, after)
	t.undo = append(t.undo, func() { o.moveFeatures(after, before) })
	if d.old == nil {
		t.addLogin(id)
		t.places = append(t.places, d.text("Username"))
	}
}

// addLogin makes the UserLogin row that freezing works on.
func (t *tx) addLogin(userID string) {
	table := t.org.table("UserLogin")
	table.next++
	o := table.object
	r := &record{id: newID(o.prefix, t.org.pod, table.next), created: t.now, modified: t.now,
		cells: []cell{{int32(o.field("UserId").pos), userID}}}
	table.add(r)
	t.undo = append(t.undo, func() { table.drop(r) })
}
