package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

const codeLife = 15 * time.Minute // [U]

// Code is an authorization code waiting to be exchanged.
type Code struct {
	UserID      string
	ClientID    string
	RedirectURI string
	Scope       string
	Challenge   string
	Nonce       string
	Made        time.Time
	spent       bool
}

// AddCode makes a code that can be spent once.
func (s *Store) AddCode(c Code) string {
	code := "aPrx" + RandomText(60) + "==" // shape [R]
	defer s.lock()()
	s.codes[code] = &c
	return code
}

// Spend checks a code and uses it up. The grant is nil when the scope has no
// refresh token.
func (s *Store) Spend(app *ConnectedApp, name, redirectURI, verifier string, now time.Time) (*Code, *Grant, *Error) {
	defer s.lock()()
	code := s.codes[name]
	if code == nil || code.ClientID != app.ClientID {
		return nil, nil, InvalidGrant("invalid authorization code") // [U]
	}
	if code.spent || now.Sub(code.Made) > codeLife { // [R forrest #169]
		return nil, nil, InvalidGrant("expired authorization code")
	}
	if code.RedirectURI != redirectURI { // [R]
		return nil, nil, &Error{"redirect_uri_mismatch", "redirect_uri must match configuration"}
	}
	if failure := checkVerifier(code.Challenge, verifier); failure != nil {
		return nil, nil, failure
	}
	code.spent = true
	if !grantsRefresh(code.Scope) {
		return code, nil, nil
	}
	return code, s.grantTo(code.UserID, app.ClientID, code.Scope), nil
}

func grantsRefresh(scope string) bool {
	list := strings.Fields(scope)
	return slices.Contains(list, "refresh_token") || slices.Contains(list, "offline_access")
}

// checkVerifier is PKCE: a challenge without a verifier is invalid_grant, a
// wrong verifier is invalid_request. [D] Texts are assumptions. [U]
func checkVerifier(challenge, verifier string) *Error {
	if challenge == "" {
		return nil
	}
	if verifier == "" {
		return InvalidGrant("code verifier is required")
	}
	sum := sha256.Sum256([]byte(verifier))
	if base64.RawURLEncoding.EncodeToString(sum[:]) != strings.TrimRight(challenge, "=") {
		return &Error{"invalid_request", "invalid code verifier"}
	}
	return nil
}
