package auth

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ConnectedApp is a connected app, or external client app, of an org.
type ConnectedApp struct {
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret,omitempty"`
	// Flows that are switched on: client_credentials, refresh_token,
	// authorization_code, jwt. Empty: all of them.
	Flows []string `json:"flows,omitempty"`
	// Scopes of the app; default api, refresh_token.
	Scopes       []string `json:"scopes,omitempty"`
	RedirectURIs []string `json:"redirectUris,omitempty"`
	// RefreshRotation gives a new refresh token at every refresh. [D]
	RefreshRotation bool `json:"refreshRotation,omitempty"`
	// RunAsUsername acts in the client credentials flow.
	RunAsUsername string `json:"runAsUsername,omitempty"`
	// CertificatePEM holds a certificate or a public key, for JWT bearer.
	CertificatePEM string `json:"certificatePem,omitempty"`
	// RequirePKCE refuses an authorize request without a challenge.
	RequirePKCE bool `json:"requirePkce,omitempty"`
	// SecretOptional lets a refresh come without the secret.
	SecretOptional bool `json:"secretOptional,omitempty"`
	// PreAuthorized are the usernames that "admin approved users are
	// pre-authorized" covers; nil covers everybody.
	PreAuthorized []string `json:"preAuthorized,omitzero"`
	// Disabled apps answer like unknown ones.
	Disabled bool `json:"disabled,omitempty"`
}

// Names of flows.
const (
	FlowClientCredentials = "client_credentials"
	FlowRefreshToken      = "refresh_token"
	FlowAuthorizationCode = "authorization_code"
	FlowJWT               = "jwt"
)

// Allows says whether a flow is switched on.
func Allows(a *ConnectedApp, flow string) bool {
	return len(a.Flows) == 0 || slices.Contains(a.Flows, flow)
}

// Scopes are those of the app, or the default.
func Scopes(a *ConnectedApp) []string {
	if len(a.Scopes) == 0 {
		return []string{"api", "refresh_token"}
	}
	return a.Scopes
}

// JoinScopes writes scopes as they stand in answers.
func JoinScopes(scopes []string) string { return strings.Join(scopes, " ") }

// Approves says whether a user may use the app.
func Approves(a *ConnectedApp, username string) bool {
	return a.PreAuthorized == nil || slices.ContainsFunc(a.PreAuthorized, func(s string) bool { return strings.EqualFold(s, username) })
}

var errNoKey = errors.New("no certificate registered")

// CheckKey refuses a CertificatePEM that cannot be read; none is fine.
func CheckKey(a *ConnectedApp) error {
	if _, err := PublicKey(a); err != nil && !errors.Is(err, errNoKey) {
		return err
	}
	return nil
}

// PublicKey reads CertificatePEM; there may be none, which is an error here.
func PublicKey(a *ConnectedApp) (*rsa.PublicKey, error) {
	if a.CertificatePEM == "" {
		return nil, errNoKey
	}
	block, _ := pem.Decode([]byte(a.CertificatePEM))
	if block == nil {
		return nil, errors.New("certificatePem is not PEM")
	}
	var key any
	if block.Type == "CERTIFICATE" {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificatePem: %w", err)
		}
		key = cert.PublicKey
	} else {
		var err error
		if key, err = x509.ParsePKIXPublicKey(block.Bytes); err != nil {
			return nil, fmt.Errorf("certificatePem: %w", err)
		}
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("certificatePem does not hold an RSA key")
	}
	return public, nil
}

// app is a connected app with changes that take effect later. [D/R 2-10 min]
type app struct {
	now     *ConnectedApp // nil while a new app has not propagated
	changes []appChange
}

type appChange struct {
	at  time.Time
	cfg ConnectedApp
}

// current is what the token endpoint knows at this moment.
func (a *app) current(now time.Time) *ConnectedApp {
	for len(a.changes) > 0 && !a.changes[0].at.After(now) {
		cfg := a.changes[0].cfg
		a.now, a.changes = &cfg, a.changes[1:]
	}
	if a.now == nil || a.now.Disabled {
		return nil
	}
	return a.now
}

// latest is the configuration after every pending change.
func (a *app) latest() ConnectedApp {
	if n := len(a.changes); n > 0 {
		return a.changes[n-1].cfg
	}
	if a.now == nil {
		return ConnectedApp{}
	}
	return *a.now
}

var errNoApp = errors.New("emulator: no such connected app")

// App finds an app as the token endpoint knows it: nil while it is unknown
// there, known when the org has it at all.
func (s *Store) App(id string, now time.Time) (current *ConnectedApp, known bool) {
	defer s.lock()()
	entry := s.apps[id]
	if entry == nil {
		return nil, false
	}
	return entry.current(now), true
}

// AddApp registers another connected app.
func (s *Store) AddApp(cfg ConnectedApp) error {
	if err := CheckKey(&cfg); err != nil {
		return fmt.Errorf("emulator: app: %w", err)
	}
	defer s.lock()()
	if cfg.ClientID == "" || s.apps[cfg.ClientID] != nil {
		return errors.New("emulator: app: client id is empty or taken")
	}
	s.apps[cfg.ClientID] = s.propagate(&app{}, cfg)
	return nil
}

// UpdateApp changes an app, which takes effect after the delay.
func (s *Store) UpdateApp(clientID string, change func(app *ConnectedApp)) error {
	defer s.lock()()
	entry := s.apps[clientID]
	if entry == nil {
		return errNoApp
	}
	cfg := entry.latest()
	change(&cfg)
	cfg.ClientID = clientID
	s.propagate(entry, cfg)
	return nil
}

// propagate lets a configuration take effect after the org's delay.
func (s *Store) propagate(entry *app, cfg ConnectedApp) *app {
	entry.changes = append(entry.changes, appChange{s.now().Add(s.delay), cfg})
	return entry
}

// Apps are the configurations of all apps after every pending change, in no
// order.
func (s *Store) Apps() []ConnectedApp {
	defer s.lock()()
	var out []ConnectedApp
	for _, entry := range s.apps {
		out = append(out, entry.latest())
	}
	return out
}

// SetPropagationDelay is for the apps that are added or changed from now on.
func (s *Store) SetPropagationDelay(delay time.Duration) {
	defer s.lock()()
	s.delay = delay
}
