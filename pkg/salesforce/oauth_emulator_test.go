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

// loginRig is an org with one app, changed as the test wants.
type loginRig struct {
	oauth *salesforce.OAuth
	org   *emulator.Org
}

func newLoginRig(t *testing.T, change func(*emulator.ConnectedApp)) loginRig {
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
	return loginRig{oauth: oauth, org: org}
}

// consent presses Allow or Deny, and returns what the callback is sent.
func (r loginRig) consent(t *testing.T, verifier, decision string) url.Values {
	t.Helper()
	page, err := r.oauth.AuthCodeURL("state-1", verifier)
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
	r := newLoginRig(t, func(a *emulator.ConnectedApp) { a.RefreshRotation, a.RequirePKCE = true, true })
	verifier := salesforce.NewVerifier()
	code := r.consent(t, verifier, "allow").Get("code")
	_, err := r.oauth.Exchange(t.Context(), code, salesforce.NewVerifier())
	wantClass(t, err, "invalid_request", salesforce.TokenClientBug)
	first, err := r.oauth.Exchange(t.Context(), r.consent(t, verifier, "allow").Get("code"), verifier)
	if err != nil || first.RefreshToken == "" || first.OrgID != r.org.ID() || first.UserID == "" {
		t.Fatal(first, err)
	}
	second, err := r.oauth.RefreshToken(t.Context(), first.RefreshToken)
	if err != nil || second.RefreshToken == first.RefreshToken || second.AccessToken == first.AccessToken {
		t.Fatal("the token is rotated", err)
	}
	_, err = r.oauth.RefreshToken(t.Context(), first.RefreshToken)
	wantClass(t, err, "invalid_grant", salesforce.TokenCredential)
	_, err = r.oauth.RefreshToken(t.Context(), second.RefreshToken)
	wantClass(t, err, "invalid_grant", salesforce.TokenCredential)
}

func TestDenied(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t, func(*emulator.ConnectedApp) {})
	q := r.consent(t, salesforce.NewVerifier(), "deny")
	wantClass(t, salesforce.CallbackError(q.Get("error"), q.Get("error_description")), "access_denied", salesforce.TokenConfiguration)
}

func TestRevokeEndsTheRefreshToken(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t, func(*emulator.ConnectedApp) {})
	verifier := salesforce.NewVerifier()
	grant, err := r.oauth.Exchange(t.Context(), r.consent(t, verifier, "allow").Get("code"), verifier)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := r.oauth.RefreshToken(t.Context(), grant.RefreshToken)
	if err != nil || kept.RefreshToken != grant.RefreshToken {
		t.Fatal("without rotation the old token is kept", err)
	}
	for range 2 { // the second time it is gone already
		if err := r.oauth.Revoke(t.Context(), grant.RefreshToken); err != nil {
			t.Fatal(err)
		}
	}
	_, err = r.oauth.RefreshToken(t.Context(), grant.RefreshToken)
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
	r := newLoginRig(t, func(a *emulator.ConnectedApp) {
		a.CertificatePEM = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	})
	user := salesforce.JWTUser{Username: emulator.IntegrationUsername, PrivateKey: func() ([]byte, error) {
		return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), nil
	}}
	grant, err := r.oauth.JWTBearer(t.Context(), user)
	if err != nil || grant.RefreshToken != "" || grant.OrgID != r.org.ID() {
		t.Fatal(grant, err)
	}
	user.Audience = "https://elsewhere.example"
	_, err = r.oauth.JWTBearer(t.Context(), user)
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
			r := newLoginRig(t, tc.change)
			_, err := r.oauth.ClientCredentials(t.Context())
			wantClass(t, err, tc.code, salesforce.TokenConfiguration)
		})
	}
}
