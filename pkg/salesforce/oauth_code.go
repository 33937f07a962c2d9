package salesforce

import (
	"context"
	"errors"

	"golang.org/x/oauth2"
)

// NewVerifier returns a fresh PKCE code verifier; keep it beside the state
// until the code comes back.
func NewVerifier() string { return oauth2.GenerateVerifier() }

// AuthCodeURL is where the admin's browser goes to sign in. The state must be
// unguessable and is to be compared when the code comes back. PKCE (S256) is
// always used.
func (o *OAuth) AuthCodeURL(state, verifier string) (string, error) {
	if state == "" || verifier == "" || o.cfg.RedirectURL == "" {
		return "", errors.New("salesforce oauth: authorize: state, verifier and RedirectURL are required")
	}
	cfg := oauth2.Config{ClientID: o.cfg.ClientID, RedirectURL: o.cfg.RedirectURL, Scopes: o.cfg.Scopes, Endpoint: o.authEndpoint()}
	return cfg.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier)), nil
}

// Exchange turns the code of the callback into a Grant. A code works once and
// for minutes only. Secret and verifier are both sent, as partner apps must. [D]
func (o *OAuth) Exchange(ctx context.Context, code, verifier string) (Grant, error) {
	cfg, err := o.config()
	if err != nil {
		return Grant{}, err
	}
	return o.obtain(ctx, func(ctx context.Context) (*oauth2.Token, error) {
		return cfg.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	})
}

// CallbackError classifies the error parameters of an authorize redirect; nil
// when there is none.
func CallbackError(code, description string) error {
	if code == "" {
		return nil
	}
	if !tokenCodeLike.MatchString(code) {
		code = CodeNotSalesforce
	}
	return classifyToken(tokenRefusal{status: 400, code: code, description: truncate(description, 1000)})
}
