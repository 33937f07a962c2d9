package emulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/auth"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// revoke ends a token: a refresh token takes its access tokens along. [D]
func (c *call) revoke() {
	form, _ := url.ParseQuery(string(c.payload)) // a bad body has no token
	token := form.Get("token")
	if token == "" {
		token = c.r.URL.Query().Get("token")
	}
	for _, o := range c.candidates() {
		if o.auth.Revoke(token) {
			c.org = o
			c.None(200)
			return
		}
	}
	// jsforce reads this body as a query string. [C] Description [U].
	c.Kind("application/x-www-form-urlencoded")
	c.Set(400, []byte("error=invalid_token&error_description="+url.QueryEscape("this token is not valid")))
}

// candidates are the orgs that a request without a session may be about.
func (c *call) candidates() []*Org {
	if c.org != nil {
		return []*Org{c.org}
	}
	return c.s.Orgs()
}

// introspect answers RFC 7662 with the recorded keys. [R official Postman]
func (c *call) introspect() {
	form, err := url.ParseQuery(string(c.payload))
	if err != nil {
		c.TokenError("invalid_request", "malformed request body")
		return
	}
	app, failure := c.client(form, false)
	if failure != nil {
		c.TokenError(failure.Code, failure.Description)
		return
	}
	token := form.Get("token")
	found, good := c.org.auth.Look(app, token, c.started)
	if !good {
		c.Bytes(200, []byte(`{"active":false}`)) // [D RFC 7662]
		return
	}
	c.introspected(found)
}

func (c *call) introspected(t auth.Token) {
	c.s.mu.RLock()
	username := c.org.nameOf("User", t.UserID, "Username")
	c.s.mu.RUnlock()
	c.JSON(200, struct {
		Active    bool   `json:"active"`
		Scope     string `json:"scope"`
		ClientID  string `json:"client_id"`
		Username  string `json:"username"`
		Subject   string `json:"sub"`
		TokenType string `json:"token_type"`
		Expires   int64  `json:"exp"`
		Issued    int64  `json:"iat"`
		NotBefore int64  `json:"nbf"`
	}{true, t.Scope, t.ClientID, username, c.identityURL(t.UserID), t.Kind, t.To.Unix(), t.From.Unix(), t.From.Unix()})
}

// forbidden is how identity and userinfo refuse: 403 and a bare word, not 401.
// [R jsforce PR #736]
func (c *call) forbidden(word string) {
	c.Kind(wire.HTMLType)
	c.Set(http.StatusForbidden, []byte(word))
}

// identified finds the session for identity and userinfo.
func (c *call) identified() bool {
	token := c.r.URL.Query().Get("oauth_token")
	if token == "" {
		var err *wire.APIError
		if token, err = bearer(c.r); err != nil {
			c.forbidden("Missing_OAuth_Token") // [D]
			return false
		}
	}
	login := c.login
	c.login = false // sign-in hosts serve identity
	err := c.authenticate(token)
	c.login = login
	if err != nil && err.Code != "URL_NOT_RESET" {
		c.forbidden("Bad_OAuth_Token") // [R]
		return false
	}
	return true
}

// identity answers GET /id/{org}/{user}. [R official Postman]
func (c *call) identity() {
	if c.path == "/id/keys" {
		c.keys()
		return
	}
	parts := strings.Split(strings.TrimPrefix(c.path, "/id/"), "/")
	if !c.identified() {
		return
	}
	if len(parts) != 2 || store.ShortID(parts[0]) != store.ShortID(c.org.id) {
		c.forbidden("Wrong_Org") // [D]
		return
	}
	c.s.mu.RLock()
	user := c.org.Table("User").Live(parts[1])
	c.s.mu.RUnlock()
	if user == nil || c.session == nil {
		c.forbidden("Bad_Id") // [D]
		return
	}
	c.JSON(200, c.identityOf(user))
}

// profileValues reads the columns that identity and userinfo share.
func (c *call) profileValues(user *store.Record) func(string) string {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	values := map[string]string{}
	for _, f := range c.org.Object("User").Fields {
		values[f.Name] = wire.PlainValue(c.org.Value(user, f))
	}
	return func(name string) string { return values[name] }
}

