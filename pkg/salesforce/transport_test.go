package salesforce

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var reached atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	t.Cleanup(other.Close)
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, other.URL+"/login?token=hidden", http.StatusTemporaryRedirect)
	})
	_, err := r.client.Create(t.Context(), "User", Record{})
	e := wantError(t, err, Unavailable, MaybeApplied)
	host := strings.TrimPrefix(other.URL, "http://")
	if e.Code != CodeRedirect || !strings.Contains(e.Error(), host+"/login") || strings.Contains(e.Message, "hidden") {
		t.Errorf("text %q", e.Error())
	}
	if reached.Load() {
		t.Error("the redirect was followed")
	}
}

func TestWrongCertificateIsRefused(t *testing.T) {
	t.Parallel()
	var reached atomic.Bool
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	client, err := NewClient(Config{Sessions: &fixedSessions{url: server.URL}, AllowLoopbackHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Create(t.Context(), "User", Record{})
	e := wantError(t, err, Unavailable, NotApplied)
	if !strings.Contains(e.Error(), "certificate is refused") || reached.Load() {
		t.Errorf("text %q, reached %v", e.Error(), reached.Load())
	}
}

func TestInstanceURLRules(t *testing.T) {
	t.Parallel()
	rules := hostRules{suffixes: DefaultHostSuffixes()}
	good := []string{"https://acme.my.salesforce.com", "https://ACME--sbx.sandbox.my.salesforce.com/", "https://na1.salesforce.com", "https://acme.my.site.force.com"}
	for _, raw := range good {
		if _, err := rules.base(raw); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	bad := map[string]string{
		"https://evil.example":                          "not among the allowed",
		"https://salesforce.com.evil.example":           "not among the allowed",
		"https://evilsalesforce.com":                    "not among the allowed",
		"http://acme.my.salesforce.com":                 "scheme must be https",
		"http://127.0.0.1:8080":                         "scheme must be https",
		"https://127.0.0.1":                             "not among the allowed",
		"https://acme.my.salesforce.com@evil.example":   "user, path",
		"https://evil.example/?x=.salesforce.com":       "user, path",
		"https://acme.my.salesforce.com/services/data":  "user, path",
		"//acme.my.salesforce.com":                      "scheme must be https",
		"":                                              "not an absolute URL",
		"acme.my.salesforce.com":                        "not an absolute URL",
		"ftp://acme.my.salesforce.com":                  "scheme must be https",
		"https://acme.my.salesforce.com#.evil.example":  "user, path",
		"https://acme.my.salesforce.com.":               "not among the allowed",
		"https://[::1]":                                 "not among the allowed",
		"https://evil.example\\.my.salesforce.com":      "not an absolute URL",
		"https://acme.my.salesforce.com%2eevil.example": "not an absolute URL",
		"javascript:alert(1)//.salesforce.com":          "not an absolute URL",
	}
	for raw, why := range bad {
		if u, err := rules.base(raw); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q = %v, %v; want %q", raw, u, err, why)
		}
	}
	if _, err := (hostRules{loopback: true}).base("http://acme.my.salesforce.com"); err == nil {
		t.Error("http is for loopback alone")
	}
	if _, err := (hostRules{suffixes: []string{"one.example"}}).base("https://two.one.example"); err == nil {
		t.Error("a suffix without a dot is one host")
	}
}

func TestSessionOfAnotherHostOrOrgIsNotUsed(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		session Session
		code    string
		text    string
	}{
		"host": {Session{AccessToken: "t", InstanceURL: "https://evil.example", OrgID: testOrg}, CodeHostRefused, "evil.example is not among the allowed"},
		"org":  {Session{AccessToken: "t", InstanceURL: "https://acme.my.salesforce.com", OrgID: "00D000000000002"}, CodeOrgRefused, "another org"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			never := roundTripper(func(*http.Request) (*http.Response, error) {
				t.Error("a request was sent")
				return nil, http.ErrServerClosed
			})
			client, err := NewClient(Config{Sessions: oneSession(tc.session), OrgID: testOrg, Transport: never})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Query(t.Context(), "SELECT Id FROM User")
			e := wantError(t, err, Credentials, NotApplied)
			if e.Code != tc.code || !strings.Contains(e.Error(), tc.text) {
				t.Errorf("text %q", e.Error())
			}
		})
	}
}

func TestOrgIDFormsAreEqual(t *testing.T) {
	t.Parallel()
	if !sameID("00D000000000001", testOrg) || sameID("00D00000000000a", "00D00000000000A") || sameID("", "") {
		t.Error("ids are compared by their first 15 characters, with case")
	}
}
