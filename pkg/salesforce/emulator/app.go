package emulator

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

func (a *ConnectedApp) allows(flow string) bool {
	return len(a.Flows) == 0 || slices.Contains(a.Flows, flow)
}

func (a *ConnectedApp) scopes() []string {
	if len(a.Scopes) == 0 {
		return []string{"api", "refresh_token"}
	}
	return a.Scopes
}

func (a *ConnectedApp) approves(username string) bool {
	return a.PreAuthorized == nil || slices.ContainsFunc(a.PreAuthorized, func(s string) bool { return strings.EqualFold(s, username) })
}

var errNoKey = errors.New("no certificate registered")

// publicKey reads CertificatePEM, or gives errNoKey when there is none.
func (a *ConnectedApp) publicKey() (*rsa.PublicKey, error) {
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
