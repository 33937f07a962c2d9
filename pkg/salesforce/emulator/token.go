package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// oauthError is an answer of the token endpoint: 400 unless said otherwise.
type oauthError struct {
	code        string
	description string
}

func grantError(description string) *oauthError { return &oauthError{"invalid_grant", description} }

// token answers POST /services/oauth2/token.
func (c *call) token() {
	if c.method != http.MethodPost {
		c.TokenError("invalid_request", "must use HTTP POST") // [U]
		return
	}
	form, err := url.ParseQuery(string(c.payload))
	if err != nil {
		c.TokenError("invalid_request", "malformed request body") // [U]
		return
	}
	for name, values := range c.r.URL.Query() {
		form[name] = append(form[name], values...)
	}
	var failure *oauthError
	switch form.Get("grant_type") {
	case "client_credentials":
		failure = c.clientCredentials(form)
	case "refresh_token", "hybrid_refresh":
		failure = c.refreshToken(form)
	case "authorization_code":
		failure = c.codeExchange(form)
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		failure = c.jwtBearer(form)
	case "password": // off by default in newer orgs [S]
		if _, failure = c.client(form, false); failure == nil {
			failure = grantError("authentication failure")
		}
	default: // [R sf-jwt-token #1]
		failure = &oauthError{"unsupported_grant_type", "grant type not supported"}
	}
	if failure != nil {
		c.TokenError(failure.code, failure.description)
	}
}

// client finds the app and checks its secret. The secret belongs in the form;
// the discovery document also lists Basic. [R]
func (c *call) client(form url.Values, secretOptional bool) (*ConnectedApp, *oauthError) {
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if user, password, ok := c.r.BasicAuth(); ok && id == "" {
		id, secret = unescapeQuery(user), unescapeQuery(password)
	}
	app := c.appNamed(id)
	if app == nil { // [R forrest #184]
		return nil, &oauthError{"invalid_client_id", "client identifier invalid"}
	}
	if secretOptional && app.SecretOptional && secret == "" {
		return app, nil
	}
	if !hmac.Equal([]byte(secret), []byte(app.ClientSecret)) { // [R restforce #338]
		return nil, &oauthError{"invalid_client", "invalid client credentials"}
	}
	return app, nil
}

func unescapeQuery(s string) string {
	if out, err := url.QueryUnescape(s); err == nil {
		return out
	}
	return s
}

// appNamed finds the app in the addressed org, or in the first org that knows
// it, and makes that org the call's.
func (c *call) appNamed(id string) *ConnectedApp {
	orgs := []*Org{c.org}
	if c.org == nil {
		orgs = c.s.Orgs()
	}
	c.s.authMu.Lock()
	defer c.s.authMu.Unlock()
	for _, o := range orgs {
		if entry := o.auth.apps[id]; entry != nil {
			c.org = o
			if app := entry.current(c.started); app != nil {
				return app
			}
		}
	}
	return nil
}

func (c *call) clientCredentials(form url.Values) *oauthError {
	c.appNamed(form.Get("client_id"))                                                                              // finds the org that the host stands for
	if c.onLoginHost() || c.org != nil && c.org.cfg.Kind == LoginHost && c.org.host != strings.ToLower(c.r.Host) { // [R]
		return grantError("request not supported on this domain")
	}
	app, failure := c.client(form, false)
	if failure != nil {
		return failure
	}
	if !app.allows(FlowClientCredentials) {
		return grantError("client credentials flow not enabled") // [S]
	}
	if app.RunAsUsername == "" {
		return grantError("no client credentials user enabled") // [R]
	}
	// All scopes of the app but these. [S simple-salesforce PR #662]
	scopes := slices.DeleteFunc(slices.Clone(app.scopes()), func(s string) bool {
		return s == "full" || s == "web" || s == "offline_access" || s == "refresh_token"
	})
	if len(scopes) == 0 {
		return grantError("no valid scopes defined") // [S]
	}
	userID, failure := c.signIn(app, app.RunAsUsername, "no client credentials user enabled")
	if failure != nil {
		return failure
	}
	c.issue(userID, app.ClientID, strings.Join(scopes, " "), nil, false)
	return nil
}

// signIn finds a user who may sign in.
func (c *call) signIn(app *ConnectedApp, username, unknown string) (string, *oauthError) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	user := c.org.userByName(username)
	if user == nil {
		return "", grantError(unknown)
	}
	if user.At(c.org.user.active.Pos) != true { // [R restforce #303]
		return "", grantError("inactive user")
	}
	if c.org.frozen(user.ID) || c.org.denied.deny(user.ID, DenyLogin) { // [U]; [R text]
		return "", grantError("authentication failure")
	}
	if !app.approves(username) { // [R]
		return "", &oauthError{"invalid_app_access", "user is not admin approved to access this app"}
	}
	defer c.org.auth.lock()()
	if failure := c.org.auth.countLogin(user.ID, c.started); failure != nil {
		return "", failure
	}
	return user.ID, nil
}

