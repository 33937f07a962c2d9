package oauth

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/auth"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// revoke ends a token: a refresh token takes its access tokens along. [D]
func (c identities) revoke() {
	form, _ := url.ParseQuery(string(c.Payload)) // a bad body has no token
	token := form.Get("token")
	if token == "" {
		token = c.Request.URL.Query().Get("token")
	}
	for _, o := range c.Candidates() {
		if o.Auth.Revoke(token) {
			c.Org = o
			c.None(200)
			return
		}
	}
	// jsforce reads this body as a query string. [C] Description [U].
	c.Kind("application/x-www-form-urlencoded")
	c.Set(400, []byte("error=invalid_token&error_description="+url.QueryEscape("this token is not valid")))
}

// introspect answers RFC 7662 with the recorded keys. [R official Postman]
func (c identities) introspect() {
	form, err := url.ParseQuery(string(c.Payload))
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
	found, good := c.Org.Auth.Look(app, token, c.Started)
	if !good {
		c.Bytes(200, []byte(`{"active":false}`)) // [D RFC 7662]
		return
	}
	c.introspected(found)
}

func (c identities) introspected(t auth.Token) {
	unlock := c.RLock()
	username := c.Org.NameOf("User", t.UserID, "Username")
	unlock()
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
	}{true, t.Scope, t.ClientID, username, c.IdentityURL(t.UserID), t.Kind, t.To.Unix(), t.From.Unix(), t.From.Unix()})
}

// forbidden is how identity and userinfo refuse: 403 and a bare word, not 401.
// [R jsforce PR #736]
func (c identities) forbidden(word string) {
	c.Kind(wire.HTMLType)
	c.Set(http.StatusForbidden, []byte(word))
}

// identified finds the session for identity and userinfo.
func (c identities) identified() bool {
	token := c.Request.URL.Query().Get("oauth_token")
	if token == "" {
		var err *wire.APIError
		if token, err = call.Bearer(c.Request); err != nil {
			c.forbidden("Missing_OAuth_Token") // [D]
			return false
		}
	}
	login := c.Login
	c.Login = false // sign-in hosts serve identity
	err := c.Authenticate(token)
	c.Login = login
	if err != nil && err.Code != "URL_NOT_RESET" {
		c.forbidden("Bad_OAuth_Token") // [R]
		return false
	}
	return true
}

// identity answers GET /id/{org}/{user}. [R official Postman]
func (c identities) identity() {
	if c.Path == "/id/keys" {
		c.keys()
		return
	}
	parts := strings.Split(strings.TrimPrefix(c.Path, "/id/"), "/")
	if !c.identified() {
		return
	}
	if len(parts) != 2 || store.ShortID(parts[0]) != store.ShortID(c.Org.ID) {
		c.forbidden("Wrong_Org") // [D]
		return
	}
	unlock := c.RLock()
	user := c.Org.Table("User").Live(parts[1])
	unlock()
	if user == nil || c.Session == nil {
		c.forbidden("Bad_Id") // [D]
		return
	}
	c.JSON(200, c.identityOf(user))
}

// profileValues reads the columns that identity and userinfo share.
func (c identities) profileValues(user *store.Record) func(string) string {
	defer c.RLock()()
	values := map[string]string{}
	for _, f := range c.Org.Object("User").Fields {
		values[f.Name] = wire.PlainValue(c.Org.Value(user, f))
	}
	return func(name string) string { return values[name] }
}

func (c identities) identityOf(user *store.Record) map[string]any {
	get := c.profileValues(user)
	home := c.InstanceURL()
	return map[string]any{
		"id": c.IdentityURL(user.ID), "asserted_user": c.Session.UserID == user.ID, "user_id": user.ID, "organization_id": c.Org.ID,
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

func (c identities) identityURLs(userID string) map[string]string {
	home := c.InstanceURL()
	rest := home + "/services/data/v{version}/"
	soap := home + "/services/Soap/"
	return map[string]string{
		"enterprise": soap + "c/{version}/" + c.Org.ID, "metadata": soap + "m/{version}/" + c.Org.ID, "partner": soap + "u/{version}/" + c.Org.ID,
		"rest": rest, "sobjects": rest + "sobjects/", "search": rest + "search/", "query": rest + "query/", "recent": rest + "recent/",
		"tooling_soap": soap + "T/{version}/" + c.Org.ID, "tooling_rest": rest + "tooling/", "profile": home + "/" + userID,
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
func (c identities) userinfo() {
	if !c.identified() {
		return
	}
	if c.Session == nil {
		c.forbidden("Bad_OAuth_Token")
		return
	}
	get := c.profileValues(c.Actor)
	home := c.InstanceURL()
	c.JSON(200, map[string]any{
		"sub": c.IdentityURL(c.Actor.ID), "user_id": c.Actor.ID, "organization_id": c.Org.ID, "preferred_username": get("Username"),
		"nickname": get("CommunityNickname"), "name": get("Name"), "email": get("Email"), "email_verified": true,
		"given_name": wire.TextOrNil(get("FirstName")), "family_name": get("LastName"), "zoneinfo": get("TimeZoneSidKey"),
		"photos":  map[string]string{"picture": home + "/profilephoto/005/F", "thumbnail": home + "/profilephoto/005/T"},
		"profile": home + "/" + c.Actor.ID, "picture": home + "/profilephoto/005/F", "address": addressOf(get),
		"is_salesforce_integration_user": false, "urls": c.identityURLs(c.Actor.ID), "active": true,
		"user_type": strings.ToUpper(get("UserType")), "language": get("LanguageLocaleKey"), "locale": get("LocaleSidKey"),
		"utcOffset": utcOffset(get("TimeZoneSidKey")), "updated_at": c.Actor.Modified.Time().Format("2006-01-02T15:04:05Z"),
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
func (c identities) discovery() {
	at := func(path string) string { return c.Base + path }
	scopes := []string{"api", "refresh_token", "openid", "id", "full", "web"}
	for _, o := range c.Candidates() {
		for _, app := range o.Config.Clients {
			scopes = append(scopes, app.Scopes...)
		}
	}
	slices.Sort(scopes)
	c.JSON(200, map[string]any{
		"issuer": c.Base, "authorization_endpoint": at("/services/oauth2/authorize"), "token_endpoint": at("/services/oauth2/token"),
		"revocation_endpoint": at("/services/oauth2/revoke"), "userinfo_endpoint": at("/services/oauth2/userinfo"), "jwks_uri": at("/id/keys"),
		"introspection_endpoint": at("/services/oauth2/introspect"), "scopes_supported": slices.Compact(scopes),
		"response_types_supported":              []string{"code", "token", "token id_token"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic", "private_key_jwt"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "subject_types_supported": []string{"public"},
	})
}
