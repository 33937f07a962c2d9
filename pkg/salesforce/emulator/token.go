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

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/auth"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

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
	var failure *auth.Error
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
			failure = auth.InvalidGrant("authentication failure")
		}
	default: // [R sf-jwt-token #1]
		failure = &auth.Error{Code: "unsupported_grant_type", Description: "grant type not supported"}
	}
	if failure != nil {
		c.TokenError(failure.Code, failure.Description)
	}
}

// client finds the app and checks its secret. The secret belongs in the form;
// the discovery document also lists Basic. [R]
func (c *call) client(form url.Values, secretOptional bool) (*auth.ConnectedApp, *auth.Error) {
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if user, password, ok := c.r.BasicAuth(); ok && id == "" {
		id, secret = unescapeQuery(user), unescapeQuery(password)
	}
	app := c.appNamed(id)
	if app == nil { // [R forrest #184]
		return nil, &auth.Error{Code: "invalid_client_id", Description: "client identifier invalid"}
	}
	if secretOptional && app.SecretOptional && secret == "" {
		return app, nil
	}
	if !hmac.Equal([]byte(secret), []byte(app.ClientSecret)) { // [R restforce #338]
		return nil, &auth.Error{Code: "invalid_client", Description: "invalid client credentials"}
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
func (c *call) appNamed(id string) *auth.ConnectedApp {
	orgs := []*Org{c.org}
	if c.org == nil {
		orgs = c.s.Orgs()
	}
	for _, o := range orgs {
		app, known := o.auth.App(id, c.started)
		if known {
			c.org = o
		}
		if app != nil {
			return app
		}
	}
	return nil
}

func (c *call) clientCredentials(form url.Values) *auth.Error {
	c.appNamed(form.Get("client_id"))                                                                              // finds the org that the host stands for
	if c.onLoginHost() || c.org != nil && c.org.cfg.Kind == LoginHost && c.org.host != strings.ToLower(c.r.Host) { // [R]
		return auth.InvalidGrant("request not supported on this domain")
	}
	app, failure := c.client(form, false)
	if failure != nil {
		return failure
	}
	if !auth.Allows(app, auth.FlowClientCredentials) {
		return auth.InvalidGrant("client credentials flow not enabled") // [S]
	}
	if app.RunAsUsername == "" {
		return auth.InvalidGrant("no client credentials user enabled") // [R]
	}
	// All scopes of the app but these. [S simple-salesforce PR #662]
	scopes := slices.DeleteFunc(slices.Clone(auth.Scopes(app)), func(s string) bool {
		return s == "full" || s == "web" || s == "offline_access" || s == "refresh_token"
	})
	if len(scopes) == 0 {
		return auth.InvalidGrant("no valid scopes defined") // [S]
	}
	userID, failure := c.signIn(app, app.RunAsUsername, "no client credentials user enabled")
	if failure != nil {
		return failure
	}
	c.issue(auth.Session{UserID: userID, ClientID: app.ClientID, Scope: auth.JoinScopes(scopes)}, nil, false)
	return nil
}

// signIn finds a user who may sign in.
func (c *call) signIn(app *auth.ConnectedApp, username, unknown string) (string, *auth.Error) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	user := c.org.userByName(username)
	if user == nil {
		return "", auth.InvalidGrant(unknown)
	}
	if user.At(c.org.user.active.Pos) != true { // [R restforce #303]
		return "", auth.InvalidGrant("inactive user")
	}
	if c.org.frozen(user.ID) || c.org.denied.deny(user.ID, DenyLogin) { // [U]; [R text]
		return "", auth.InvalidGrant("authentication failure")
	}
	if !auth.Approves(app, username) { // [R]
		return "", &auth.Error{Code: "invalid_app_access", Description: "user is not admin approved to access this app"}
	}
	if failure := c.org.auth.CountLogin(user.ID, c.started); failure != nil {
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

func (c *call) refreshToken(form url.Values) *auth.Error {
	app, failure := c.client(form, true)
	if failure != nil {
		return failure
	}
	if !auth.Allows(app, auth.FlowRefreshToken) {
		return &auth.Error{Code: "unsupported_grant_type", Description: "grant type not supported"}
	}
	// A refusal must not rotate: the client would be left with a dead token.
	if failure := c.mayRefresh(form.Get("refresh_token")); failure != nil {
		return failure
	}
	g, failure := c.org.auth.Redeem(app, form.Get("refresh_token"), c.started)
	if failure != nil {
		return failure
	}
	c.issue(auth.Session{UserID: g.UserID, ClientID: app.ClientID, Scope: g.Scope}, g, app.RefreshRotation)
	return nil
}

// mayRefresh asks whether the token's user may still sign in; an unknown token
// is for Redeem to refuse.
func (c *call) mayRefresh(token string) *auth.Error {
	g := c.org.auth.GrantOf(token)
	if g == nil {
		return nil
	}
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	user := c.org.Table("User").Live(g.UserID)
	if user == nil || user.At(c.org.user.active.Pos) != true {
		return auth.InvalidGrant("inactive user")
	}
	if c.org.frozen(g.UserID) || c.org.denied.deny(g.UserID, DenyLogin) {
		return auth.InvalidGrant("authentication failure")
	}
	return nil
}

// issue answers with an access token. There is no expires_in in any flow, and
// issued_at is a string of milliseconds. [C jsforce, R restforce]
func (c *call) issue(session auth.Session, g *auth.Grant, withRefresh bool) {
	s, refresh := c.org.auth.Issue(session, g, c.started)
	if !withRefresh {
		refresh = ""
	}
	c.Bytes(200, c.tokenBody(s, refresh))
}

func (c *call) tokenBody(s *auth.Session, refresh string) []byte {
	id := c.identityURL(s.UserID)
	issued := strconv.FormatInt(s.Issued.UnixMilli(), 10)
	b := wire.AppendString([]byte(`{"access_token":`), s.Token)
	add := func(name, value string) {
		b = append(wire.AppendString(append(b, ','), name), ':')
		b = wire.AppendString(b, value)
	}
	if refresh != "" {
		add("refresh_token", refresh)
	}
	if !s.JWT { // JWT answers have neither signature nor issued_at [D/C]
		add("signature", sign(c.org.id, id+issued))
		add("issued_at", issued)
	}
	add("scope", s.Scope)
	add("instance_url", c.instanceURL())
	add("id", id)
	add("token_type", "Bearer")
	if slices.Contains(strings.Fields(s.Scope), "sfap_api") {
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