// frozen reads UserLogin. The state lock is held.
func (o *Org) frozen(userID string) bool {
	login := o.loginOf(userID)
	return login != nil && login.At(o.Object("UserLogin").Field("IsFrozen").Pos) == true
}

func (o *Org) loginOf(userID string) *store.Record { return o.ByName("UserLogin", "UserId", userID) }

func (c *call) refreshToken(form url.Values) *oauthError {
	app, failure := c.client(form, true)
	if failure != nil {
		return failure
	}
	if !app.allows(FlowRefreshToken) {
		return &oauthError{"unsupported_grant_type", "grant type not supported"}
	}
	// A refusal must not rotate: the client would be left with a dead token.
	if failure := c.mayRefresh(form.Get("refresh_token")); failure != nil {
		return failure
	}
	g, failure := c.grantOf(app, form.Get("refresh_token"))
	if failure != nil {
		return failure
	}
	c.issue(g.userID, app.ClientID, g.scope, g, app.RefreshRotation)
	return nil
}

// mayRefresh asks whether the token's user may still sign in; an unknown token
// is grantOf's business.
func (c *call) mayRefresh(token string) *oauthError {
	unlock := c.org.auth.lock()
	g := c.org.auth.grants[token]
	unlock()
	if g == nil {
		return nil
	}
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	user := c.org.Table("User").Live(g.userID)
	if user == nil || user.At(c.org.user.active.Pos) != true {
		return grantError("inactive user")
	}
	if c.org.frozen(g.userID) || c.org.denied.deny(g.userID, DenyLogin) {
		return grantError("authentication failure")
	}
	return nil
}

// grantOf finds the family of a refresh token. Replaying one that was rotated
// out revokes the whole family. [D, R airbyte]
func (c *call) grantOf(app *ConnectedApp, token string) (*grant, *oauthError) {
	defer c.org.auth.lock()()
	auth := c.org.auth
	if g := auth.rotated[token]; g != nil {
		auth.end(g)
		return nil, grantError("expired access/refresh token")
	}
	g := auth.grants[token]
	if g == nil || g.clientID != app.ClientID { // [R restforce refresh_error_response.json]
		return nil, grantError("expired access/refresh token")
	}
	if failure := auth.countLogin(g.userID, c.started); failure != nil {
		return nil, failure // before anything is rotated out
	}
	if app.RefreshRotation {
		auth.rotate(g)
	}
	return g, nil
}

// issue answers with an access token. There is no expires_in in any flow, and
// issued_at is a string of milliseconds. [C jsforce, R restforce]
func (c *call) issue(userID, clientID, scope string, g *grant, withRefresh bool) {
	unlock := c.org.auth.lock()
	s := c.org.auth.issue(userID, clientID, scope, g, c.started)
	refresh := ""
	if withRefresh && g != nil {
		refresh = g.token
	}
	unlock()
	c.Bytes(200, c.tokenBody(s, refresh))
}

func (c *call) tokenBody(s *session, refresh string) []byte {
	id := c.identityURL(s.userID)
	issued := strconv.FormatInt(s.issued.UnixMilli(), 10)
	b := wire.AppendString([]byte(`{"access_token":`), s.token)
	add := func(name, value string) {
		b = append(wire.AppendString(append(b, ','), name), ':')
		b = wire.AppendString(b, value)
	}
	if refresh != "" {
		add("refresh_token", refresh)
	}
	if !s.jwt { // JWT answers have neither signature nor issued_at [D/C]
		add("signature", sign(c.org.id, id+issued))
		add("issued_at", issued)
	}
	add("scope", s.scope)
	add("instance_url", c.instanceURL())
	add("id", id)
	add("token_type", "Bearer")
	if slices.Contains(strings.Fields(s.scope), "sfap_api") {
		add("api_instance_url", "https://api.salesforce.com")
	}
	return append(b, '}')
}

// instanceURL is where data calls go.
func (c *call) instanceURL() string {
	if c.org.cfg.InstanceURL != "" {
		return c.org.cfg.InstanceURL
	}
	return c.base
}

// identityURL names org and user; clients parse it. [C jsforce]
func (c *call) identityURL(userID string) string {
	return c.base + "/id/" + c.org.id + "/" + userID
}

func sign(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write([]byte(text)) // a hash takes everything
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
