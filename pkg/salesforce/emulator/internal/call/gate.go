package call

import (
	"net/http"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/faults"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// gate is what stands before every data call.
type gate struct{ *Call }

// admitted checks what stands before every data call: host, token, version and
// the daily limit.
func (c gate) admitted() bool {
	if c.OnLoginHost() {
		c.Fail(wire.ErrURLNotReset())
		return false
	}
	if err := c.sizes(); err != nil {
		c.Fail(err)
		return false
	}
	if err := c.acceptable(); err != nil {
		c.Fail(err)
		return false
	}
	token, err := Bearer(c.Request)
	if err != nil {
		c.Fail(err)
		return false
	}
	if err := c.Authenticate(token); err != nil {
		c.Fail(err)
		return false
	}
	if err := c.CheckVersion(); err != nil {
		c.Fail(err)
		return false
	}
	if err := c.blocked(); err != nil {
		c.Fail(err)
		return false
	}
	c.Env.Orgs.State.Lock()
	within := c.Org.Usage.Count(c.Started, c.Org.Config.DailyAPILimit)
	c.Env.Orgs.State.Unlock()
	if !within {
		c.Fail(wire.ErrDailyLimit())
	}
	return within
}

// maxURI bounds the URI, and the URI with all headers. [D]
const maxURI = 16_384

// sizes refuses long URIs and headers: 414 and 431 [D], texts [U].
func (c gate) sizes() *wire.APIError {
	n := len(c.Request.URL.RequestURI())
	if n > maxURI {
		return wire.PlatformError(http.StatusRequestURITooLong, "URI_TOO_LONG", "URI is longer than 16384 bytes")
	}
	for name, values := range c.Request.Header {
		for _, v := range values {
			n += len(name) + len(v) + len(": \r\n")
		}
	}
	if n > maxURI {
		return wire.PlatformError(http.StatusRequestHeaderFieldsTooLarge, "HEADERS_TOO_LONG", "URI and headers are longer than 16384 bytes")
	}
	return nil
}

// acceptable refuses callers that want nothing but XML: Salesforce would serve
// it, the emulator speaks JSON only. Code and text are its own. [U]
func (c gate) acceptable() *wire.APIError {
	accept := strings.ToLower(strings.Join(c.Request.Header.Values("Accept"), ","))
	if !strings.Contains(accept, "xml") || strings.Contains(accept, "json") || strings.Contains(accept, "*/*") || strings.Contains(accept, "text/csv") {
		return nil
	}
	return wire.PlatformError(http.StatusNotAcceptable, "NOT_ACCEPTABLE", "This emulator answers with JSON only")
}

// blocked is what every data call of a denied caller answers.
func (c gate) blocked() *wire.APIError {
	defer c.RLock()()
	for _, wall := range [...]struct {
		denial org.Denial
		answer faults.Effect
		stands bool
	}{
		{org.DenyRESTSession, "session_not_for_rest", true}, {org.DenyOrgAPI, "api_disabled_for_org", true},
		{org.DenyAPIEnabled, "functionality_not_enabled", true}, {org.DenyAPIAccess, "api_currently_disabled", true},
		{org.DenyPassword, "expired_password", true}, {org.DenyWrites, "server_unavailable", c.writes},
		{org.DenyReadOnlyMode, "read_only_mode", c.shut()},
	} {
		if wall.stands && c.Org.Denied.Denies(c.Actor.ID, wall.denial) {
			c.Entry.FaultID = deniedID(wall.denial)
			return faults.RefusalOf(wall.answer)
		}
	}
	return c.scoped()
}

// shut says whether read-only mode refuses the call as a whole and not record by
// record: jobs that change rows and those that read them [D help
// setup_maintenance_mode_overview], and passwords. [U]
func (c gate) shut() bool {
	return (strings.HasPrefix(c.Entry.Operation, "bulk.") || c.Entry.Operation == "password") && c.Method != http.MethodGet
}

// deniedID is how the journal names a denial where it names a planned fault.
func deniedID(d org.Denial) string { return "denied-" + string(d) }

// scoped refuses a token that was given without a scope for the API: the text
// is [R], that this is its cause is an assumption. [U]
func (c gate) scoped() *wire.APIError {
	for scope := range strings.FieldsSeq(c.Session.Scope) {
		if scope == "api" || scope == "full" || scope == "web" {
			return nil
		}
	}
	return faults.RefusalOf("session_not_for_rest")
}
