package emulator_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

const (
	tokenPath = "/services/oauth2/token"
	callback  = "http://localhost:8080/oauth/callback"
)

func keysOf(m map[string]any) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), " ")
}

// code walks through the consent page and gives the redirect's query.
func (r *rig) code(decision string, more ...string) url.Values {
	r.t.Helper()
	form := url.Values{"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {callback}, "state": {"s1"},
		"username": {emulator.IntegrationUsername}, "decision": {decision}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.PostForm(r.web.URL+"/services/oauth2/authorize", form)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	target, err := url.Parse(res.Header.Get("Location"))
	if err != nil || res.StatusCode != http.StatusFound {
		r.t.Fatalf("authorize: %d %v", res.StatusCode, err)
	}
	return target.Query()
}

func (r *rig) exchange(code string, more ...string) answer {
	return r.form(tokenPath, append([]string{"grant_type", "authorization_code", "client_id", clientID, "client_secret", clientSecret,
		"redirect_uri", callback, "code", code}, more...)...)
}

func (r *rig) refresh(token string) answer {
	return r.form(tokenPath, "grant_type", "refresh_token", "client_id", clientID, "client_secret", clientSecret, "refresh_token", token)
}

func TestAuthorizationCode(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	page := r.do("GET", "/services/oauth2/authorize?response_type=code&client_id="+clientID+"&redirect_uri="+url.QueryEscape(callback), "")
	if page.status != 200 || !strings.Contains(page.body, "Allow") {
		t.Fatalf("consent page %v", page)
	}
	got := r.code("allow")
	if got.Get("state") != "s1" || !strings.HasPrefix(got.Get("code"), "aPrx") {
		t.Fatalf("redirect %v", got)
	}
	tokens := r.exchange(got.Get("code")).object(t)
	if want := "access_token id id_token instance_url issued_at refresh_token scope signature token_type"; keysOf(tokens) != want {
		t.Fatalf("keys %s", keysOf(tokens))
	}
	if _, isText := tokens["issued_at"].(string); !isText || !strings.HasPrefix(tokens["refresh_token"].(string), "5Aep861") {
		t.Fatalf("tokens %v", tokens)
	}
	r.exchange(got.Get("code")).same(t, 400, `{"error":"invalid_grant","error_description":"expired authorization code"}`) // [R forrest #169]
	again := r.refresh(tokens["refresh_token"].(string)).object(t)
	if want := "access_token id instance_url issued_at scope signature token_type"; keysOf(again) != want {
		t.Fatalf("keys %s", keysOf(again))
	}
	if denied := r.code("deny"); denied.Get("error") != "access_denied" || denied.Get("error_description") != "end-user denied authorization" {
		t.Fatalf("denied %v", denied)
	}
}

func TestPKCE(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	sum := sha256.Sum256([]byte("a-verifier"))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	code := r.code("allow", "code_challenge", challenge).Get("code")
	if got := r.exchange(code); got.status != 400 || got.object(t)["error"] != "invalid_grant" { // [D]
		t.Fatalf("no verifier: %v", got)
	}
	if got := r.exchange(code, "code_verifier", "wrong"); got.status != 400 || got.object(t)["error"] != "invalid_request" { // [D]
		t.Fatalf("wrong verifier: %v", got)
	}
	r.exchange(code, "code_verifier", "a-verifier").is(t, 200)
}

func TestRefreshRotationRevokesTheFamily(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *emulator.OrgConfig) { cfg.Clients[0].RefreshRotation = true })
	first, err := r.org.Grant(clientID, emulator.IntegrationUsername)
	if err != nil {
		t.Fatal(err)
	}
	one := r.refresh(first).object(t)
	two := r.refresh(one["refresh_token"].(string)).object(t)
	r.token = one["access_token"].(string)
	r.do("GET", version+"/limits", "").is(t, 401) // an exchange ends the session before
	r.token = two["access_token"].(string)
	r.do("GET", version+"/limits", "").is(t, 200)
	r.refresh(first).same(t, 400, `{"error":"invalid_grant","error_description":"expired access/refresh token"}`)
	r.do("GET", version+"/limits", "").is(t, 401)
	r.refresh(two["refresh_token"].(string)).is(t, 400)
}

func TestSixthGrantPushesTheOldestOut(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	var tokens []string
	for range 6 {
		token, err := r.org.Grant(clientID, emulator.IntegrationUsername)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	r.refresh(tokens[0]).is(t, 400)
	r.refresh(tokens[1]).is(t, 200)
	r.refresh(tokens[5]).is(t, 200)
}

func TestSessionsSlideAndExpire(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for range 3 {
		r.now = r.now.Add(90 * time.Minute)
		r.do("GET", version+"/limits", "").is(t, 200)
	}
	r.now = r.now.Add(2 * time.Hour)
	r.do("GET", version+"/limits", "").is(t, 401)
}

func TestAppChangesPropagateLater(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *emulator.OrgConfig) { cfg.PropagationDelay = 5 * time.Minute })
	ask := func() answer {
		return r.form(tokenPath, "grant_type", "client_credentials", "client_id", clientID, "client_secret", clientSecret)
	}
	ask().same(t, 400, `{"error":"invalid_client_id","error_description":"client identifier invalid"}`)
	r.now = r.now.Add(5 * time.Minute)
	ask().is(t, 200)
	if err := r.org.UpdateApp(clientID, func(app *emulator.ConnectedApp) { app.ClientSecret = "new" }); err != nil {
		t.Fatal(err)
	}
	ask().is(t, 200)
	r.now = r.now.Add(5 * time.Minute)
	ask().is(t, 400)
}

