package salesforce_test

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

func TestEveryRefusalOfTheWholeOrgHasAnAdvice(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"INVALID_OPERATION_WITH_EXPIRED_PASSWORD": "Password Never Expires",
		"API_CURRENTLY_DISABLED":                  "API Enabled",
		"FUNCTIONALITY_NOT_ENABLED":               "API Enabled",
		"API_DISABLED_FOR_ORG":                    "edition",
		"RESTAPINOTENABLED":                       "edition",
		"INVALID_SESSION_ID":                      "by itself",
		"LOGIN_OAUTH_INVALID_TOKEN":               "by itself",
		"URL_NOT_RESET":                           "My Domain",
		"INACTIVE_USER":                           "active and not frozen",
		"HOST_REFUSED":                            "hostSuffixes",
		"ORG_REFUSED":                             "connect.orgID",
		"REDIRECT_REFUSED":                        "proxy",
	} {
		if got := salesforce.Advice(code, ""); !strings.Contains(got, want) {
			t.Errorf("%s: %q does not say %q", code, got, want)
		}
	}
	if got := salesforce.Advice("INVALID_SESSION_ID", "This session is not valid for use with the REST API"); !strings.Contains(got, "scope") {
		t.Errorf("a session without the scope: %q", got)
	}
	if got := salesforce.Advice("REQUIRED_FIELD_MISSING", ""); got != "" {
		t.Errorf("one record's failure: %q", got)
	}
}
