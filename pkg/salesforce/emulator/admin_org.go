package emulator

import (
	"fmt"
	"net/http"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/auth"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// adminOrgs serves /_emulator/orgs and what is below an org.
func (c admin) adminOrgs(rest []string) {
	if len(rest) == 0 {
		c.listOrgs()
		return
	}
	o := c.adminOrg(rest[0])
	if o == nil {
		return
	}
	if len(rest) == 1 {
		c.JSON(200, describe(o))
		return
	}
	name := ""
	if len(rest) > 2 {
		name = call.PathName(rest[2])
	}
	if c.Method == http.MethodGet && rest[1] == "users" {
		c.adminReadUsers(o, name)
		return
	}
	work, ok := map[string]func(*Org, string) error{
		"users": c.adminUser, "licenses": c.adminSeats, "apps": c.adminApp, "sessions": c.adminSessions,
		"tokens": c.adminTokens, "limits": c.adminLimits, "grants": c.adminGrant, "refusals": c.adminRefusal,
		"denials": c.adminDenials, "propagation": c.adminPropagation, "fields": c.adminFields,
		"access": c.adminAccess, "flow": c.adminFlow, "refresh": c.adminRefresh, "move": c.adminMove,
	}[rest[1]]
	if !ok {
		c.refuse(http.StatusNotFound, fmt.Errorf("no resource %q", rest[1]))
		return
	}
	c.None(http.StatusNoContent)
	if err := work(o, name); err != nil {
		c.refuse(http.StatusBadRequest, err)
	}
}

type orgDescription struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	InstanceURL string `json:"instanceUrl,omitempty"`
	Users       int    `json:"users"`
}

func describe(o *Org) orgDescription {
	defer o.rlock()()
	return orgDescription{o.org.ID, o.org.Config.Name, o.org.Config.InstanceURL, len(o.org.Table("User").Rows)}
}

func (c admin) listOrgs() {
	if c.Method == http.MethodPost {
		c.addOrg()
		return
	}
	list := []orgDescription{}
	for _, o := range c.s.Orgs() {
		list = append(list, describe(o))
	}
	c.JSON(200, list)
}

// addOrg makes an org; the body is an OrgConfig, completed like DefaultOrg
// where lists are missing.
func (c admin) addOrg() {
	cfg := DefaultOrg("", "")
	cfg.Clients = nil
	if !c.decodeBody(&cfg) {
		return
	}
	if err := cfg.Validate(); err != nil {
		c.refuse(http.StatusBadRequest, err)
		return
	}
	defer func() {
		if trouble := recover(); trouble != nil {
			c.refuse(http.StatusBadRequest, fmt.Errorf("%v", trouble))
		}
	}()
	c.JSON(http.StatusCreated, describe(c.s.AddOrg(cfg)))
}

func (c admin) adminReadUsers(o *Org, username string) {
	if username == "" {
		c.JSON(200, o.Users())
		return
	}
	u, ok := o.UserByUsername(username)
	if !ok {
		c.refuse(http.StatusNotFound, fmt.Errorf("no user %q", username))
		return
	}
	c.JSON(200, u)
}

// adminUser plants: PATCH changes fields, POST creates or, with "IsFrozen",
// freezes as well.
func (c admin) adminUser(o *Org, username string) error {
	fields := map[string]any{}
	if !c.decodeBody(&fields) {
		return nil
	}
	frozen, freezes := fields["IsFrozen"].(bool)
	delete(fields, "IsFrozen")
	if _, exists := o.UserByUsername(username); !exists {
		fields["Username"] = username
		if _, err := o.Create("User", fields); err != nil {
			return err
		}
	} else if len(fields) > 0 {
		if err := o.UpdateUser(username, fields); err != nil {
			return err
		}
	}
	if freezes {
		return o.FreezeUser(username, frozen)
	}
	return nil
}

// adminSeats: {"seats":n}.
func (c admin) adminSeats(o *Org, licence string) error {
	var body struct {
		Seats int `json:"seats"`
	}
	if !c.decodeBody(&body) {
		return nil
	}
	return o.SetSeats(licence, body.Seats)
}

// adminApp changes the members of ConnectedApp that are sent, or adds an app.
func (c admin) adminApp(o *Org, clientID string) error {
	if c.Method == http.MethodPost && clientID == "" {
		var cfg ConnectedApp
		if !c.decodeBody(&cfg) {
			return nil
		}
		return o.AddApp(cfg)
	}
	return o.UpdateApp(clientID, func(cfg *auth.ConnectedApp) { c.decodeBody(cfg) })
}

// adminSessions: DELETE ends all sessions.
func (c admin) adminSessions(o *Org, _ string) error {
	if c.Method != http.MethodDelete {
		return fmt.Errorf("method %s", c.Method)
	}
	o.ExpireSessions()
	return nil
}

// adminTokens: DELETE revokes everything.
func (c admin) adminTokens(o *Org, _ string) error {
	if c.Method != http.MethodDelete {
		return fmt.Errorf("method %s", c.Method)
	}
	o.RevokeTokens()
	return nil
}

// adminLimits: {"dailyApiRequests":n,"loginsPerHour":n}, either or both.
func (c admin) adminLimits(o *Org, _ string) error {
	var body struct {
		Daily  *int `json:"dailyApiRequests"`
		Logins *int `json:"loginsPerHour"`
	}
	if !c.decodeBody(&body) {
		return nil
	}
	if body.Daily != nil {
		o.SetDailyLimit(*body.Daily)
	}
	if body.Logins != nil {
		o.SetLoginLimit(*body.Logins)
	}
	return nil
}

// adminFields: {"access":"none|read|edit"} for a field such as User.Title.
func (c admin) adminFields(o *Org, field string) error {
	var body struct {
		Access store.FieldAccess `json:"access"`
	}
	if !c.decodeBody(&body) {
		return nil
	}
	return o.SetFieldAccess(field, body.Access)
}

// adminGrant: {"clientId":..., "username":...} answers {"refresh_token":...}.
func (c admin) adminGrant(o *Org, _ string) error {
	var body struct {
		ClientID string `json:"clientId"`
		Username string `json:"username"`
	}
	if !c.decodeBody(&body) {
		return nil
	}
	token, err := o.Grant(body.ClientID, body.Username)
	if err != nil {
		return err
	}
	c.JSON(http.StatusCreated, map[string]string{"refresh_token": token})
	return nil
}

// adminRefusal plants or lifts a refused deactivation.
func (c admin) adminRefusal(o *Org, username string) error {
	if c.Method == http.MethodDelete {
		return o.RefuseDeactivation(username, Refusal{})
	}
	var reason Refusal
	if !c.decodeBody(&reason) {
		return nil
	}
	if reason.Message == "" {
		return fmt.Errorf("refusal: message is empty")
	}
	return o.RefuseDeactivation(username, reason)
}

// adminDenials: POST a list puts denials in a user's way, or in everybody's;
// DELETE takes them all away.
func (c admin) adminDenials(o *Org, username string) error {
	if c.Method == http.MethodDelete {
		return o.Allow(username)
	}
	var what []Denial
	if !c.decodeBody(&what) {
		return nil
	}
	return o.Deny(username, what...)
}

// adminPropagation: {"seconds":n} for the changes of apps from now on.
func (c admin) adminPropagation(o *Org, _ string) error {
	var body struct {
		Seconds int `json:"seconds"`
	}
	if c.decodeBody(&body) {
		o.SetPropagationDelay(time.Duration(body.Seconds) * time.Second)
	}
	return nil
}
