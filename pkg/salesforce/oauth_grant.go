package salesforce

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Grant is what a token flow brought, verified. There is no expiry: Salesforce
// sends no expires_in in any flow; a session ends with a 401. [C, R]
type Grant struct {
	AccessToken string
	// RefreshToken is the one to keep; empty in flows without one.
	RefreshToken string
	// InstanceURL is where the access token may be used; it can change.
	InstanceURL string
	// IdentityURL ends in /id/{org}/{user}; some answers lack it.
	IdentityURL string
	OrgID       string
	UserID      string
	Scope       string
	TokenType   string
	IssuedAt    time.Time
}

// String names the grant without its tokens.
func (g Grant) String() string { return "grant of org " + g.OrgID }

// GoString does the same for %#v.
func (g Grant) GoString() string { return g.String() }

// verify takes a token for a grant only when it is of the expected org and may
// be used on an allowed host.
func (o *OAuth) verify(token *oauth2.Token) (Grant, error) {
	extra := func(name string) string {
		text, _ := token.Extra(name).(string)
		return text
	}
	g := Grant{
		AccessToken: token.AccessToken, RefreshToken: token.RefreshToken, TokenType: token.TokenType,
		IdentityURL: extra("id"), Scope: extra("scope"), IssuedAt: issuedAt(extra("issued_at")),
	}
	if g.AccessToken == "" { // x/oauth2's JWT flow does not look
		return Grant{}, &TokenError{Code: CodeUnreadable, Description: "the token response has no access token",
			Status: 200, Class: TokenTransient, Outcome: MaybeApplied}
	}
	base, err := o.hosts.base(extra("instance_url"))
	if err != nil {
		return Grant{}, refusedGrant(CodeHostRefused, "the token response's instance_url is refused: "+err.Error())
	}
	g.InstanceURL = base.String()
	g.OrgID, g.UserID = identity(g.IdentityURL)
	if err := o.verifyOrg(&g); err != nil {
		return Grant{}, err
	}
	return g, nil
}

// verifyOrg compares all that names an org: the identity URL, the access token
// itself (an opaque one begins with its org's id [R]) and the configuration.
func (o *OAuth) verifyOrg(g *Grant) error {
	prefix, _, opaque := strings.Cut(g.AccessToken, "!")
	opaque = opaque && orgIDLike.MatchString(prefix)
	switch {
	case g.OrgID == "" && g.IdentityURL != "":
		return refusedGrant(CodeOrgRefused, "the token response's identity URL names no org")
	case g.OrgID == "" && opaque:
		g.OrgID = prefix
	case opaque && !sameID(prefix, g.OrgID):
		return refusedGrant(CodeOrgRefused, "the token response's identity URL names another org than the token")
	}
	if o.cfg.ExpectedOrgID == "" || sameID(o.cfg.ExpectedOrgID, g.OrgID) {
		return nil
	}
	if g.OrgID == "" {
		return refusedGrant(CodeOrgRefused, "the token response does not say which org it is for, and one is expected")
	}
	return refusedGrant(CodeOrgRefused, fmt.Sprintf("the token is for org %s, expected is %s", g.OrgID, o.cfg.ExpectedOrgID))
}

// refusedGrant: Salesforce did issue a token, and this package refuses it.
func refusedGrant(code, why string) *TokenError {
	return &TokenError{Code: code, Description: why, Status: 200, Class: TokenConfiguration, Outcome: Applied}
}

// identity reads org and user out of https://login.salesforce.com/id/00D…/005….
// The host is no evidence: it is the login host whatever the org. [R]
func identity(raw string) (orgID, userID string) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", ""
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) != 3 || parts[0] != "id" || !orgIDLike.MatchString(parts[1]) {
		return "", ""
	}
	return parts[1], parts[2]
}

// issuedAt is a string of milliseconds since the epoch. [R]
func issuedAt(ms string) time.Time {
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}
