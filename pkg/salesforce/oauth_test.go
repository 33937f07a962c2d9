package salesforce

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// orgToken is an opaque access token of the test org; it begins with the org's
// id. [R]
const orgToken = "00D000000000001!AQ.secret.token"

type oauthRig struct {
	oauth  *OAuth
	server *httptest.Server
	form   url.Values // of the last request
	reply  map[string]any
	status int
}

func newOAuthRig(t *testing.T, change ...func(*OAuthConfig)) *oauthRig {
	t.Helper()
	r := &oauthRig{status: 200}
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_ = req.ParseForm()
		r.form = req.PostForm
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		w.WriteHeader(r.status)
		_ = json.NewEncoder(w).Encode(r.reply)
	}))
	t.Cleanup(r.server.Close)
	r.reply = map[string]any{
		"access_token": orgToken, "instance_url": "https://acme.my.salesforce.com", "token_type": "Bearer", "signature": "x=",
		"id": "https://login.salesforce.com/id/" + testOrg + "/005000000000001AAA", "issued_at": "1278448832702", "scope": "refresh_token api",
	}
	transport := defaultTransport()
	t.Cleanup(transport.CloseIdleConnections)
	cfg := OAuthConfig{
		LoginURL: r.server.URL, ClientID: "consumer", ClientSecret: func() (string, error) { return "s3cret\n", nil },
		RedirectURL: "https://rollcall.example/callback", Scopes: []string{"api", "refresh_token"},
		ExpectedOrgID: testOrg, AllowLoopbackHTTP: true, Transport: transport,
	}
	for _, f := range change {
		f(&cfg)
	}
	o, err := NewOAuth(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.oauth = o
	return r
}

func (r *oauthRig) wantForm(t *testing.T, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := r.form.Get(name); got != value {
			t.Errorf("%s = %q, want %q", name, got, value)
		}
	}
}

func wantTokenError(t *testing.T, err error, class TokenClass, outcome Outcome, code string) *TokenError {
	t.Helper()
	var e *TokenError
	if !errors.As(err, &e) {
		t.Fatalf("error is %v, want a *TokenError", err)
	}
	if e.Class != class || e.Outcome != outcome || e.Code != code {
		t.Fatalf("%v: %v/%v/%s, want %v/%v/%s", e, e.Class, e.Outcome, e.Code, class, outcome, code)
	}
	for _, secret := range []string{"s3cret", "secret.token", "5Aep861"} {
		if strings.Contains(e.Error()+e.Advice(), secret) {
			t.Errorf("%q is in %q", secret, e.Error())
		}
	}
	return e
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	r := newOAuthRig(t)
	g, err := r.oauth.ClientCredentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.wantForm(t, map[string]string{"grant_type": "client_credentials", "client_id": "consumer", "client_secret": "s3cret"})
	if g.AccessToken != orgToken || g.OrgID != testOrg || g.UserID != "005000000000001AAA" || g.RefreshToken != "" ||
		g.InstanceURL != "https://acme.my.salesforce.com" || g.Scope != "refresh_token api" || !g.IssuedAt.Equal(time.UnixMilli(1278448832702)) {
		t.Errorf("grant %#v", struct{ Grant }{g})
	}
	if strings.Contains(g.String()+g.GoString(), "secret") {
		t.Error("the token is in the text")
	}
}

// [R] the recorded answer of client_credentials has no identity URL: the org is
// then read off the token.
func TestOrgWithoutIdentityURL(t *testing.T) {
	t.Parallel()
	r := newOAuthRig(t)
	delete(r.reply, "id")
	g, err := r.oauth.ClientCredentials(t.Context())
	if err != nil || !sameID(g.OrgID, testOrg) {
		t.Error(g, err)
	}
	r.reply["access_token"] = "eyJhbGciOi.J9.x"
	_, err = r.oauth.ClientCredentials(t.Context())
	wantTokenError(t, err, TokenConfiguration, Applied, CodeOrgRefused)
}

