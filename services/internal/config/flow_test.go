package config_test

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

func TestEachFlowHasItsOwnKeys(t *testing.T) {
	t.Parallel()
	_, err := config.Parse([]byte(`
orgs:
  signs:
    connect: {loginURL: "https://a.my.salesforce.com", clientID: k, flow: jwt_bearer, audience: nowhere, refreshTokenFile: r}
  shares:
    connect: {loginURL: "https://b.my.salesforce.com", clientID: k, username: robot@example.com, privateKeyFile: key.pem}
`), ".")
	wantLines(t, err,
		"orgs.signs.connect.privateKeyFile: is required", "orgs.signs.connect.username: is required",
		`orgs.signs.connect.audience: must be like https://login.salesforce.com, is "nowhere"`,
		"orgs.signs.connect.refreshTokenFile: is for flow refresh_token, and flow is jwt_bearer",
		"orgs.shares.connect.clientSecretFile: is required",
		"orgs.shares.connect.username: is for flow jwt_bearer, and flow is client_credentials",
		"orgs.shares.connect.privateKeyFile: is for flow jwt_bearer",
	)
}

func TestJWTAudienceFollowsTheLoginHost(t *testing.T) {
	t.Parallel()
	for login, want := range map[string]string{
		"https://example.my.salesforce.com":              "https://login.salesforce.com",
		"https://example--dev.sandbox.my.salesforce.com": "https://test.salesforce.com",
		"https://test.salesforce.com":                    "https://test.salesforce.com",
	} {
		c := config.Connect{LoginURL: login}
		if got := c.JWTAudience(); got != want {
			t.Errorf("%s: %s", login, got)
		}
	}
	c := config.Connect{LoginURL: "https://example.my.salesforce.com", Audience: "https://test.salesforce.com"}
	if got := c.JWTAudience(); got != c.Audience {
		t.Errorf("the configured audience became %s", got)
	}
}

func TestASecretStandsInOnePlace(t *testing.T) {
	t.Parallel()
	const value = "not a name: canary-5f1e-of-a-secret"
	_, err := config.Parse([]byte(`
orgs:
  both:
    connect: {loginURL: https://example.my.salesforce.com, clientID: key, clientSecretFile: secret, clientSecretEnv: SECRET}
  value:
    connect: {loginURL: https://example.my.salesforce.com, clientID: key, clientSecretEnv: "`+value+`"}
  fits:
    connect: {loginURL: https://example.my.salesforce.com, clientID: key, clientSecretEnv: SECRET_OF_FITS}
`), t.TempDir())
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"orgs.both.connect.clientSecretFile: and clientSecretEnv are both set",
		"orgs.value.connect.clientSecretEnv: must be the name of a variable",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not said: %s in\n%v", want, err)
		}
	}
	for _, not := range []string{"orgs.fits", value} {
		if strings.Contains(err.Error(), not) {
			t.Errorf("said: %s in\n%v", not, err)
		}
	}
}
