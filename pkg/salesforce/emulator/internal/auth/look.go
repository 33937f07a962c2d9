package auth

import "time"

// Token is what introspection knows of a token.
type Token struct {
	UserID   string
	ClientID string
	Scope    string
	Kind     string // access_token or refresh_token
	From, To time.Time
}

// Look finds a token of an app that is good, and does not count as using it.
func (s *Store) Look(app *ConnectedApp, token string, now time.Time) (Token, bool) {
	defer s.lock()()
	session, g := s.alive(token, now), s.grants[token]
	switch {
	case session != nil && session.ClientID == app.ClientID:
		return Token{session.UserID, app.ClientID, session.Scope, "access_token", session.Issued, session.used.Add(s.timeout)}, true
	case g != nil && g.ClientID == app.ClientID:
		return Token{g.UserID, app.ClientID, g.Scope, "refresh_token", now, now.AddDate(1, 0, 0)}, true
	}
	return Token{}, false
}

// Saved is a grant on disk.
type Saved struct {
	Token    string `json:"token"`
	UserID   string `json:"userId"`
	ClientID string `json:"clientId"`
	Scope    string `json:"scope"`
}

// Save gives all refresh tokens that are good.
func (s *Store) Save() []Saved {
	defer s.lock()()
	var out []Saved
	for _, list := range s.byUser {
		for _, g := range list {
			out = append(out, Saved{g.token, g.UserID, g.ClientID, g.Scope})
		}
	}
	return out
}

// Load makes what Save gave good again.
func (s *Store) Load(grants []Saved) {
	defer s.lock()()
	for _, in := range grants {
		kept := s.grantTo(in.UserID, in.ClientID, in.Scope)
		delete(s.grants, kept.token)
		kept.token = in.Token
		s.grants[kept.token] = kept
	}
}