func TestLoginHost(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *emulator.OrgConfig) {
		cfg.Kind, cfg.InstanceURL = emulator.LoginHost, "http://acme.my.salesforce.test"
	})
	r.form(tokenPath, "grant_type", "client_credentials", "client_id", clientID, "client_secret", clientSecret).
		same(t, 400, `{"error":"invalid_grant","error_description":"request not supported on this domain"}`) // [R]
	r.do("GET", version+"/limits", "").same(t, 400, // [R]
		`[{"message":"Destination URL not reset. The URL returned from login must be set","errorCode":"URL_NOT_RESET"}]`)
	tokens := r.exchange(r.code("allow").Get("code")).object(t)
	if tokens["instance_url"] != "http://acme.my.salesforce.test" {
		t.Fatalf("instance %v", tokens["instance_url"])
	}
}

func TestIdentityAndFriends(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	tokens := r.form(tokenPath, "grant_type", "client_credentials", "client_id", clientID, "client_secret", clientSecret).object(t)
	r.token = tokens["access_token"].(string)
	path := strings.TrimPrefix(tokens["id"].(string), r.web.URL)
	got := r.do("GET", path+"?format=json", "").object(t)
	want := "active addr_city addr_country addr_state addr_street addr_zip asserted_user display_name email email_verified first_name id is_app_installed is_lightning_login_user language last_modified_date last_name locale mobile_phone mobile_phone_verified nick_name organization_id photos status timezone urls user_id user_type username utcOffset"
	if keysOf(got) != want || got["utcOffset"] != 3600000.0 { // [R official Postman]
		t.Fatalf("identity %v", got)
	}
	r.do("GET", "/services/oauth2/userinfo", "").is(t, 200)
	info := r.form("/services/oauth2/introspect", "token", r.token, "client_id", clientID, "client_secret", clientSecret).object(t)
	if keysOf(info) != "active client_id exp iat nbf scope sub token_type username" || info["active"] != true { // [R official Postman]
		t.Fatalf("introspect %v", info)
	}
	r.form("/services/oauth2/revoke", "token", r.token).is(t, 200)
	if dead := r.do("GET", path, ""); dead.status != 403 || dead.body != "Bad_OAuth_Token" { // [R jsforce PR #736]
		t.Fatalf("dead token %v", dead)
	}
	r.form("/services/oauth2/introspect", "token", r.token, "client_id", clientID, "client_secret", clientSecret).same(t, 200, `{"active":false}`)
	r.form("/services/oauth2/revoke", "token", r.token).is(t, 400)
	r.do("GET", "/.well-known/openid-configuration", "").is(t, 200)
}

// A client that sent a nonce refuses an id token without it.
func TestIDTokenCarriesTheNonce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	token := r.exchange(r.code("allow", "nonce", "n-1").Get("code")).object(t)["id_token"].(string)
	body, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil || !strings.Contains(string(body), `"nonce":"n-1"`) {
		t.Fatalf("claims %s: %v", body, err)
	}
}

func TestJWTBearer(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(cfg *emulator.OrgConfig) {
		cfg.Clients[0].CertificatePEM = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	})
	at := r.now.Unix()
	for name, c := range map[string]struct {
		claims map[string]any
		want   string // empty: a token
	}{
		"plain":       {map[string]any{"exp": at + 180}, ""},
		"string exp":  {map[string]any{"exp": "1772355900"}, ""},   // [C go-salesforce]
		"millisecond": {map[string]any{"exp": at*1000 + 300}, ""},  // [C sfdx-core]
		"slow sfdx":   {map[string]any{"exp": at*1000 - 5000}, ""}, // 300 ms are over before the call arrives
		"far future":  {map[string]any{"exp": at + 400*86400}, ""}, // [C]
		"test host":   {map[string]any{"exp": at + 180, "aud": "https://test.salesforce.com"}, ""},
		"past":        {map[string]any{"exp": at - 1}, `{"error":"invalid_grant","error_description":"expired authorization code"}`},
		"audience":    {map[string]any{"exp": at + 180, "aud": "https://evil.example"}, `{"error":"invalid_grant","error_description":"audience is invalid"}`},
		"stranger":    {map[string]any{"exp": at + 180, "sub": "x@y.example"}, `{"error":"invalid_grant","error_description":"user hasn't approved this consumer"}`},
	} {
		t.Run(name, func(t *testing.T) {
			claims := map[string]any{"iss": clientID, "sub": emulator.IntegrationUsername, "aud": "https://login.salesforce.com"}
			maps.Copy(claims, c.claims)
			got := r.form(tokenPath, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion", signed(t, key, claims))
			if c.want != "" {
				got.same(t, 400, c.want)
				return
			}
			if keys := keysOf(got.object(t)); keys != "access_token id instance_url scope token_type" { // [D/C]
				t.Fatalf("keys %s: %s", keys, got.body)
			}
		})
	}
}

// An assertion of another key, or of another algorithm, is none. [R frankkessler #68]
func TestJWTOfAnotherKey(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(cfg *emulator.OrgConfig) {
		cfg.Clients[0].CertificatePEM = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	})
	claims := map[string]any{"iss": clientID, "sub": emulator.IntegrationUsername, "aud": "https://login.salesforce.com", "exp": r.now.Unix() + 180}
	good := strings.Split(signed(t, key, claims), ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + good[1] + "."
	ask := func(assertion string) answer {
		return r.form(tokenPath, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion", assertion)
	}
	ask(strings.Join(good, ".")).is(t, 200)
	for name, assertion := range map[string]string{"another key": signed(t, other, claims), "no algorithm": none, "cut": good[0] + "." + good[1]} {
		if a := ask(assertion); a.body != refused("invalid_grant", "invalid assertion") {
			t.Errorf("%s: %v", name, a)
		}
	}
}

func signed(t *testing.T, key *rsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}
