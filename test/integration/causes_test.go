//go:build !containers

package integration

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// cause is one way in which an org's credentials stop working, as its admin
// makes it happen: each in an org of its own, whose name and app it is.
type cause struct {
	name string
	flow string // empty for client_credentials
	// spoil and mend are what the admin does.
	spoil, mend func(*trouble)
	// why and advice are what `rollcall status` says meanwhile.
	why, advice string
}

// trouble is an org of the causes.
type trouble struct {
	*rig
	cause

	id string
}

func (o *trouble) user() string { return "integration-" + o.name + "@rollcall.example" }
func (o *trouble) path(rest string) string {
	return "/_emulator/orgs/" + o.id + "/" + rest
}

// end ends the sessions: what happened is found at the next call.
func (o *trouble) end() { o.must(http.MethodDelete, o.path("sessions"), "") }

// app changes the org's connected app.
func app(change string) func(*trouble) {
	return func(o *trouble) { o.must(http.MethodPatch, o.path("apps/"+o.name), change); o.end() }
}

func (o *trouble) patchUser(change string) {
	o.must(http.MethodPatch, o.path("users/"+o.user()), change)
}

func deny(what string) func(*trouble) {
	return func(o *trouble) { o.must(http.MethodPost, o.path("denials/"+o.user()), `["`+what+`"]`) }
}

func allow(o *trouble) { o.must(http.MethodDelete, o.path("denials/"+o.user()), "") }

// grant is an admin's new login.
func (o *trouble) grant() string {
	o.t.Helper()
	body := fmt.Sprintf(`{"clientId":%q,"username":%q}`, o.name, o.user())
	got := decode[map[string]string](o.t, o.must(http.MethodPost, o.path("grants"), body))
	return got["refresh_token"]
}

func authenticate(o *trouble) { o.write(filepath.Join(o.dir, "refresh-"+o.name), o.grant()) }

func causes() []cause {
	return []cause{
		{name: "secret-rotated", spoil: app(`{"clientSecret":"the next one"}`),
			mend: func(o *trouble) { o.write(filepath.Join(o.dir, "secret-"+o.name), "the next one") },
			why:  "invalid_client: invalid client credentials", advice: "take the app's current secret"},
		{name: "app-blocked", spoil: app(`{"disabled":true}`), mend: app(`{"disabled":false}`),
			why: "invalid_client_id: client identifier invalid", advice: "deleted, blocked or not installed"},
		{name: "app-too-new", mend: func(o *trouble) {
			o.must(http.MethodPatch, o.path("propagation"), `{"seconds":20}`)
			o.must(http.MethodPost, o.path("apps"), fmt.Sprintf(`{"clientId":%q,"clientSecret":%q,"runAsUsername":%q}`, o.name, clientSecret, o.user()))
		}, why: "invalid_client_id: client identifier invalid", advice: "less than ten minutes ago"},
		{name: "no-scope", spoil: app(`{"scopes":["refresh_token"]}`), mend: app(`{"scopes":null}`),
			why: "invalid_grant: no valid scopes defined", advice: "Give the app the scope"},
		{name: "scope-missing", spoil: app(`{"scopes":["id"]}`), mend: app(`{"scopes":null}`),
			why: "This session is not valid for use with the REST API", advice: "scope 'Manage user data via APIs (api)'"},
		{name: "username-changed", flow: "jwt_bearer",
			spoil: func(o *trouble) {
				o.patchUser(`{"Username":"was-` + o.user() + `"}`)
				o.end()
			},
			mend: func(o *trouble) {
				o.must(http.MethodPatch, o.path("users/was-"+o.user()), fmt.Sprintf(`{"Username":%q}`, o.user()))
			},
			why: "invalid_grant: user hasn't approved this consumer", advice: "connect.username"},
		{name: "not-approved", spoil: app(`{"preAuthorized":[]}`), mend: app(`{"preAuthorized":null}`),
			why: "invalid_app_access: user is not admin approved", advice: "profile or permission set"},
		{name: "login-refused", spoil: func(o *trouble) { deny("login")(o); o.end() }, mend: allow,
			why: "invalid_grant: authentication failure", advice: "Login History"},
		{name: "deactivated", spoil: func(o *trouble) { o.patchUser(`{"IsActive":false}`) }, mend: func(o *trouble) { o.patchUser(`{"IsActive":true}`) },
			why: "invalid_grant: inactive user", advice: "activate it in Setup"},
		{name: "password-expired", spoil: deny("password_expired"), mend: allow,
			why: "INVALID_OPERATION_WITH_EXPIRED_PASSWORD: The users password has expired", advice: "Password Never Expires"},
		{name: "api-disabled", spoil: deny("api_enabled"), mend: allow,
			why: "FUNCTIONALITY_NOT_ENABLED", advice: `"API Enabled"`},
		{name: "demoted", spoil: deny("manage_users"), mend: allow,
			why: "INSUFFICIENT_ACCESS_OR_READONLY: insufficient access rights on object id", advice: `"Manage Users"`},
		{name: "token-revoked", flow: "refresh_token", spoil: func(o *trouble) { o.must(http.MethodDelete, o.path("tokens"), "") }, mend: authenticate,
			why: "invalid_grant: expired access/refresh token", advice: "rollcall connect token-revoked"},
		{name: "sixth-grant", flow: "refresh_token",
			spoil: func(o *trouble) {
				for range 5 {
					o.grant()
				}
			}, mend: authenticate,
			why: "invalid_grant: expired access/refresh token", advice: "sixth login"},
	}
}

