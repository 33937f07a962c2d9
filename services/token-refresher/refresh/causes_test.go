package refresh

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// cause is one way in which credentials stop working, as an org's admin makes it.
type cause struct {
	flow    func(*rig) // nil for client credentials
	spoil   func(*rig)
	code    string
	message string
	advice  string
	// mend is what the admin does then; the org connects by itself.
	mend func(*rig)
}

func refreshing(r *rig) { r.rotating() }
func signed(r *rig)     { r.signing() }

func (r *rig) deny(what emulator.Denial) {
	r.Helper()
	if err := r.org.Deny(emulator.IntegrationUsername, what); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) allow() {
	r.Helper()
	if err := r.org.Allow(emulator.IntegrationUsername); err != nil {
		r.Fatal(err)
	}
}

// authenticate is an admin's new login.
func (r *rig) authenticate() {
	r.Helper()
	token, err := r.org.Grant(clientID, emulator.IntegrationUsername)
	if err != nil {
		r.Fatal(err)
	}
	r.write(r.refresh, token)
}

func appIs(change func(*emulator.ConnectedApp)) func(*rig) {
	return func(r *rig) { r.app(change) }
}

// causes are those of issue "credentials that heal", each as an org shows it.
func causes() map[string]cause {
	return map[string]cause{
		"secret rotated": {
			spoil: appIs(func(a *emulator.ConnectedApp) { a.ClientSecret = "canary-next-secret-20ac" }),
			code:  "invalid_client", message: "invalid client credentials", advice: "take the app's current secret",
			mend: func(r *rig) { r.write(r.secret, "canary-next-secret-20ac") },
		},
		"app blocked or uninstalled": {
			spoil: appIs(func(a *emulator.ConnectedApp) { a.Disabled = true }),
			code:  "invalid_client_id", message: "client identifier invalid", advice: "deleted, blocked or not installed",
			mend: appIs(func(a *emulator.ConnectedApp) { a.Disabled = false }),
		},
		"app not yet propagated": {
			spoil: func(r *rig) {
				r.org.SetPropagationDelay(time.Hour)
				if err := r.org.AddApp(emulator.ConnectedApp{ClientID: "new", ClientSecret: secret, RunAsUsername: emulator.IntegrationUsername}); err != nil {
					r.Fatal(err)
				}
				c := r.cfg.Orgs[emea]
				c.ClientID = "new"
				r.cfg.Orgs[emea] = c
			},
			code: "invalid_client_id", message: "client identifier invalid", advice: "less than ten minutes ago",
		},
		"scopes missing": {
			spoil: appIs(func(a *emulator.ConnectedApp) { a.Scopes = []string{"refresh_token"} }),
			code:  "invalid_grant", message: "no valid scopes defined", advice: "Give the app the scope",
			mend: appIs(func(a *emulator.ConnectedApp) { a.Scopes = nil }),
		},
		"Run-As user changed": {
			spoil: appIs(func(a *emulator.ConnectedApp) { a.RunAsUsername = "gone@example.com" }),
			code:  "invalid_grant", message: "no client credentials user enabled", advice: "Set a Run-As user",
			mend: appIs(func(a *emulator.ConnectedApp) { a.RunAsUsername = emulator.IntegrationUsername }),
		},
		"username changed": {
			flow: signed,
			spoil: func(r *rig) {
				c := r.cfg.Orgs[emea]
				c.Username = "was@example.com"
				r.cfg.Orgs[emea] = c
			},
			code: "invalid_grant", message: "user hasn't approved this consumer", advice: "Pre-authorise the integration user",
		},
		"integration user demoted": {
			spoil: appIs(func(a *emulator.ConnectedApp) { a.PreAuthorized = []string{} }),
			code:  "invalid_app_access", message: "user is not admin approved to access this app", advice: "profile or permission set",
			mend: appIs(func(a *emulator.ConnectedApp) { a.PreAuthorized = nil }),
		},
		"password, login hours or IP range": {
			spoil: func(r *rig) { r.deny(emulator.DenyLogin) },
			code:  "invalid_grant", message: "authentication failure", advice: "Login History",
			mend: (*rig).allow,
		},
		"integration user deactivated": {
			spoil: func(r *rig) {
				if err := r.org.DisableUser(emulator.IntegrationUsername); err != nil {
					r.Fatal(err)
				}
			},
			code: "invalid_grant", message: "inactive user", advice: "activate it in Setup",
			mend: func(r *rig) {
				if err := r.org.UpdateUser(emulator.IntegrationUsername, map[string]any{"IsActive": true}); err != nil {
					r.Fatal(err)
				}
			},
		},
		"refresh token revoked": {
			flow: refreshing, spoil: func(r *rig) { r.org.RevokeTokens() },
			code: "invalid_grant", message: "expired access/refresh token", advice: "rollcall connect emea",
			mend: (*rig).authenticate,
		},
		"pushed out by the sixth grant": {
			flow: refreshing,
			spoil: func(r *rig) {
				for range 5 {
					if _, err := r.org.Grant(clientID, emulator.IntegrationUsername); err != nil {
						r.Fatal(err)
					}
				}
			},
			code: "invalid_grant", message: "expired access/refresh token", advice: "pushed out by a sixth login",
			mend: (*rig).authenticate,
		},
	}
}