func TestRefreshToken(t *testing.T) {
	t.Parallel()
	r := newOAuthRig(t)
	g, err := r.oauth.RefreshToken(t.Context(), "5Aep861old")
	if err != nil || g.RefreshToken != "5Aep861old" {
		t.Fatal(g.RefreshToken, err)
	}
	r.wantForm(t, map[string]string{"grant_type": "refresh_token", "refresh_token": "5Aep861old", "client_id": "consumer", "client_secret": "s3cret"})
	r.reply["refresh_token"] = "5Aep861new"
	if g, err = r.oauth.RefreshToken(t.Context(), "5Aep861old"); err != nil || g.RefreshToken != "5Aep861new" {
		t.Error("a rotated token replaces the old one", err)
	}
	_, err = r.oauth.RefreshToken(t.Context(), "")
	wantTokenError(t, err, TokenCredential, NotApplied, CodeBadRequest)
	// [R restforce refresh_error_response.json]
	r.status, r.reply = 400, map[string]any{"error": "invalid_grant", "error_description": "expired access/refresh token"}
	_, err = r.oauth.RefreshToken(t.Context(), "5Aep861old")
	wantTokenError(t, err, TokenCredential, NotApplied, "invalid_grant")
}

func TestRefusedGrants(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		field, value, code, text string
	}{
		"instance URL outside the suffixes": {"instance_url", "https://evil.example", CodeHostRefused, "host evil.example is not among the allowed ones"},
		"plain http":                        {"instance_url", "http://acme.my.salesforce.com", CodeHostRefused, "the scheme must be https"},
		"no instance URL":                   {"instance_url", "", CodeHostRefused, "not an absolute URL"},
		"another org":                       {"id", "https://login.salesforce.com/id/00D000000000002AAA/005000000000001AAA", CodeOrgRefused, "names another org than the token"},
		"another org's token":               {"access_token", "00D000000000002!AQ.secret.token", CodeOrgRefused, "names another org than the token"},
		"no org in the identity":            {"id", "https://login.salesforce.com/", CodeOrgRefused, "names no org"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newOAuthRig(t)
			r.reply[tc.field] = tc.value
			_, err := r.oauth.ClientCredentials(t.Context())
			if e := wantTokenError(t, err, TokenConfiguration, Applied, tc.code); !strings.Contains(e.Error(), tc.text) {
				t.Errorf("text %q", e.Error())
			}
		})
	}
	r := newOAuthRig(t, func(c *OAuthConfig) { c.ExpectedOrgID = "00D000000000009" })
	_, err := r.oauth.ClientCredentials(t.Context())
	e := wantTokenError(t, err, TokenConfiguration, Applied, CodeOrgRefused)
	if !strings.Contains(e.Error(), testOrg) || !strings.Contains(e.Error(), "00D000000000009") {
		t.Errorf("both orgs are named: %q", e.Error())
	}
}

func TestTokenEndpointTrouble(t *testing.T) {
	t.Parallel()
	r := newOAuthRig(t)
	handler := func(h http.HandlerFunc) error {
		r.server.Config.Handler = h
		_, err := r.oauth.RefreshToken(t.Context(), "5Aep861")
		return err
	}
	wantTokenError(t, handler(answer(503, "<html>maintenance</html>")), TokenTransient, MaybeApplied, CodeNotSalesforce)
	wantTokenError(t, handler(answer(200, "<html>welcome</html>")), TokenTransient, MaybeApplied, CodeUnreadable)
	wantTokenError(t, handler(answer(200, `{"access_token":"00D`)), TokenTransient, MaybeApplied, CodeUnreadable)
	wantTokenError(t, handler(answer(200, `{"instance_url":"https://acme.my.salesforce.com"}`)), TokenTransient, MaybeApplied, CodeUnreadable)
	wantTokenError(t, handler(answer(400, `{"error":"unknown_error","error_description":"retry your request"}`)), TokenTransient, MaybeApplied, "unknown_error")
	wantTokenError(t, handler(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), TokenTransient, MaybeApplied, CodeNoAnswer)
	r.server.Close()
	_, err := r.oauth.RefreshToken(t.Context(), "5Aep861")
	wantTokenError(t, err, TokenTransient, NotApplied, CodeNoAnswer)
}

func TestTokenRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	r := newOAuthRig(t)
	r.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, "https://evil.example/token?secret=s3cret", http.StatusPermanentRedirect)
	})
	_, err := r.oauth.ClientCredentials(t.Context())
	e := wantTokenError(t, err, TokenConfiguration, NotApplied, CodeRedirect)
	if !strings.Contains(e.Error(), "redirects to https://evil.example/token;") {
		t.Errorf("text %q", e.Error())
	}
}

func TestTokenDeadline(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	r := newOAuthRig(t, func(c *OAuthConfig) { c.CallTimeout = 30 * time.Millisecond })
	r.server.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		<-release
	})
	t.Cleanup(func() { close(release) })
	user := JWTUser{Username: "robot@acme.example", PrivateKey: func() ([]byte, error) { return testKey(t), nil }}
	_, err := r.oauth.JWTBearer(t.Context(), user)
	wantTokenError(t, err, TokenTransient, MaybeApplied, CodeNoAnswer)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v does not wrap the deadline", err)
	}
}

func TestSecretThatCannotBeRead(t *testing.T) {
	t.Parallel()
	gone := errors.New("no such file")
	r := newOAuthRig(t, func(c *OAuthConfig) { c.ClientSecret = func() (string, error) { return "", gone } })
	_, err := r.oauth.ClientCredentials(t.Context())
	wantTokenError(t, err, TokenConfiguration, NotApplied, CodeNoSecret)
	if !errors.Is(err, gone) {
		t.Error(err)
	}
}

func TestAuthorizationCode(t *testing.T) {
	t.Parallel()
	r := newOAuthRig(t)
	r.reply["refresh_token"] = "5Aep861"
	verifier := NewVerifier()
	raw, err := r.oauth.AuthCodeURL("state-1", verifier)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(verifier))
	want := map[string]string{
		"response_type": "code", "client_id": "consumer", "redirect_uri": "https://rollcall.example/callback", "state": "state-1",
		"scope": "api refresh_token", "code_challenge_method": "S256", "code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]),
	}
	for name, value := range want {
		if got := u.Query().Get(name); got != value {
			t.Errorf("%s = %q, want %q", name, got, value)
		}
	}
	g, err := r.oauth.Exchange(t.Context(), "aPrx==", verifier)
	if err != nil || g.RefreshToken != "5Aep861" {
		t.Fatal(err)
	}
	r.wantForm(t, map[string]string{
		"grant_type": "authorization_code", "code": "aPrx==", "code_verifier": verifier, "client_id": "consumer",
		"client_secret": "s3cret", "redirect_uri": "https://rollcall.example/callback",
	})
	if _, err := r.oauth.AuthCodeURL("", verifier); err == nil {
		t.Error("a login without state is refused")
	}
}

func testKey(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestJWTBearer(t *testing.T) {
	t.Parallel()
	key := testKey(t)
	r := newOAuthRig(t)
	_, err := r.oauth.JWTBearer(t.Context(), JWTUser{Username: "robot@acme.example", PrivateKey: func() ([]byte, error) { return key, nil }})
	if err != nil {
		t.Fatal(err)
	}
	r.wantForm(t, map[string]string{"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"})
	parts := strings.Split(r.form.Get("assertion"), ".")
	claims, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var got struct {
		Iss, Sub, Aud string
		Exp           int64
	}
	if err := json.Unmarshal(claims, &got); err != nil {
		t.Fatal(err)
	}
	if left := time.Until(time.Unix(got.Exp, 0)); got.Iss != "consumer" || got.Sub != "robot@acme.example" || got.Aud != "https://login.salesforce.com" || left <= 0 || left > jwtLifetime {
		t.Errorf("claims %s", claims)
	}
	block, _ := pem.Decode(key)
	private, _ := x509.ParsePKCS8PrivateKey(block.Bytes)
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&private.(*rsa.PrivateKey).PublicKey, crypto.SHA256, sum[:], signature); err != nil {
		t.Error(err)
	}
}

