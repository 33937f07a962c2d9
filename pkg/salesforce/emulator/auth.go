package emulator

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

const (
	maxGrants      = 5                // refresh tokens per user and app [S nango; R jsforce #488]
	codeLife       = 15 * time.Minute // [U]
	defaultTimeout = 2 * time.Hour    // [D]
)

// authStore holds the apps, codes, grants and sessions of one org. The
// server's authMu guards it.
type authStore struct {
	org      *Org
	apps     map[string]*app
	sessions map[string]*session
	grants   map[string]*grant // by current refresh token
	rotated  map[string]*grant // by refresh tokens that were rotated out
	byUser   map[string][]*grant
	codes    map[string]*authCode
	logins   map[string]*loginRate // by user id
	// loginLimit is per user and rolling hour.
	loginLimit int
}

// session is an access token.
type session struct {
	token    string
	userID   string
	clientID string
	scope    string
	issued   time.Time
	used     time.Time
	grant    *grant
	jwt      bool // made by the JWT flow
}

// grant is a refresh token and its descendants: one family.
type grant struct {
	token    string
	old      []string
	userID   string
	clientID string
	scope    string
}

// authCode is an authorization code waiting to be exchanged.
type authCode struct {
	userID      string
	clientID    string
	redirectURI string
	scope       string
	challenge   string
	nonce       string
	made        time.Time
	spent       bool
}

func newAuthStore(o *Org) *authStore {
	a := &authStore{org: o, apps: map[string]*app{}, sessions: map[string]*session{}, grants: map[string]*grant{},
		rotated: map[string]*grant{}, byUser: map[string][]*grant{}, codes: map[string]*authCode{}, logins: map[string]*loginRate{}, loginLimit: defaultLogins}
	if o.cfg.LoginsPerHour > 0 {
		a.loginLimit = o.cfg.LoginsPerHour
	}
	for _, cfg := range o.cfg.Clients {
		a.apps[cfg.ClientID] = a.propagate(&app{}, cfg)
	}
	return a
}

// propagate lets a configuration take effect after the org's delay.
func (a *authStore) propagate(entry *app, cfg ConnectedApp) *app {
	at := a.org.server.now().Add(a.org.cfg.PropagationDelay)
	entry.changes = append(entry.changes, appChange{at, cfg})
	return entry
}

func (a *authStore) timeout() time.Duration {
	if a.org.cfg.SessionTimeout > 0 {
		return a.org.cfg.SessionTimeout
	}
	return defaultTimeout
}

func (a *authStore) lock() func() {
	a.org.server.authMu.Lock()
	return a.org.server.authMu.Unlock
}

// use finds a living session and slides its end. [D]
func (a *authStore) use(token string, now time.Time) *session {
	defer a.lock()()
	s := a.alive(token, now)
	if s == nil {
		return nil
	}
	s.used = now
	return s
}

func (a *authStore) alive(token string, now time.Time) *session {
	s := a.sessions[token]
	if s == nil {
		return nil
	}
	if now.Sub(s.used) >= a.timeout() {
		delete(a.sessions, token)
		return nil
	}
	return s
}

// issue makes an access token. The lock is held.
func (a *authStore) issue(userID, clientID, scope string, g *grant, now time.Time) *session {
	s := &session{token: store.ShortID(a.org.id) + "!" + "AQ" + randomText(66), userID: userID, clientID: clientID, scope: scope,
		issued: now, used: now, grant: g}
	a.sweep(now)
	a.sessions[s.token] = s
	return s
}

// sweep drops expired sessions once there are many.
func (a *authStore) sweep(now time.Time) {
	if len(a.sessions) < 1000 {
		return
	}
	for token, s := range a.sessions {
		if now.Sub(s.used) >= a.timeout() {
			delete(a.sessions, token)
		}
	}
}

// grantTo makes a refresh token; a sixth pushes the oldest out, silently.
func (a *authStore) grantTo(userID, clientID, scope string) *grant {
	g := &grant{token: refreshText(), userID: userID, clientID: clientID, scope: scope}
	a.grants[g.token] = g
	key := userID + clientID
	list := append(a.byUser[key], g)
	for len(list) > maxGrants {
		a.end(list[0])
		list = list[1:]
	}
	a.byUser[key] = list
	return g
}

// end kills a family: its refresh token and its access tokens.
func (a *authStore) end(g *grant) {
	delete(a.grants, g.token)
	for _, old := range g.old {
		delete(a.rotated, old)
	}
	for token, s := range a.sessions {
		if s.grant == g {
			delete(a.sessions, token)
		}
	}
	key := g.userID + g.clientID
	a.byUser[key] = slices.DeleteFunc(slices.Clone(a.byUser[key]), func(other *grant) bool { return other == g })
}

// rotate replaces the refresh token and ends the sessions made from the old
// one, so their query locators die with them. [D, R airbyte]
func (a *authStore) rotate(g *grant) {
	delete(a.grants, g.token)
	g.old = append(g.old, g.token)
	a.rotated[g.token] = g
	g.token = refreshText()
	a.grants[g.token] = g
	for token, s := range a.sessions {
		if s.grant == g {
			delete(a.sessions, token)
		}
	}
}

// refreshText looks like the recorded tokens: 5Aep861... [R]
func refreshText() string { return "5Aep861" + randomText(80) }

func randomText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand.Read never fails since Go 1.24
	return strings.NewReplacer("-", ".", "_", "x").Replace(base64.RawURLEncoding.EncodeToString(b))[:n]
}
