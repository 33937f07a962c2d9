package call

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/faults"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// InstanceURL is where data calls go.
func (c *Call) InstanceURL() string {
	if at := c.Org.Place().URL; at != "" {
		return at
	}
	return c.Base
}

// IdentityURL names org and user; clients parse it. [C jsforce]
func (c *Call) IdentityURL(userID string) string {
	return c.Base + "/id/" + c.Org.ID + "/" + userID
}

// Candidates are the orgs that a request without a session may be about.
func (c *Call) Candidates() []*org.Org {
	if c.Org != nil {
		return []*org.Org{c.Org}
	}
	return c.Env.Orgs.All()
}

// OnLoginHost says whether the request came to a host that only signs in.
func (c *Call) OnLoginHost() bool {
	if c.Login {
		return true
	}
	if c.Org == nil || c.Org.Config.Kind != org.LoginHost {
		return false
	}
	at := c.Org.Place().Host
	return at != "" && at != strings.ToLower(c.Request.Host)
}

// Bearer takes the token from the header; "OAuth" is an older word for the
// same. [C WSO2's connector]
func Bearer(r *http.Request) (string, *wire.APIError) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", wire.ErrSession()
	}
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "OAuth") {
		return "", wire.ErrAuthHeader()
	}
	return strings.TrimSpace(token), nil
}

// Authenticate finds org and session of a token. A token of another org than
// the one the address names is no session at all.
func (c *Call) Authenticate(token string) *wire.APIError {
	id, _, _ := strings.Cut(token, "!")
	o := c.Env.Orgs.Find(id)
	if o == nil || c.Org != nil && c.Org != o {
		return wire.ErrSession()
	}
	c.Org = o
	if c.OnLoginHost() {
		return wire.ErrURLNotReset()
	}
	session := o.Auth.Use(token, c.Started)
	if session == nil {
		return wire.ErrSession()
	}
	defer c.RLock()()
	actor := o.Table("User").Live(session.UserID)
	if !o.Active(actor) {
		return wire.ErrSession()
	}
	c.Session, c.Actor = session, actor
	return nil
}

// VersionNumber is the API version that the path names.
func (c *Call) VersionNumber() float64 {
	number, _ := strconv.ParseFloat(c.Version, 64) // CheckVersion saw it
	return number
}

// subject is the call as the fault plan sees it.
func (c *Call) subject() *faults.Subject {
	s := &faults.Subject{Operation: c.Entry.Operation, Outer: c.outer, SignedIn: c.Session != nil, Writes: c.writes, Path: c.Path, URL: c.Request.URL, Payload: c.Payload, Body: c}
	if c.Org != nil {
		s.Org = c.Org.ID
	}
	return s
}

// record writes the journal entry of a call and gives its Seq. Query values stay
// out of it: they may hold tokens or personal data.
func (c *Call) record(dropped bool) int64 {
	e := c.Entry
	e.Time, e.Method, e.Path, e.Status, e.Dropped = c.Started, c.Method, c.Path, c.Status, dropped
	if c.Org != nil {
		e.Org = c.Org.ID
	}
	e.Micros = c.Env.Orgs.Now().Sub(c.Started).Microseconds()
	data := strings.HasPrefix(c.Path, "/services/data/") && !c.astray
	return c.Env.Journal.Add(e, data)
}