// newTroubles starts a rig with an org for each cause, all well.
func newTroubles(t *testing.T) (*rig, []*trouble) {
	t.Helper()
	var all []*trouble
	r := &rig{t: t, dir: t.TempDir(), web: http.DefaultClient, procs: map[string]part{}, template: "testdata/rollcall.yaml"}
	// The emulator runs by the time the configuration is written.
	r.tune = func(conf string) string {
		head, rest, ok := strings.Cut(conf, "  acme:\n")
		_, same, ok2 := strings.Cut(rest, "    assign:\n")
		if !ok || !ok2 {
			t.Fatalf("the configuration is another one: %s", conf)
		}
		for _, c := range causes() {
			o := &trouble{rig: r, cause: c}
			o.make()
			all = append(all, o)
			own := strings.Replace(same, "Username: person.userName", "Username: person.userName + '."+o.name+"'", 1)
			head += o.configure() + "    assign:\n" + own
		}
		return head
	}
	t.Cleanup(r.down)
	launch(r)
	return r, all
}

// configure is the org's part of the configuration file, up to assign.
func (o *trouble) configure() string {
	keys := "clientSecretFile: secret-" + o.name
	switch o.flow {
	case "refresh_token":
		keys += ", flow: refresh_token, refreshTokenFile: refresh-" + o.name
	case "jwt_bearer":
		keys = "flow: jwt_bearer, privateKeyFile: key-" + o.name + ", username: " + o.user()
	}
	return fmt.Sprintf("  %s:\n    connect: {loginURL: %q, clientID: %s, allowLoopbackHTTP: true, %s}\n", o.name, o.sfURL, o.name, keys)
}

// make makes the org in Salesforce, and the files that belong to it.
func (o *trouble) make() {
	o.t.Helper()
	private, public := keyPair(o.t)
	client := fmt.Sprintf(`{"clientId":%q,"clientSecret":%q,"runAsUsername":%q,"certificatePem":%q}`, o.name, clientSecret, o.user(), public)
	if o.spoil == nil {
		client = `{"clientId":"another-app"}`
	}
	made := decode[struct{ ID string }](o.t, o.must(http.MethodPost, "/_emulator/orgs", fmt.Sprintf(
		`{"name":%q,"clients":[%s],"users":[{"Username":%q,"Profile":"System Administrator","LastName":"Integration"}]}`, o.name, client, o.user())))
	o.id = made.ID
	o.write(filepath.Join(o.dir, "secret-"+o.name), clientSecret)
	o.write(filepath.Join(o.dir, "key-"+o.name), private)
	if o.flow == "refresh_token" {
		authenticate(o)
	}
}

