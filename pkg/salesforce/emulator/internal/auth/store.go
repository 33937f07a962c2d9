package auth

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

const (
	maxGrants      = 5             // refresh tokens per user and app [S nango; R jsforce #488]
	defaultTimeout = 2 * time.Hour // [D]
)

// Settings are what an org says about signing in.
type Settings struct {
	OrgID string
	Apps  []ConnectedApp
	// LoginsPerHour bounds the logins of one user; 0 is the default.
	LoginsPerHour int
	// SessionTimeout is how long an unused session lives; 0 is the default.
	SessionTimeout time.Duration
	// PropagationDelay is how long apps stay unknown to the token endpoint.
	PropagationDelay time.Duration
}

// Store holds the apps, codes, grants and sessions of one org. Its lock is taken
// after that of the org's data, never before.
type Store struct {
	orgID      string
	now        func() time.Time
	timeout    time.Duration
	mu         sync.Mutex
	delay      time.Duration
	apps       map[string]*app
	sessions   map[string]*Session
	grants     map[string]*Grant // by current refresh token
	rotated    map[string]*Grant // by refresh tokens that were rotated out
	byUser     map[string][]*Grant
	codes      map[string]*Code
	logins     map[string]*loginRate // by user id
	loginLimit int                   // per user and rolling hour
}

// Session is an access token.
type Session struct {
	Token    string
	UserID   string
	ClientID string
	Scope    string
	JWT      bool // made by the JWT flow
	Issued   time.Time
	used     time.Time
	grant    *Grant
}

// Grant is a refresh token and its descendants: one family.
type Grant struct {
	UserID   string
	ClientID string
	Scope    string
	token    string
	old      []string
}

// Error is an answer of the token endpoint: error and error_description.
type Error struct {
	Code        string
	Description string
}

// InvalidGrant is the error that most refusals are.
func InvalidGrant(description string) *Error { return &Error{"invalid_grant", description} }

// NewStore has the apps of the settings, and nobody signed in.
func NewStore(cfg Settings, now func() time.Time) *Store {
	s := &Store{orgID: cfg.OrgID, now: now, timeout: cfg.SessionTimeout, delay: cfg.PropagationDelay, apps: map[string]*app{},
		sessions: map[string]*Session{}, grants: map[string]*Grant{}, rotated: map[string]*Grant{}, byUser: map[string][]*Grant{},
		codes: map[string]*Code{}, logins: map[string]*loginRate{}, loginLimit: defaultLogins}
	if s.timeout <= 0 {
		s.timeout = defaultTimeout
	}
	if cfg.LoginsPerHour > 0 {
		s.loginLimit = cfg.LoginsPerHour
	}
	for _, one := range cfg.Apps {
		s.apps[one.ClientID] = s.propagate(&app{}, one)
	}
	return s
}

func (s *Store) lock() func() {
	s.mu.Lock()
	return s.mu.Unlock
}

// Timeout is how long an unused session lives.
func (s *Store) Timeout() time.Duration { return s.timeout }

// Use finds a living session and slides its end. [D]
func (s *Store) Use(token string, now time.Time) *Session {
	defer s.lock()()
	session := s.alive(token, now)
	if session == nil {
		return nil
	}
	session.used = now
	return session
}

func (s *Store) alive(token string, now time.Time) *Session {
	session := s.sessions[token]
	if session == nil {
		return nil
	}
	if now.Sub(session.used) >= s.timeout {
		delete(s.sessions, token)
		return nil
	}
	return session
}

// Issue makes an access token for the user, app, scope and flow that the session
// names, and gives the refresh token of its family, if it has one.
func (s *Store) Issue(session Session, family *Grant, now time.Time) (issued *Session, refresh string) {
	defer s.lock()()
	session.Token = store.ShortID(s.orgID) + "!" + "AQ" + RandomText(66)
	session.Issued, session.used, session.grant = now, now, family
	s.sweep(now)
	s.sessions[session.Token] = &session
	if family != nil {
		refresh = family.token
	}
	return &session, refresh
}