func TestJWTKeysAreChecked(t *testing.T) {
	t.Parallel()
	r := newOAuthRig(t)
	for _, key := range []string{"", "not pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		_, err := r.oauth.JWTBearer(t.Context(), JWTUser{Username: "robot@acme.example", PrivateKey: func() ([]byte, error) { return []byte(key), nil }})
		wantTokenError(t, err, TokenConfiguration, NotApplied, CodeNoSecret)
	}
	_, err := r.oauth.JWTBearer(t.Context(), JWTUser{})
	wantTokenError(t, err, TokenConfiguration, NotApplied, CodeBadRequest)
	// the JWT flow's error carries its body alone: it is read all the same
	r.status, r.reply = 400, map[string]any{"error": "invalid_grant", "error_description": "user hasn't approved this consumer"}
	key := testKey(t)
	_, err = r.oauth.JWTBearer(t.Context(), JWTUser{Username: "robot@acme.example", PrivateKey: func() ([]byte, error) { return key, nil }})
	wantTokenError(t, err, TokenConfiguration, NotApplied, "invalid_grant")
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	r := newOAuthRig(t)
	r.server.Config.Handler = answer(200, "")
	if err := r.oauth.Revoke(t.Context(), "5Aep861"); err != nil {
		t.Error(err)
	}
	r.server.Config.Handler = answer(400, "error=invalid_token&error_description=invalid%20token")
	if err := r.oauth.Revoke(t.Context(), "5Aep861"); err != nil {
		t.Error("revoking what is gone is no error:", err)
	}
	r.server.Config.Handler = answer(503, "<html>")
	wantTokenError(t, r.oauth.Revoke(t.Context(), "5Aep861"), TokenTransient, MaybeApplied, CodeNotSalesforce)
}

// A token in a form goes nowhere else either, and the error says where it was
// to go.
func TestRevokeAndIntrospectFollowNoRedirect(t *testing.T) {
	t.Parallel()
	var reached atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	t.Cleanup(other.Close)
	r := newOAuthRig(t)
	r.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, other.URL+"/elsewhere?token=hidden", http.StatusTemporaryRedirect)
	})
	_, err := r.oauth.Introspect(t.Context(), "5Aep861")
	for name, err := range map[string]error{"revoke": r.oauth.Revoke(t.Context(), "5Aep861"), "introspect": err} {
		e := wantTokenError(t, err, TokenConfiguration, NotApplied, CodeRedirect)
		if !strings.Contains(e.Error(), "/elsewhere; not followed") || strings.Contains(e.Error(), "hidden") {
			t.Errorf("%s: %q", name, e.Error())
		}
	}
	if reached.Load() {
		t.Error("a redirect was followed")
	}
}

func TestOAuthConfigFaultsAreListedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := NewOAuth(OAuthConfig{LoginURL: "http://login.salesforce.com", ExpectedOrgID: "x", CallTimeout: -1, AllowedHostSuffixes: []string{".com"}})
	for _, name := range []string{"LoginURL", "ClientID", "ExpectedOrgID", "CallTimeout", "AllowedHostSuffixes"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in %v", name, err)
		}
	}
}

// A refused login reaches the caller of the API with its reason.
func TestTokenErrorThroughSessions(t *testing.T) {
	t.Parallel()
	for class, want := range map[TokenClass]Class{TokenCredential: Credentials, TokenConfiguration: Credentials, TokenTransient: Unavailable} {
		sessions := SessionsFrom(func(context.Context) (Grant, error) {
			return Grant{}, &TokenError{Code: "invalid_grant", Description: "inactive user", Class: class, advice: "x"}
		})
		client, err := NewClient(Config{Sessions: sessions})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Query(t.Context(), "SELECT Id FROM User")
		e := wantError(t, err, want, NotApplied)
		var cause *TokenError
		if !errors.As(err, &cause) || !strings.Contains(e.Error(), "inactive user") {
			t.Errorf("text %q", e.Error())
		}
	}
}

func TestWrongCertificateOfTheLoginHost(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(answer(200, "{}"))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	o, err := NewOAuth(OAuthConfig{LoginURL: server.URL, ClientID: "consumer", AllowLoopbackHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.ClientCredentials(t.Context())
	e := wantTokenError(t, err, TokenTransient, NotApplied, CodeNoAnswer)
	if !strings.Contains(e.Error(), "certificate is refused") || !strings.Contains(e.Advice(), "not trusted") {
		t.Errorf("text %q, advice %q", e.Error(), e.Advice())
	}
}
