package oauth

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/auth"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// consentPage stands for Salesforce's login and consent pages in one.
const consentPage = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Allow Access?</title></head>
<body><h1>Allow Access?</h1>
<p>{{.Client}} is asking to: {{.Scope}}</p>
<form method="post" action="{{.Action}}">
{{range $name, $value := .Hidden}}<input type="hidden" name="{{$name}}" value="{{$value}}">
{{end}}<label>Username <input name="username" value="{{.Username}}"></label>
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form></body></html>
`

// authorize answers the browser leg: GET shows the consent page, POST takes the
// decision. [D web server flow]
func (c browser) authorize() {
	form := c.Request.URL.Query()
	if c.Method == http.MethodPost {
		if posted, err := url.ParseQuery(string(c.Payload)); err == nil {
			for name, values := range posted {
				form[name] = values
			}
		}
	}
	app := c.appNamed(form.Get("client_id"))
	if app == nil {
		c.errorPage("invalid_client_id", "client identifier invalid")
		return
	}
	// Byte for byte, and no redirect to an address nobody registered. [R]
	if !slices.Contains(app.RedirectURIs, form.Get("redirect_uri")) {
		c.errorPage("redirect_uri_mismatch", "redirect_uri must match configuration")
		return
	}
	if failure := authorizeErrors(app, form); failure != nil {
		c.redirect(form, "error", failure.Code, "error_description", failure.Description)
		return
	}
	if c.Method == http.MethodPost {
		c.decide(app, form)
		return
	}
	c.consent(app, form)
}

func authorizeErrors(app *auth.ConnectedApp, form url.Values) *auth.Error {
	if form.Get("response_type") != "code" { // [S; code name D]
		return &auth.Error{Code: "unsupported_response_type", Description: "response type is not supported"}
	}
	if !auth.Allows(app, auth.FlowAuthorizationCode) {
		return &auth.Error{Code: "unauthorized_client", Description: "flow is not enabled for this app"} // [U]
	}
	if app.RequirePKCE && form.Get("code_challenge") == "" {
		return &auth.Error{Code: "invalid_request", Description: "missing required code challenge"} // [U] text
	}
	if m := form.Get("code_challenge_method"); m != "" && m != "S256" {
		return &auth.Error{Code: "invalid_request", Description: "code challenge method is not supported"} // [U]
	}
	for _, scope := range strings.Fields(form.Get("scope")) {
		if !slices.Contains(auth.Scopes(app), scope) {
			return &auth.Error{Code: "invalid_scope", Description: "the requested scope is not allowed"} // [S]
		}
	}
	return nil
}

// errorPage is what the browser sees when client or redirect address are bad;
// its layout is an assumption. [U]
func (c browser) errorPage(code, description string) {
	c.Kind(wire.HTMLType)
	c.Set(http.StatusBadRequest, []byte("<!DOCTYPE html><html><head><title>Error</title></head><body><p>error="+
		template.HTMLEscapeString(code)+"&amp;error_description="+template.HTMLEscapeString(description)+"</p></body></html>"))
}

func (c browser) redirect(form url.Values, pairs ...string) {
	target, err := url.Parse(form.Get("redirect_uri"))
	if err != nil {
		c.errorPage("redirect_uri_mismatch", "redirect_uri must match configuration")
		return
	}
	query := target.Query()
	for pair := range slices.Chunk(pairs, 2) {
		query.Set(pair[0], pair[1])
	}
	if state := form.Get("state"); state != "" {
		query.Set("state", state)
	}
	target.RawQuery = query.Encode()
	c.Header.Set("Location", target.String())
	c.None(http.StatusFound)
}

func (c browser) consent(app *auth.ConnectedApp, form url.Values) {
	hidden := map[string]string{}
	for _, name := range [...]string{"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "nonce"} {
		if v := form.Get(name); v != "" {
			hidden[name] = v
		}
	}
	username := form.Get("login_hint")
	if username == "" {
		username = app.RunAsUsername
	}
	var page strings.Builder
	parsed := template.Must(template.New("consent").Parse(consentPage))
	if err := parsed.Execute(&page, map[string]any{"Client": app.ClientID, "Scope": c.wanted(app, form), "Hidden": hidden,
		"Username": username, "Action": c.Request.URL.Path}); err != nil {
		c.errorPage("server_error", err.Error())
		return
	}
	c.Kind(wire.HTMLType)
	c.Set(200, []byte(page.String()))
}

// wanted is the scope asked for, or everything the app has. [D]
func (c browser) wanted(app *auth.ConnectedApp, form url.Values) string {
	if scope := form.Get("scope"); scope != "" {
		return scope
	}
	return auth.JoinScopes(auth.Scopes(app))
}

// decide takes Allow or Deny.
func (c browser) decide(app *auth.ConnectedApp, form url.Values) {
	if form.Get("decision") != "allow" { // [D/S]
		c.redirect(form, "error", "access_denied", "error_description", "end-user denied authorization")
		return
	}
	userID, failure := c.signIn(app, form.Get("username"), "authentication failure")
	if failure != nil {
		code := failure.Code
		if code == "invalid_app_access" {
			code = "OAUTH_APP_ACCESS_DENIED" // the browser leg has its own word [S]
		}
		c.redirect(form, "error", code, "error_description", failure.Description)
		return
	}
	code := c.Org.Auth.AddCode(auth.Code{UserID: userID, ClientID: app.ClientID, RedirectURI: form.Get("redirect_uri"),
		Scope: c.wanted(app, form), Challenge: form.Get("code_challenge"), Nonce: form.Get("nonce"), Made: c.Started})
	c.redirect(form, "code", code)
}

// codeExchange trades a code for tokens.
func (c tokens) codeExchange(form url.Values) *auth.Error {
	app, failure := c.client(form, true)
	if failure != nil {
		return failure
	}
	code, g, failure := c.Org.Auth.Spend(app, form.Get("code"), form.Get("redirect_uri"), form.Get("code_verifier"), c.Started)
	if failure != nil {
		return failure
	}
	s, refresh := c.Org.Auth.Issue(auth.Session{UserID: code.UserID, ClientID: app.ClientID, Scope: code.Scope}, g, c.Started)
	c.Bytes(200, c.withIDToken(c.tokenBody(s, refresh), s, code.Nonce))
	return nil
}