// sweep drops expired sessions once there are many.
func (s *Store) sweep(now time.Time) {
	if len(s.sessions) < 1000 {
		return
	}
	for token, session := range s.sessions {
		if now.Sub(session.used) >= s.timeout {
			delete(s.sessions, token)
		}
	}
}

// Grant gives a refresh token as if the user had consented.
func (s *Store) Grant(clientID, userID string) (string, error) {
	defer s.lock()()
	entry := s.apps[clientID]
	if entry == nil {
		return "", errNoApp
	}
	cfg := entry.latest()
	return s.grantTo(userID, clientID, JoinScopes(Scopes(&cfg))).token, nil
}

// grantTo makes a refresh token; a sixth pushes the oldest out, silently.
func (s *Store) grantTo(userID, clientID, scope string) *Grant {
	g := &Grant{token: refreshText(), UserID: userID, ClientID: clientID, Scope: scope}
	s.grants[g.token] = g
	key := userID + clientID
	list := append(s.byUser[key], g)
	for len(list) > maxGrants {
		s.end(list[0])
		list = list[1:]
	}
	s.byUser[key] = list
	return g
}

// GrantOf finds the family of a refresh token that is good, or nil.
func (s *Store) GrantOf(token string) *Grant {
	defer s.lock()()
	return s.grants[token]
}

// Redeem takes a refresh token of an app. Replaying one that was rotated out
// revokes the whole family. [D, R airbyte]
func (s *Store) Redeem(app *ConnectedApp, token string, now time.Time) (*Grant, *Error) {
	defer s.lock()()
	if g := s.rotated[token]; g != nil {
		s.end(g)
		return nil, InvalidGrant("expired access/refresh token")
	}
	g := s.grants[token]
	if g == nil || g.ClientID != app.ClientID { // [R restforce refresh_error_response.json]
		return nil, InvalidGrant("expired access/refresh token")
	}
	if failure := s.countLogin(g.UserID, now); failure != nil {
		return nil, failure // before anything is rotated out
	}
	if app.RefreshRotation {
		s.rotate(g)
	}
	return g, nil
}

// end kills a family: its refresh token and its access tokens.
func (s *Store) end(g *Grant) {
	delete(s.grants, g.token)
	for _, old := range g.old {
		delete(s.rotated, old)
	}
	s.endSessions(g)
	key := g.UserID + g.ClientID
	s.byUser[key] = slices.DeleteFunc(slices.Clone(s.byUser[key]), func(other *Grant) bool { return other == g })
}

func (s *Store) endSessions(g *Grant) {
	for token, session := range s.sessions {
		if session.grant == g {
			delete(s.sessions, token)
		}
	}
}

// rotate replaces the refresh token and ends the sessions made from the old
// one, so their query locators die with them. [D, R airbyte]
func (s *Store) rotate(g *Grant) {
	delete(s.grants, g.token)
	g.old = append(g.old, g.token)
	s.rotated[g.token] = g
	g.token = refreshText()
	s.grants[g.token] = g
	s.endSessions(g)
}

// Revoke ends a token, false when there is none: a refresh token takes its
// access tokens along. [D]
func (s *Store) Revoke(token string) bool {
	defer s.lock()()
	g, session := s.grants[token], s.sessions[token]
	if g != nil {
		s.end(g)
	}
	delete(s.sessions, token)
	return g != nil || session != nil
}

// RevokeAll ends every session and every refresh token.
func (s *Store) RevokeAll() {
	defer s.lock()()
	for _, g := range s.grants {
		s.end(g)
	}
	clear(s.sessions)
	clear(s.codes)
}

// ExpireSessions ends every session; refresh tokens stay.
func (s *Store) ExpireSessions() {
	defer s.lock()()
	clear(s.sessions)
}

// refreshText looks like the recorded tokens: 5Aep861... [R]
func refreshText() string { return "5Aep861" + RandomText(80) }

// RandomText has so many letters, digits, dots and x.
func RandomText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand.Read never fails since Go 1.24
	return strings.NewReplacer("-", ".", "_", "x").Replace(base64.RawURLEncoding.EncodeToString(b))[:n]
}