func TestEachCauseIsNamedAndHealsWhenItIsMended(t *testing.T) {
	t.Parallel()
	for name, c := range causes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			if c.flow != nil {
				c.flow(r)
			}
			c.spoil(r)
			var ahead atomic.Int64
			s := r.service()
			s.now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
			stop := r.run(s)
			rec := r.await("held", inState(events.TokenHeld))
			if rec.Failure.Cause != events.CauseCredentials || rec.Failure.Code != c.code || rec.Failure.Message != c.message {
				t.Errorf("failure %+v", rec.Failure)
			}
			if !strings.Contains(rec.Advice, c.advice) || rec.Since.IsZero() {
				t.Errorf("since %s: %s", rec.Since, rec.Advice)
			}
			if c.mend != nil {
				c.mend(r)
				ahead.Store(int64(20 * time.Minute))
				r.await("connected", connected(1))
				r.tight()
			}
			stop() // the line is written after the record
			if n := strings.Count(r.log.LogText(), "org cannot sign in"); n != 1 {
				t.Errorf("%d log lines for one change", n)
			}
		})
	}
}

// Canaries are searched wherever something is kept or shown: after a refusal,
// a rotation and a lost answer.
func TestNoSecretStandsAnywhere(t *testing.T) {
	t.Parallel()
	r := newRig(t).rotating()
	first, err := os.ReadFile(r.refresh)
	if err != nil {
		t.Fatal(err)
	}
	stop := r.run(r.service())
	rec := r.await("the first token", connected(1))
	second, err := r.sealer.OpenRefresh(emea, rec.SealedRefresh)
	if err != nil {
		t.Fatal(err)
	}
	access, err := r.sealer.Open(emea, rec.Sealed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.sf.Plan(emulator.Fault{
		Operation: "token", Effect: emulator.EffectTokenError, Times: 1,
		Code: "invalid_grant", Message: "expired " + second + " of " + secret,
	}); err != nil {
		t.Fatal(err)
	}
	r.complain(1)
	r.await("held", inState(events.TokenHeld))
	stop()
	places := map[string]string{"the log": r.log.LogText(), "the metrics": metricsText(r), "the disk": diskText(t, r.nats.Dir())}
	for _, s := range r.log.Spans() {
		places["the spans"] += s.Name() + s.Status().Description
		for _, a := range s.Attributes() {
			places["the spans"] += string(a.Key) + a.Value.String()
		}
		for _, e := range s.Events() {
			for _, a := range e.Attributes {
				places["the spans"] += a.Value.String()
			}
		}
	}
	for place, text := range places {
		if text == "" {
			t.Errorf("%s: nothing was looked at", place)
		}
		for _, canary := range []string{secret, string(first), second, access.AccessToken} {
			if strings.Contains(text, canary) {
				t.Errorf("%s holds %s", place, canary)
			}
		}
	}
}

// metricsText is what /metrics shows.
func metricsText(r *rig) string {
	r.Helper()
	w := httptest.NewRecorder()
	r.log.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

// diskText is every byte that NATS keeps.
func diskText(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // a file may go while it is looked for
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil //nolint:nilerr // likewise
		}
		all.Write(data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(all.String(), "sealedRefresh") {
		t.Fatal("the record is not on the disk that was looked at")
	}
	return all.String()
}
