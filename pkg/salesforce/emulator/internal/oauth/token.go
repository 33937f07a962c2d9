package oauth

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
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// token answers POST /services/oauth2/token.
func (c tokens) token() {
	if c.Method != http.MethodPost {
		c.TokenError("invalid_request", "must use HTTP POST") // [U]
		return
	}
	form, err := url.ParseQuery(string(c.Payload))
	if err != nil {
		c.TokenError("invalid_request", "malformed request body") // [U]
		return
	}
	for name, values := range c.Request.URL.Query() {
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
func (c request) client(form url.Values, secretOptional bool) (*auth.ConnectedApp, *auth.Error) {
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if user, password, ok := c.Request.BasicAuth(); ok && id == "" {
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
func (c request) appNamed(id string) *auth.ConnectedApp {
	orgs := []*org.Org{c.Org}
	if c.Org == nil {
		orgs = c.Env.Orgs.All()
	}
	for _, o := range orgs {
		app, known := o.Auth.App(id, c.Started)
		if known {
			c.Org = o
		}
		if app != nil {
			return app
		}
	}
	return nil
}

func (c tokens) clientCredentials(form url.Values) *auth.Error {
	c.appNamed(form.Get("client_id"))                                                                                                   // finds the org that the host stands for
	if c.OnLoginHost() || c.Org != nil && c.Org.Config.Kind == org.LoginHost && c.Org.Place().Host != strings.ToLower(c.Request.Host) { // [R]
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
func (c request) signIn(app *auth.ConnectedApp, username, unknown string) (string, *auth.Error) {
	defer c.RLock()()
	user := c.Org.UserByName(username)
	if user == nil {
		return "", auth.InvalidGrant(unknown)
	}
	if !c.Org.Active(user) { // [R restforce #303]
		return "", auth.InvalidGrant("inactive user")
	}
	if c.Org.Frozen(user.ID) || c.Org.Denied.Denies(user.ID, org.DenyLogin) { // [U]; [R text]
		return "", auth.InvalidGrant("authentication failure")
	}
	if !auth.Approves(app, username) { // [R]
		return "", &auth.Error{Code: "invalid_app_access", Description: "user is not admin approved to access this app"}
	}
	if failure := c.Org.Auth.CountLogin(user.ID, c.Started); failure != nil {
		return "", failure
	}
	return user.ID, nil
}

func (c tokens) refreshToken(form url.Values) *auth.Error {
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
	g, failure := c.Org.Auth.Redeem(app, form.Get("refresh_token"), c.Started)
	if failure != nil {
		return failure
	}
	c.issue(auth.Session{UserID: g.UserID, ClientID: app.ClientID, Scope: g.Scope}, g, app.RefreshRotation)
	return nil
}

// mayRefresh asks whether the token's user may still sign in; an unknown token
// is for Redeem to refuse.
func (c tokens) mayRefresh(token string) *auth.Error {
	g := c.Org.Auth.GrantOf(token)
	if g == nil {
		return nil
	}
	defer c.RLock()()
	user := c.Org.Table("User").Live(g.UserID)
	if !c.Org.Active(user) {
		return auth.InvalidGrant("inactive user")
	}
	if c.Org.Frozen(g.UserID) || c.Org.Denied.Denies(g.UserID, org.DenyLogin) {
		return auth.InvalidGrant("authentication failure")
	}
	return nil
}

// issue answers with an access token. There is no expires_in in any flow, and
// issued_at is a string of milliseconds. [C jsforce, R restforce]
func (c tokens) issue(session auth.Session, g *auth.Grant, withRefresh bool) {
	s, refresh := c.Org.Auth.Issue(session, g, c.Started)
	if !withRefresh {
		refresh = ""
	}
	c.Bytes(200, c.tokenBody(s, refresh))
}

func (c tokens) tokenBody(s *auth.Session, refresh string) []byte {
	id := c.IdentityURL(s.UserID)
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
		add("signature", sign(c.Org.ID, id+issued))
		add("issued_at", issued)
	}
	add("scope", s.Scope)
	add("instance_url", c.InstanceURL())
	add("id", id)
	add("token_type", "Bearer")
	if slices.Contains(strings.Fields(s.Scope), "sfap_api") {
		add("api_instance_url", "https://api.salesforce.com")
	}
	return append(b, '}')
}

func sign(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write([]byte(text)) // a hash takes everything
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
