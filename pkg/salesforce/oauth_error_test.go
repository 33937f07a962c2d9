package salesforce

import (
	"strings"
	"testing"
)

// tokenRow is one row of the table of token errors.
type tokenRow struct {
	mark        string
	status      int
	code        string
	description string
	class       TokenClass
	advice      string // words that the admin must find
}

func grantRows() []tokenRow {
	const ig = "invalid_grant"
	return []tokenRow{
		{"R", 400, ig, "expired access/refresh token", TokenCredential, "authenticate with Salesforce again"},
		{"R", 400, ig, "expired authorization code", TokenConfiguration, "clock"},
		{"R", 400, ig, "authentication failure", TokenCredential, "Login History"},
		{"R", 400, ig, "authentication failure - Invalid Password", TokenCredential, "Login History"},
		{"R", 400, ig, "inactive user", TokenCredential, "activate it"},
		{"R", 400, ig, "user hasn't approved this consumer", TokenConfiguration, "Pre-authorise"},
		{"R", 400, ig, "no client credentials user enabled", TokenConfiguration, "Run-As user"},
		{"R", 400, ig, "request not supported on this domain", TokenConfiguration, "My Domain"},
		{"S", 400, ig, "client credentials flow not enabled", TokenConfiguration, "Enable Client Credentials Flow"},
		{"S", 400, ig, "no valid scopes defined", TokenConfiguration, "scope"},
		{"R", 400, ig, "invalid assertion", TokenCredential, "certificate"},
		{"R", 400, ig, "audience is invalid", TokenConfiguration, "audience"},
		{"D", 400, ig, "Audience validation failed", TokenConfiguration, "audience"},
		{"S", 400, ig, "ip restricted", TokenConfiguration, "IP address"},
		{"R", 400, ig, "activation secret invalid", TokenConfiguration, "activation"},
		{"D", 400, ig, "missing required code verifier", TokenClientBug, "code verifier"},
		{"U", 400, ig, "a text nobody knows", TokenCredential, "Authenticate"},
	}
}

func tokenRows() []tokenRow {
	return append(grantRows(), []tokenRow{
		{"R", 400, "invalid_app_access", "user is not admin approved to access this app", TokenConfiguration, "profile or permission set"},
		{"S", 400, "OAUTH_APP_ACCESS_DENIED", "user is not admin approved to access this app", TokenConfiguration, "profile or permission set"},
		{"R", 400, "invalid_client_id", "client identifier invalid", TokenConfiguration, "consumer key"},
		{"R", 400, "invalid_client", "invalid client credentials", TokenCredential, "secret"},
		{"D", 400, "invalid_client_credentials", "", TokenCredential, "secret"},
		{"R", 400, "redirect_uri_mismatch", "redirect_uri must match configuration", TokenConfiguration, "callback URL"},
		{"R", 400, "unsupported_grant_type", "grant type not supported", TokenClientBug, "bug"},
		{"S", 400, "unsupported_response_type", "response type is not supported", TokenClientBug, "bug"},
		{"S", 400, "invalid_scope", "the requested scope is not allowed", TokenConfiguration, "scope"},
		{"D", 400, "invalid_request", "invalid code verifier", TokenClientBug, "bug"},
		{"D", 400, "access_denied", "end-user denied authorization", TokenConfiguration, "Allow"},
		{"D", 400, "inactive_user", "", TokenCredential, "activate it"},
		{"D", 400, "inactive_org", "", TokenCredential, "org is locked"},
		{"R", 400, "rate_limit_exceeded", "", TokenTransient, "3,600"},
		{"U", 400, "unknown_error", "retry your request", TokenTransient, "repeated"},
		{"R", 503, "", "", TokenTransient, "Nothing to do"},
		{"U", 500, "invalid_grant", "expired access/refresh token", TokenTransient, "Nothing to do"},
		{"U", 400, "", "", TokenTransient, "Nothing to do"},
		{"U", 400, "a_new_code", "a text nobody knows", TokenConfiguration, "connected app"},
	}...)
}

func TestClassifyToken(t *testing.T) {
	t.Parallel()
	for _, row := range tokenRows() {
		e := classifyToken(tokenRefusal{status: row.status, code: row.code, description: row.description})
		if e.Class != row.class || !strings.Contains(e.Advice(), row.advice) {
			t.Errorf("[%s] %s/%q = %v, advice %q; want %v, %q", row.mark, row.code, row.description, e.Class, e.Advice(), row.class, row.advice)
		}
		want := NotApplied
		if row.status >= 500 || row.code == "unknown_error" {
			want = MaybeApplied
		}
		if e.Outcome != want {
			t.Errorf("%s/%q: outcome %v", row.code, row.description, e.Outcome)
		}
		if strings.Contains(e.Error(), "nobody knows") {
			t.Errorf("a text nobody knows is in %q", e.Error())
		}
	}
}

func TestTokenErrorBodies(t *testing.T) {
	t.Parallel()
	cases := map[string][2]string{
		`{"error":"invalid_grant","error_description":"inactive user"}`: {"invalid_grant", "inactive user"},
		"error=invalid_token&error_description=invalid%20token":         {"invalid_token", "invalid token"}, // [C jsforce] revoke
		"<html>error=x</html>": {"", ""},
		`{"error":{"a":1}}`:    {"", ""},
		`{"error":"<b>x</b>"}`: {"", ""},
		"":                     {"", ""},
		`[]`:                   {"", ""},
	}
	for body, want := range cases {
		code, description := tokenErrorBody([]byte(body))
		if code != want[0] || description != want[1] {
			t.Errorf("%s = %q, %q", body, code, description)
		}
	}
}

func TestCallbackError(t *testing.T) {
	t.Parallel()
	if err := CallbackError("", ""); err != nil {
		t.Error(err)
	}
	err := CallbackError("access_denied", "end-user denied authorization")
	if err == nil || !strings.Contains(err.Error(), "access_denied (configuration") {
		t.Error(err)
	}
	if err := CallbackError("<script>", "x"); err == nil || strings.Contains(err.Error(), "script") {
		t.Error(err)
	}
}