func keyPair(t testing.TB) (private, public string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub}))
}

// staff are the people of the causes, the last ones of whom leave.
const (
	staff   = 12
	leavers = 3
)

// staffExport is the HR export of the staff; the leavers may have left.
func staffExport(t testing.TB, dir, title string, left bool) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("Number,Given,Family,User,Title,Department,Active\n")
	for i := range staff {
		active := "yes"
		if left && i >= staff-leavers {
			active = "no"
		}
		fmt.Fprintf(&b, "e%02d,Given%d,Family%d,e%02d@rollcall.example,%s,Department,%s\n", i, i, i, i, title, active)
	}
	path := filepath.Join(dir, title+".csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// member is a user with the id by which the journal names them.
type member struct {
	user
	ID string `json:"id"`
}

// people are the org's users by username, but for the integration user.
func (o *trouble) people() map[string]member {
	o.t.Helper()
	out := map[string]member{}
	st := decode[struct{ Users []member }](o.t, o.must(http.MethodGet, "/_emulator/state?org="+o.id, ""))
	for _, u := range st.Users {
		if u.FederationIdentifier != "" {
			out[u.FederationIdentifier] = u
		}
	}
	return out
}

// TestCausesOfLostCredentials has each cause strike an org of its own while
// people change and leave. Each org is held and says why; nobody is parked and
// no attempt is counted; and when the cause is mended the leavers go first.
func TestCausesOfLostCredentials(t *testing.T) {
	parallel(t)
	r, orgs := newTroubles(t)
	r.publish(staffExport(t, r.dir, "first", false))
	for _, o := range orgs {
		if o.spoil == nil {
			continue // it never had an app
		}
		eventually(t, quietWithin, o.name+" has its users", func(context.Context) error { return o.complete("first", staff) })
		o.spoil(o)
	}
	marks := map[string]int{}
	for _, o := range orgs {
		marks[o.name] = o.journalEnd()
	}
	r.publish(staffExport(t, r.dir, "second", true))
	r.wantHeld(orgs)
	for _, o := range orgs {
		o.mend(o)
	}
	for _, o := range orgs {
		eventually(t, 4*time.Minute, o.name+" has drained", func(context.Context) error { return o.complete("second", staff-leavers) })
		o.wantLeaversFirst(marks[o.name])
	}
	r.awaitQuiet(quietWithin)
	st, err := r.status(t.Context())
	if err != nil || len(st.Parked) != 0 {
		t.Errorf("parked %v, error %v", st.Parked, err)
	}
	for _, o := range st.Orgs {
		if o.Held {
			t.Errorf("still held: %+v", o)
		}
	}
	r.wantNoAttempts()
}

// complete wants everybody with this title, and so many of them active.
func (o *trouble) complete(title string, active int) error {
	people := o.people()
	n := 0
	for id, u := range people {
		if u.IsActive {
			n++
		}
		if u.IsActive && u.Fields["Title"] != title {
			return fmt.Errorf("%s has title %v", id, u.Fields["Title"])
		}
	}
	if n != active {
		return fmt.Errorf("%d of %d users are active, want %d", n, len(people), active)
	}
	return nil
}

// wantHeld waits until every org is held, and wants the admin to be told why
// and what to do.
func (r *rig) wantHeld(orgs []*trouble) {
	r.t.Helper()
	var not []string
	defer func() {
		if r.t.Failed() {
			r.t.Logf("not as wanted:\n%s", strings.Join(not, "\n"))
		}
	}()
	eventually(r.t, quietWithin, "every org is held", func(ctx context.Context) error {
		st, err := r.status(ctx)
		if err != nil {
			return err
		}
		not = nil
		if len(st.Parked) > 0 {
			not = append(not, fmt.Sprintf("parked %v", st.Parked))
		}
		for _, o := range orgs {
			if f := o.toldAs(st); f != "" {
				not = append(not, f)
			}
		}
		if len(not) > 0 {
			return fmt.Errorf("%d orgs are not", len(not))
		}
		return nil
	})
	page := string(r.run("status"))
	for _, o := range orgs {
		_, about, ok := strings.Cut(page, "Org "+o.name+" is held: credentials: ")
		if about, _, _ = strings.Cut(about, "\n\n"); !ok || !strings.Contains(about, o.why) || !strings.Contains(about, o.advice) {
			r.t.Errorf("%s: the page says %q", o.name, about)
		}
	}
}

// toldAs says in which way `rollcall status` does not tell of the org's trouble.
func (o *trouble) toldAs(st status) string {
	for _, got := range st.Orgs {
		if got.Name != o.name {
			continue
		}
		if !got.Held || got.Cause != "credentials" || !strings.Contains(got.Why, o.why) || !strings.Contains(got.Advice, o.advice) {
			return fmt.Sprintf("%s is %+v, want %q and %q", o.name, got, o.why, o.advice)
		}
		return ""
	}
	return "there is no org " + o.name
}

type journalEntry struct {
	Seq     int      `json:"seq"`
	Touched []string `json:"touched"`
}

func (o *trouble) journal(since int) []journalEntry {
	o.t.Helper()
	return decode[[]journalEntry](o.t, o.must(http.MethodGet, fmt.Sprintf("/_emulator/journal?org=%s&since=%d&mutating=true", o.id, since), ""))
}

func (o *trouble) journalEnd() int {
	o.t.Helper()
	last := 0
	for _, e := range o.journal(0) {
		last = e.Seq
	}
	return last
}

// wantLeaversFirst wants nobody who stays to be changed before all leavers are.
func (o *trouble) wantLeaversFirst(since int) {
	o.t.Helper()
	left := map[string]bool{}
	for id, u := range o.people() {
		if !u.IsActive {
			left[u.ID] = true
			if id < fmt.Sprintf("e%02d", staff-leavers) {
				o.t.Errorf("%s: %s has left", o.name, id)
			}
		}
	}
	if o.spoil != nil && len(left) != leavers {
		o.t.Errorf("%s: %d people have left, want %d", o.name, len(left), leavers)
	}
	for _, e := range o.journal(since) {
		for _, id := range e.Touched {
			if left[id] {
				delete(left, id)
			} else if len(left) > 0 {
				o.t.Errorf("%s: %s was changed before %d leavers", o.name, id, len(left))
			}
		}
	}
}

// wantNoAttempts wants nobody's attempt counted in any org.
func (r *rig) wantNoAttempts() {
	r.t.Helper()
	for i := range staff {
		out := r.run("person", "show", fmt.Sprintf("e%02d@rollcall.example.demoted", i), "-o", "json")
		view := decode[struct {
			Orgs []struct {
				Org     string `json:"org"`
				Outcome struct {
					Result   string `json:"result"`
					Attempt  int    `json:"attempt"`
					Failures int    `json:"failures"`
				} `json:"outcome"`
			} `json:"orgs"`
		}](r.t, out)
		if len(view.Orgs) != len(causes()) {
			r.t.Errorf("e%02d is known in %d orgs", i, len(view.Orgs))
		}
		for _, o := range view.Orgs {
			if o.Outcome.Result != "applied" || o.Outcome.Attempt != 0 || o.Outcome.Failures != 0 {
				r.t.Errorf("e%02d in %s: %+v", i, o.Org, o.Outcome)
			}
		}
	}
}
