package salesforce_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

const callback = "http://127.0.0.1:8080/oauth/callback"

// loginBundle is an org with one app, changed as the test wants.
type loginBundle struct {
	oauth *salesforce.OAuth
	org   *emulator.Org
}

func newLoginBundle(t *testing.T, change func(*emulator.ConnectedApp)) loginBundle {
	t.Helper()
	cfg := emulator.DefaultOrg("consumer", "secret")
	change(&cfg.Clients[0])
	server := emulator.New()
	org := server.AddOrg(cfg)
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	oauth, err := salesforce.NewOAuth(salesforce.OAuthConfig{
		LoginURL: web.URL, ClientID: "consumer", ClientSecret: func() (string, error) { return "secret", nil },
		RedirectURL: callback, Scopes: []string{"api", "refresh_token"}, ExpectedOrgID: org.ID(), AllowLoopbackHTTP: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return loginBundle{oauth: oauth, org: org}
}

// consent presses Allow or Deny, and returns what the callback is sent.
func (b loginBundle) consent(t *testing.T, verifier, decision string) url.Values {
	t.Helper()
	page, err := b.oauth.AuthCodeURL("state-1", verifier)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	form := url.Values{"decision": {decision}, "username": {emulator.IntegrationUsername}}
	resp, err := browser.PostForm(page, form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	target, err := resp.Location()
	if err != nil {
		t.Fatal(resp.Status, err)
	}
	if target.Query().Get("state") != "state-1" {
		t.Errorf("callback %s", target)
	}
	return target.Query()
}

func wantClass(t *testing.T, err error, code string, class salesforce.TokenClass) {
	t.Helper()
	var e *salesforce.TokenError
	if !errors.As(err, &e) || e.Code != code || e.Class != class {
		t.Errorf("%v, want %s (%v)", err, code, class)
	}
}

// Sign in by browser, refresh with rotation, replay the old token: the whole
// family is dead, as Salesforce does it. [D]
func TestAuthorizationCodeAndRotation(t *testing.T) {
	t.Parallel()
	b := newLoginBundle(t, func(a *emulator.ConnectedApp) { a.RefreshRotation, a.RequirePKCE = true, true })
	verifier := salesforce.NewVerifier()
	code := b.consent(t, verifier, "allow").Get("code")
	_, err := b.oauth.Exchange(t.Context(), code, salesforce.NewVerifier())
	wantClass(t, err, "invalid_request", salesforce.TokenClientBug)
	first, err := b.oauth.Exchange(t.Context(), b.consent(t, verifier, "allow").Get("code"), verifier)
	if err != nil || first.RefreshToken == "" || first.OrgID != b.org.ID() || first.UserID == "" {
		t.Fatal(first, err)
	}
	second, err := b.oauth.RefreshToken(t.Context(), first.RefreshToken)
	if err != nil || second.RefreshToken == first.RefreshToken || second.AccessToken == first.AccessToken {
		t.Fatal("the token is rotated", err)
	}
	_, err = b.oauth.RefreshToken(t.Context(), first.RefreshToken)
	wantClass(t, err, "invalid_grant", salesforce.TokenCredential)
	_, err = b.oauth.RefreshToken(t.Context(), second.RefreshToken)
	wantClass(t, err, "invalid_grant", salesforce.TokenCredential)
}

func TestDenied(t *testing.T) {
	t.Parallel()
	b := newLoginBundle(t, func(*emulator.ConnectedApp) {})
	q := b.consent(t, salesforce.NewVerifier(), "deny")
	wantClass(t, salesforce.CallbackError(q.Get("error"), q.Get("error_description")), "access_denied", salesforce.TokenConfiguration)
}

func TestRevokeEndsTheRefreshToken(t *testing.T) {
	t.Parallel()
	b := newLoginBundle(t, func(*emulator.ConnectedApp) {})
	verifier := salesforce.NewVerifier()
	grant, err := b.oauth.Exchange(t.Context(), b.consent(t, verifier, "allow").Get("code"), verifier)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := b.oauth.RefreshToken(t.Context(), grant.RefreshToken)
	if err != nil || kept.RefreshToken != grant.RefreshToken {
		t.Fatal("without rotation the old token is kept", err)
	}
	for range 2 { // the second time it is gone already
		if err := b.oauth.Revoke(t.Context(), grant.RefreshToken); err != nil {
			t.Fatal(err)
		}
	}
	_, err = b.oauth.RefreshToken(t.Context(), grant.RefreshToken)
	wantClass(t, err, "invalid_grant", salesforce.TokenCredential)
}

func TestJWTAgainstTheOrg(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	b := newLoginBundle(t, func(a *emulator.ConnectedApp) {
		a.CertificatePEM = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	})
	user := salesforce.JWTUser{Username: emulator.IntegrationUsername, PrivateKey: func() ([]byte, error) {
		return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), nil
	}}
	grant, err := b.oauth.JWTBearer(t.Context(), user)
	if err != nil || grant.RefreshToken != "" || grant.OrgID != b.org.ID() {
		t.Fatal(grant, err)
	}
	user.Audience = "https://elsewhere.example"
	_, err = b.oauth.JWTBearer(t.Context(), user)
	wantClass(t, err, "invalid_grant", salesforce.TokenConfiguration)
}

func TestClientCredentialsRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*emulator.ConnectedApp)
		code   string
	}{
		"no run-as user": {func(a *emulator.ConnectedApp) { a.RunAsUsername = "" }, "invalid_grant"},
		"disabled app":   {func(a *emulator.ConnectedApp) { a.Disabled = true }, "invalid_client_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newLoginBundle(t, tc.change)
			_, err := b.oauth.ClientCredentials(t.Context())
			wantClass(t, err, tc.code, salesforce.TokenConfiguration)
		})
	}
}
