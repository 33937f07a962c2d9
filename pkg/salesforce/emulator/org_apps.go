package emulator

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// RevokeTokens ends every session and every refresh token of the org.
func (o *Org) RevokeTokens() {
	defer o.auth.lock()()
	for _, g := range o.auth.grants {
		o.auth.end(g)
	}
	clear(o.auth.sessions)
	clear(o.auth.codes)
}

// ExpireSessions ends every session; refresh tokens stay.
func (o *Org) ExpireSessions() {
	defer o.auth.lock()()
	clear(o.auth.sessions)
}

var errNoApp = errors.New("emulator: no such connected app")

// UpdateApp changes a connected app; the change takes effect after the org's
// PropagationDelay.
func (o *Org) UpdateApp(clientID string, change func(app *ConnectedApp)) error {
	defer o.auth.lock()()
	entry := o.auth.apps[clientID]
	if entry == nil {
		return errNoApp
	}
	cfg := entry.latest()
	change(&cfg)
	cfg.ClientID = clientID
	o.auth.propagate(entry, cfg)
	return nil
}

// AddApp registers another connected app.
func (o *Org) AddApp(cfg ConnectedApp) error {
	if _, err := cfg.publicKey(); err != nil && !errors.Is(err, errNoKey) {
		return fmt.Errorf("emulator: app: %w", err)
	}
	defer o.auth.lock()()
	if cfg.ClientID == "" || o.auth.apps[cfg.ClientID] != nil {
		return errors.New("emulator: app: client id is empty or taken")
	}
	o.auth.apps[cfg.ClientID] = o.auth.propagate(&app{}, cfg)
	return nil
}

// Grant gives a refresh token as if the user had consented.
func (o *Org) Grant(clientID, username string) (string, error) {
	o.server.mu.RLock()
	user := o.userByName(username)
	o.server.mu.RUnlock()
	if user == nil {
		return "", fmt.Errorf("emulator: no user %q", username)
	}
	defer o.auth.lock()()
	entry := o.auth.apps[clientID]
	if entry == nil {
		return "", errNoApp
	}
	cfg := entry.latest()
	return o.auth.grantTo(user.ID, clientID, joinScopes(cfg.scopes())).token, nil
}

// AccessToken gives a session for a user without the token endpoint.
func (o *Org) AccessToken(username string) (string, error) {
	o.server.mu.RLock()
	user := o.userByName(username)
	o.server.mu.RUnlock()
	if user == nil {
		return "", fmt.Errorf("emulator: no user %q", username)
	}
	defer o.auth.lock()()
	return o.auth.issue(user.ID, "", "api", nil, o.server.now()).token, nil
}

func joinScopes(scopes []string) string { return strings.Join(scopes, " ") }

// SetPropagationDelay changes how long apps that are added or changed from now
// on stay unknown to the token endpoint. [D/R 2-10 min]
func (o *Org) SetPropagationDelay(delay time.Duration) {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	defer o.auth.lock()()
	o.cfg.PropagationDelay = delay
}