func (c *call) identityOf(user *store.Record) map[string]any {
	get := c.profileValues(user)
	home := c.instanceURL()
	return map[string]any{
		"id": c.identityURL(user.ID), "asserted_user": c.session.UserID == user.ID, "user_id": user.ID, "organization_id": c.org.id,
		"username": get("Username"), "nick_name": get("CommunityNickname"), "display_name": get("Name"), "email": get("Email"),
		"email_verified": true, "first_name": wire.TextOrNil(get("FirstName")), "last_name": get("LastName"), "timezone": get("TimeZoneSidKey"),
		"photos":      map[string]string{"picture": home + "/profilephoto/005/F", "thumbnail": home + "/profilephoto/005/T"},
		"addr_street": wire.TextOrNil(get("Street")), "addr_city": wire.TextOrNil(get("City")), "addr_state": wire.TextOrNil(get("State")),
		"addr_country": wire.TextOrNil(get("Country")), "addr_zip": wire.TextOrNil(get("PostalCode")), "mobile_phone": wire.TextOrNil(get("MobilePhone")),
		"mobile_phone_verified": false, "is_lightning_login_user": false, "status": map[string]any{"created_date": nil, "body": nil},
		"urls": c.identityURLs(user.ID), "active": get("IsActive") == "true", "user_type": strings.ToUpper(get("UserType")),
		"language": get("LanguageLocaleKey"), "locale": get("LocaleSidKey"), "utcOffset": utcOffset(get("TimeZoneSidKey")),
		"last_modified_date": get("LastModifiedDate"), "is_app_installed": true,
	}
}

func (c *call) identityURLs(userID string) map[string]string {
	home := c.instanceURL()
	rest := home + "/services/data/v{version}/"
	soap := home + "/services/Soap/"
	return map[string]string{
		"enterprise": soap + "c/{version}/" + c.org.id, "metadata": soap + "m/{version}/" + c.org.id, "partner": soap + "u/{version}/" + c.org.id,
		"rest": rest, "sobjects": rest + "sobjects/", "search": rest + "search/", "query": rest + "query/", "recent": rest + "recent/",
		"tooling_soap": soap + "T/{version}/" + c.org.id, "tooling_rest": rest + "tooling/", "profile": home + "/" + userID,
		"feeds": rest + "chatter/feeds", "groups": rest + "chatter/groups", "users": rest + "chatter/users",
		"feed_items": rest + "chatter/feed-items", "feed_elements": rest + "chatter/feed-elements", "custom_domain": home,
	}
}

// utcOffset is the zone's standard offset in milliseconds.
func utcOffset(zone string) int64 {
	location, err := time.LoadLocation(zone)
	if err != nil {
		return 0
	}
	_, seconds := time.Date(2026, time.January, 1, 0, 0, 0, 0, location).Zone()
	return int64(seconds) * 1000
}

// userinfo answers with the claims of the partial record. [R amp-labs]
func (c *call) userinfo() {
	if !c.identified() {
		return
	}
	if c.session == nil {
		c.forbidden("Bad_OAuth_Token")
		return
	}
	get := c.profileValues(c.actor)
	home := c.instanceURL()
	c.JSON(200, map[string]any{
		"sub": c.identityURL(c.actor.ID), "user_id": c.actor.ID, "organization_id": c.org.id, "preferred_username": get("Username"),
		"nickname": get("CommunityNickname"), "name": get("Name"), "email": get("Email"), "email_verified": true,
		"given_name": wire.TextOrNil(get("FirstName")), "family_name": get("LastName"), "zoneinfo": get("TimeZoneSidKey"),
		"photos":  map[string]string{"picture": home + "/profilephoto/005/F", "thumbnail": home + "/profilephoto/005/T"},
		"profile": home + "/" + c.actor.ID, "picture": home + "/profilephoto/005/F", "address": addressOf(get),
		"is_salesforce_integration_user": false, "urls": c.identityURLs(c.actor.ID), "active": true,
		"user_type": strings.ToUpper(get("UserType")), "language": get("LanguageLocaleKey"), "locale": get("LocaleSidKey"),
		"utcOffset": utcOffset(get("TimeZoneSidKey")), "updated_at": c.actor.Modified.Time().Format("2006-01-02T15:04:05Z"),
		"phone_number": wire.TextOrNil(get("MobilePhone")), "phone_number_verified": false, "is_app_installed": true,
	})
}

func addressOf(get func(string) string) map[string]string {
	out := map[string]string{}
	for claim, name := range map[string]string{"country": "Country", "locality": "City", "region": "State", "street_address": "Street", "postal_code": "PostalCode"} {
		if v := get(name); v != "" {
			out[claim] = v
		}
	}
	return out
}

// discovery answers /.well-known/openid-configuration. [R official Postman]
func (c *call) discovery() {
	at := func(path string) string { return c.base + path }
	scopes := []string{"api", "refresh_token", "openid", "id", "full", "web"}
	for _, o := range c.candidates() {
		for _, app := range o.cfg.Clients {
			scopes = append(scopes, app.Scopes...)
		}
	}
	slices.Sort(scopes)
	c.JSON(200, map[string]any{
		"issuer": c.base, "authorization_endpoint": at("/services/oauth2/authorize"), "token_endpoint": at("/services/oauth2/token"),
		"revocation_endpoint": at("/services/oauth2/revoke"), "userinfo_endpoint": at("/services/oauth2/userinfo"), "jwks_uri": at("/id/keys"),
		"introspection_endpoint": at("/services/oauth2/introspect"), "scopes_supported": slices.Compact(scopes),
		"response_types_supported":              []string{"code", "token", "token id_token"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic", "private_key_jwt"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "subject_types_supported": []string{"public"},
	})
}
