package emulator

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/auth"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
)

// RevokeTokens ends every session and every refresh token of the org.
func (o *Org) RevokeTokens() { o.org.Auth.RevokeAll() }

// ExpireSessions ends every session; refresh tokens stay.
func (o *Org) ExpireSessions() { o.org.Auth.ExpireSessions() }

// UpdateApp changes a connected app; the change takes effect after the org's
// PropagationDelay.
func (o *Org) UpdateApp(clientID string, change func(app *ConnectedApp)) error {
	return o.org.Auth.UpdateApp(clientID, change)
}

// AddApp registers another connected app.
func (o *Org) AddApp(cfg ConnectedApp) error { return o.org.Auth.AddApp(cfg) }

// Grant gives a refresh token as if the user had consented.
func (o *Org) Grant(clientID, username string) (string, error) {
	id, err := idOf(o, username)
	if err != nil {
		return "", err
	}
	return o.org.Auth.Grant(clientID, id)
}

// AccessToken gives a session for a user without the token endpoint.
func (o *Org) AccessToken(username string) (string, error) {
	id, err := idOf(o, username)
	if err != nil {
		return "", err
	}
	s, _ := o.org.Auth.Issue(auth.Session{UserID: id, Scope: "api"}, nil, o.server.set.Now())
	return s.Token, nil
}

// idOf finds a user's id.
func idOf(o *Org, username string) (string, error) {
	defer o.rlock()()
	user, err := org.Hand{Org: o.org}.User(username)
	if err != nil {
		return "", err
	}
	return user.ID, nil
}

// SetLoginLimit changes how often a user may sign in within an hour.
func (o *Org) SetLoginLimit(logins int) { o.org.Auth.SetLoginLimit(logins) }

// SetPropagationDelay changes how long apps that are added or changed from now
// on stay unknown to the token endpoint. [D/R 2-10 min]
func (o *Org) SetPropagationDelay(delay time.Duration) {
	hand, unlock := o.lock()
	defer unlock()
	hand.SetPropagationDelay(delay)
}
