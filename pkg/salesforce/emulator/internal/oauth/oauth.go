package oauth

import (
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"sync"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// API signs in and says who has: the token endpoint, the browser leg, and
// what is known of tokens and users.
type API struct {
	keyOnce sync.Once
	key     *rsa.PrivateKey // signs id tokens
}

// New has no signing key until one is needed.
func New() *API { return &API{} }

// Route finds the work for a path that is no data call.
func (a *API) Route(c *call.Call) call.Route {
	if rest, ok := strings.CutPrefix(c.Path, "/services/oauth2/"); ok {
		return a.named(rest)
	}
	if strings.HasPrefix(c.Path, "/id/") {
		return call.Route{Op: "identity", Run: func(c *call.Call) { a.identities(c).identity() }}
	}
	if c.Path == "/.well-known/openid-configuration" {
		return call.Route{Op: "discovery", Run: func(c *call.Call) { a.identities(c).discovery() }}
	}
	if strings.HasPrefix(c.Path, "/services/Soap/") {
		return call.Route{Op: "soap", Run: soap}
	}
	return unknownRoute()
}

func (a *API) named(name string) call.Route {
	switch name {
	case "token":
		return call.Route{Op: "token", Run: func(c *call.Call) { tokens{request{c, a}}.token() }}
	case "authorize":
		return call.Route{Op: "authorize", Run: func(c *call.Call) { browser{request{c, a}}.authorize() }}
	case "revoke":
		return call.Route{Op: "revoke", Run: func(c *call.Call) { a.identities(c).revoke() }}
	case "introspect":
		return call.Route{Op: "introspect", Run: func(c *call.Call) { a.identities(c).introspect() }}
	case "userinfo":
		return call.Route{Op: "userinfo", Run: func(c *call.Call) { a.identities(c).userinfo() }}
	}
	return unknownRoute()
}

func (a *API) identities(c *call.Call) identities { return identities{request{c, a}} }

func unknownRoute() call.Route {
	return call.Route{Op: "unknown", Run: func(c *call.Call) { c.Fail(wire.ErrNotFound()) }}
}

// idKey gives the server's own signing key, made when first needed.
func (a *API) idKey() *rsa.PrivateKey {
	a.keyOnce.Do(func() {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic("emulator: id token key: " + err.Error()) // crypto/rand never fails
		}
		a.key = key
	})
	return a.key
}

// request is a call about signing in.
type request struct {
	*call.Call
	api *API
}

// tokens answers the token endpoint.
type tokens struct{ request }

// browser answers what people see who sign in.
type browser struct{ request }

// identities says who somebody is and what a token is good for.
type identities struct{ request }
