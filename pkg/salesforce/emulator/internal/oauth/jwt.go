package oauth

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/auth"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// assertion is a parsed JWT bearer token.
type assertion struct {
	signed    string
	signature []byte
	issuer    string
	subject   string
	audiences []string
	expires   time.Time
}

// jwtBearer serves the JWT flow, with the tolerances seen in official clients:
// exp as a number or a string, in seconds or milliseconds, and far in the
// future. [C sfdx-core, go-salesforce]
func (c tokens) jwtBearer(form url.Values) *auth.Error {
	a, ok := parseAssertion(form.Get("assertion"))
	if !ok {
		return auth.InvalidGrant("invalid assertion") // [R frankkessler #68]
	}
	c.orgOfUser(a)
	app := c.appNamed(a.issuer)
	if app == nil {
		return &auth.Error{Code: "invalid_client_id", Description: "client identifier invalid"}
	}
	if !auth.Allows(app, auth.FlowJWT) {
		return &auth.Error{Code: "unsupported_grant_type", Description: "grant type not supported"}
	}
	if !a.signedBy(app) {
		return auth.InvalidGrant("invalid assertion")
	}
	if !c.audienceFits(a.audiences) { // [R forcedotcom/cli #1640]
		return auth.InvalidGrant("audience is invalid")
	}
	if !a.expires.After(c.Started) { // [R simple-salesforce #491]
		return auth.InvalidGrant("expired authorization code")
	}
	userID, failure := c.signIn(app, a.subject, "user hasn't approved this consumer")
	if failure != nil && failure.Code == "invalid_app_access" {
		return auth.InvalidGrant("user hasn't approved this consumer") // [R restforce #278]
	}
	if failure != nil {
		return failure
	}
	scopes := slices.DeleteFunc(slices.Clone(auth.Scopes(app)), func(s string) bool { return s == "refresh_token" || s == "offline_access" })
	s, _ := c.Org.Auth.Issue(auth.Session{UserID: userID, ClientID: app.ClientID, Scope: auth.JoinScopes(scopes), JWT: true}, nil, c.Started)
	c.Bytes(200, c.tokenBody(s, "")) // never a refresh token [D/C]
	return nil
}

// orgOfUser picks, among orgs that share a host and an app, the one where the
// subject is a user.
func (c tokens) orgOfUser(a assertion) {
	if c.Org != nil {
		return
	}
	for _, o := range c.Env.Orgs.All() {
		if !c.holds(o, a.subject) {
			continue
		}
		_, known := o.Auth.App(a.issuer, c.Started)
		if known {
			c.Org = o
			return
		}
	}
}

// holds says whether an org has a user of that name.
func (c tokens) holds(o *org.Org, username string) bool {
	defer c.RLock()()
	return o.UserByName(username) != nil
}

func parseAssertion(token string) (assertion, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return assertion{}, false
	}
	header, ok1 := decodeSegment(parts[0])
	claims, ok2 := decodeSegment(parts[1])
	signature, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[2], "="))
	if !ok1 || !ok2 || err != nil || header["alg"] != "RS256" {
		return assertion{}, false
	}
	a := assertion{signed: parts[0] + "." + parts[1], signature: signature}
	a.issuer, _ = claims["iss"].(string)
	a.subject, _ = claims["sub"].(string)
	if a.subject == "" {
		a.subject, _ = claims["prn"].(string) // the older name of the claim [U]
	}
	switch aud := claims["aud"].(type) {
	case string:
		a.audiences = []string{aud}
	case []any:
		for _, v := range aud {
			a.audiences = append(a.audiences, wire.PlainValue(wire.FromGo(v)))
		}
	}
	a.expires, ok1 = expiry(claims["exp"])
	return a, ok1
}

func decodeSegment(s string) (map[string]any, bool) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil, false
	}
	var out map[string]any
	return out, json.Unmarshal(b, &out) == nil
}

// expiry reads exp as clients write it, a number or a string, and takes it for
// seconds: the milliseconds of an official client lie far in the future, where
// Salesforce has no objection either. [C sfdx-core]
func expiry(v any) (time.Time, bool) {
	var seconds float64
	switch v := v.(type) {
	case float64:
		seconds = v
	case string:
		n, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return time.Time{}, false
		}
		seconds = n
	default:
		return time.Time{}, false
	}
	return time.Unix(int64(min(seconds, 1e15)), 0), true
}

func (a *assertion) signedBy(app *auth.ConnectedApp) bool {
	key, err := auth.PublicKey(app)
	if err != nil {
		return false
	}
	sum := sha256.Sum256([]byte(a.signed))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], a.signature) == nil
}

// audienceFits takes the login hosts, the org's own address and the address
// that was called. [D]
func (c tokens) audienceFits(list []string) bool {
	allowed := []string{"https://login.salesforce.com", "https://test.salesforce.com", c.Base, c.InstanceURL()}
	for _, aud := range list {
		aud = strings.TrimSuffix(strings.TrimSuffix(aud, "/"), "/services/oauth2/token")
		if slices.Contains(allowed, aud) {
			return true
		}
	}
	return false
}

// withIDToken adds id_token when openid was granted. [R]
func (c tokens) withIDToken(body []byte, s *auth.Session, nonce string) []byte {
	if !slices.Contains(strings.Fields(s.Scope), "openid") {
		return body
	}
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT","kid":"emulator"}`))
	content := map[string]any{"iss": c.Base, "sub": c.IdentityURL(s.UserID), "aud": s.ClientID,
		"iat": s.Issued.Unix(), "exp": s.Issued.Add(c.Org.Auth.Timeout()).Unix()}
	if nonce != "" {
		content["nonce"] = nonce
	}
	claims := base64.RawURLEncoding.EncodeToString(wire.Encode(content))
	sum := sha256.Sum256([]byte(header + "." + claims))
	signature, err := rsa.SignPKCS1v15(rand.Reader, c.api.idKey(), crypto.SHA256, sum[:])
	if err != nil {
		panic("emulator: id token: " + err.Error()) // the key is the emulator's own
	}
	token := header + "." + claims + "." + base64.RawURLEncoding.EncodeToString(signature)
	return append(append(body[:len(body)-1], `,"id_token":"`+token+`"`...), '}')
}

// keys answers /id/keys.
func (c identities) keys() {
	public := c.api.idKey().PublicKey
	c.JSON(200, map[string]any{"keys": []map[string]string{{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "emulator",
		"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes())}}})
}
