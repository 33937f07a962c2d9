package conformance

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/shapetest"
)

const (
	version = "/services/data/v63.0"
	// prefix marks every user that this suite makes in a real org.
	prefix = "rollcall-conformance-"

	consumerKey    = "3MVG9.conformance"
	consumerSecret = "conformance secret"
)

// target is the org under test: the emulator, or a real one.
type target struct {
	loginURL string
	key      string
	secret   string
	profile  string // name of the profile that users get
	set      string // name of a permission set to assign; empty: leave that out
	instance string
	token    string
	run      string // tells the users of this run from those of others
}

// emulated starts an emulator with one org.
func emulated(t *testing.T) (*target, *emulator.Org) {
	t.Helper()
	server := emulator.New()
	org := server.AddOrg(emulator.DefaultOrg(consumerKey, consumerSecret))
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	return &target{loginURL: web.URL, key: consumerKey, secret: consumerSecret, profile: emulator.MinimumAccessProfile, set: "HR_Data", run: newRun()}, org
}

// realOrg reads the org to test from the environment, or skips the test.
func realOrg(t *testing.T) *target {
	t.Helper()
	login, key, file := os.Getenv("ROLLCALL_CONFORMANCE_LOGIN_URL"), os.Getenv("ROLLCALL_CONFORMANCE_CLIENT_ID"), os.Getenv("ROLLCALL_CONFORMANCE_CLIENT_SECRET_FILE")
	if login == "" && key == "" && file == "" {
		t.Skip("no real org is given: set ROLLCALL_CONFORMANCE_LOGIN_URL, ROLLCALL_CONFORMANCE_CLIENT_ID and ROLLCALL_CONFORMANCE_CLIENT_SECRET_FILE (see docs/conformance.md)")
	}
	if login == "" || key == "" || file == "" {
		t.Fatal("set all three of ROLLCALL_CONFORMANCE_LOGIN_URL, ROLLCALL_CONFORMANCE_CLIENT_ID and ROLLCALL_CONFORMANCE_CLIENT_SECRET_FILE, or none")
	}
	secret, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	profile := os.Getenv("ROLLCALL_CONFORMANCE_PROFILE")
	if profile == "" {
		profile = emulator.MinimumAccessProfile
	}
	return &target{loginURL: strings.TrimSuffix(login, "/"), key: key, secret: strings.TrimSpace(string(secret)), profile: profile,
		set: os.Getenv("ROLLCALL_CONFORMANCE_PERMISSION_SET"), run: newRun()}
}

func newRun() string { return strings.ToLower(rand.Text()[:10]) }

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// client does not follow redirects: with a token, that would be a mistake.
func client() *http.Client {
	return &http.Client{Timeout: 2 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func send(t *testing.T, req *http.Request) answer {
	t.Helper()
	res, err := client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body)}
}

// sign posts to the token endpoint.
func (o *target) sign(t *testing.T, pairs ...string) answer {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.loginURL+"/services/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(t, req)
}

// do sends a data call; body is JSON text or something to be made JSON.
func (o *target) do(t *testing.T, method, path string, body any) answer {
	t.Helper()
	return o.call(t.Context(), t, method, path, body)
}

func (o *target) call(ctx context.Context, t *testing.T, method, path string, body any) answer {
	t.Helper()
	var src []byte
	switch body := body.(type) {
	case nil:
	case string:
		src = []byte(body)
	default:
		var err error
		if src, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, o.instance+path, bytes.NewReader(src))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+o.token)
	req.Header.Set("Content-Type", "application/json")
	return send(t, req)
}

func (o *target) query(t *testing.T, soql string) answer {
	t.Helper()
	return o.do(t, http.MethodGet, version+"/query?q="+url.QueryEscape(soql), nil)
}

// id finds the one row of a query.
func (o *target) id(t *testing.T, soql string) string {
	t.Helper()
	rows := o.rows(t, soql)
	if len(rows) != 1 {
		t.Fatalf("%s: %d rows, want one", soql, len(rows))
	}
	id, _ := rows[0]["Id"].(string)
	return id
}

func (o *target) rows(t *testing.T, soql string) []map[string]any {
	t.Helper()
	a := o.query(t, soql)
	var page struct{ Records []map[string]any }
	if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.status != http.StatusOK {
		t.Fatalf("%s: HTTP %d %s", soql, a.status, a.body)
	}
	return page.Records
}

// username is marked, and of this run alone.
func (o *target) username(name string) string {
	return prefix + o.run + "-" + name + "@conformance.example"
}

// person is a complete new user.
func (o *target) person(t *testing.T, name string) map[string]any {
	t.Helper()
	return map[string]any{
		"Username": o.username(name), "LastName": "Conformance " + name, "Email": o.username(name), "Alias": name[:min(8, len(name))],
		"CommunityNickname": o.run + name, "FederationIdentifier": o.username(name), "IsActive": true,
		"ProfileId":      o.id(t, "SELECT Id FROM Profile WHERE Name = '"+o.profile+"'"),
		"TimeZoneSidKey": "Europe/Paris", "LocaleSidKey": "en_US", "EmailEncodingKey": "UTF-8", "LanguageLocaleKey": "en_US",
	}
}

// sweep deactivates every active user of this run, whatever the test made of it.
func (o *target) sweep(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		soql := "SELECT Id FROM User WHERE IsActive = true AND Username LIKE '" + prefix + o.run + "-%'"
		a := o.call(ctx, t, http.MethodGet, version+"/query?q="+url.QueryEscape(soql), nil)
		var page struct{ Records []struct{ ID string } }
		if err := json.Unmarshal([]byte(a.body), &page); err != nil {
			t.Errorf("users of run %s are still active: %s", o.run, a.body)
		}
		for _, u := range page.Records {
			if a := o.call(ctx, t, http.MethodPatch, version+"/sobjects/User/"+u.ID, `{"IsActive":false}`); a.status != http.StatusNoContent {
				t.Errorf("user %s is still active: HTTP %d %s", u.ID, a.status, a.body)
			}
		}
	})
}

func (a answer) must(t *testing.T, status int, pattern string) {
	t.Helper()
	if a.status != status {
		t.Fatalf("HTTP %d, want %d: %s", a.status, status, a.body)
	}
	if pattern == "" {
		if a.body != "" {
			t.Fatalf("body %q, want none", a.body)
		}
		return
	}
	if err := shapetest.Like(a.body, pattern); err != nil {
		t.Fatalf("%v\nbody %s", err, a.body)
	}
}

func (a answer) idOf(t *testing.T) string {
	t.Helper()
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(a.body), &made); err != nil || made.ID == "" {
		t.Fatalf("no id in %s", a.body)
	}
	return made.ID
}

func text(format string, args ...any) string { return fmt.Sprintf(format, args...) }
