package refresh

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// reconfigure makes the login anew after a change of the configuration.
func (r *loginRig) reconfigure(change func(*Config)) {
	r.Helper()
	change(&r.cfg)
	login, err := newLogin(r.cfg.withDefaults(), r.bus.Bucket(events.BucketTokens), r.sealer, r.log.Telemetry, r.web+config.CallbackPath, nil)
	if err != nil {
		r.Fatal(err)
	}
	r.login = login
}

func (r *loginRig) wantNothingStored(org string) {
	r.Helper()
	if e, err := r.bus.Bucket(events.BucketTokens).Get(r.Context(), org); err == nil {
		r.Errorf("a token of %s was stored: %s", org, e.Data)
	}
}

// The org is pinned in the configuration, and the admin signs in to another.
func TestALoginToAnotherOrgThanThePinnedOneIsRefused(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	r.reconfigure(func(c *Config) {
		pinned := c.Orgs[emea]
		pinned.OrgID = "00D000000000002"
		c.Orgs[emea] = pinned
	})
	browser := r.browser()
	r.wantRefused(browser, r.consent(browser, "allow"), "sign in to the right org", 1)
	r.wantNothingStored(emea)
}

// A login of one org is no login of another, whatever state and cookie are
// renamed to.
func TestALoginOfOneOrgIsNoneOfAnother(t *testing.T) {
	t.Parallel()
	const apac = "apac"
	r := newLoginRig(t)
	r.reconfigure(func(c *Config) { c.Orgs[apac] = c.Orgs[emea] })
	browser := r.browser()
	callback := r.consent(browser, "allow")
	u, err := url.Parse(callback)
	if err != nil {
		t.Fatal(err)
	}
	cookies := browser.Jar.Cookies(u)
	if len(cookies) != 1 {
		t.Fatalf("cookies %v", cookies)
	}
	moved := r.browser()
	renamed := *cookies[0]
	renamed.Name = cookiePrefix + apac
	moved.Jar.SetCookies(u, []*http.Cookie{&renamed})
	state := u.Query().Get("state")
	r.wantRefused(moved, with(callback, "state", apac+strings.TrimPrefix(state, emea)), "its state is another one", 0)
	r.wantRefused(moved, with(callback, "state", state), "another browser session", 0)
	r.wantNothingStored(apac)
	if status, body, _ := r.get(browser, callback); status != http.StatusOK {
		t.Errorf("the right login answers %d: %s", status, body)
	}
	r.wantNothingStored(apac)
}

// Where the browser is sent depends on the configuration alone.
func TestAForgedHostChangesNothing(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.start(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example"
	req.Header.Set("X-Forwarded-Host", "evil.example")
	req.Header.Set("Referer", "https://evil.example/")
	resp, err := r.browser().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	target, err := resp.Location()
	if err != nil || strings.Contains(target.String(), "evil") || target.Query().Get("redirect_uri") != r.web+config.CallbackPath {
		t.Errorf("sent to %v, %v", target, err)
	}
}

// What stands in the callback's address is not to be trusted with the page.
func TestTheCallbackPageQuotesNothingRaw(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	const script = "<script>alert(1)</script>"
	for _, key := range []string{"error", "error_description", "code", "state"} {
		browser := r.browser()
		callback := r.consent(browser, "deny")
		_, body, h := r.get(browser, with(callback, key, script))
		if strings.Contains(body, "<script") || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %s", key, body)
		}
	}
}

// Any page can send a browser to the callback. Who waits for a login waits on.
func TestAForgedCallbackEndsNobodysLogin(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	ended := make(chan error, 10)
	r.login.finished = func(_ Connected, err error) { ended <- err }
	browser := r.browser()
	callback := r.consent(browser, "allow")
	r.wantRefused(r.browser(), with(callback, "state", "nowhere.x"), "was not begun here", 0)
	r.wantRefused(r.browser(), callback, "another browser session", 0)
	r.wantRefused(browser, with(callback, "state", emea+".guessed"), "its state is another one", 0)
	if len(ended) != 0 {
		t.Fatalf("a forged callback ended the login: %v", <-ended)
	}
	if status, body, _ := r.get(browser, callback); status != http.StatusOK {
		t.Errorf("the login itself answers %d: %s", status, body)
	}
	if len(ended) != 1 || <-ended != nil {
		t.Error("whoever waited was not told")
	}
}

// away is NATS that cannot be reached.
type away struct{ bucket }

func (away) Get(context.Context, string) (bus.Entry, error) {
	return bus.Entry{}, errors.New("nats: timeout")
}

// The page tells a browser nothing of our insides, and sends an admin to the
// log: there it has to stand.
func TestTheLogSaysWhyALoginCouldNotBeFinished(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	browser := r.browser()
	callback := r.consent(browser, "allow")
	r.login.bucket = away{r.login.bucket}
	r.wantRefused(browser, callback, "could not finish the login", 0)
	if text := r.log.LogText(); !strings.Contains(text, "nats: timeout") {
		t.Errorf("the log does not say why: %s", text)
	}
}
