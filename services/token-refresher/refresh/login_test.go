package refresh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// loginRig is an org that nobody has authenticated yet, and a browser.
type loginRig struct {
	*rig
	web   string
	login *Login
}

func newLoginRig(t *testing.T) *loginRig {
	t.Helper()
	r := &loginRig{rig: newRig(t)}
	c := r.cfg.Orgs[emea]
	c.Flow, c.APIVersion = config.FlowRefreshToken, salesforce.DefaultAPIVersion
	r.cfg.Orgs[emea] = c
	r.cfg.Push = map[string]config.Push{emea: {Protect: []string{"admin@example.com"}}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.login.Handler().ServeHTTP(w, req) }))
	t.Cleanup(server.Close)
	r.web = server.URL
	callback := server.URL + config.CallbackPath
	r.app(func(a *emulator.ConnectedApp) { a.RedirectURIs, a.RequirePKCE = []string{callback}, true })
	login, err := newLogin(r.cfg.withDefaults(), r.nats.As(t, "token-refresher").Bucket(events.BucketTokens), r.sealer, r.log.Telemetry, callback, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.login = login
	return r
}

func (r *loginRig) browser() *http.Client {
	r.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (r *loginRig) get(c *http.Client, address string) (int, string, http.Header) {
	r.Helper()
	resp, err := c.Get(address)
	if err != nil {
		r.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

// start is where one login begins.
func (r *loginRig) start() string {
	r.Helper()
	link, err := r.login.Link(emea)
	if err != nil {
		r.Fatal(err)
	}
	return link
}

// consent goes to Salesforce and presses a button; the callback's address is returned.
func (r *loginRig) consent(c *http.Client, decision string) string {
	r.Helper()
	status, body, h := r.get(c, r.start())
	if status != http.StatusFound {
		r.Fatalf("connect answers %d: %s", status, body)
	}
	resp, err := c.PostForm(h.Get("Location"), url.Values{"decision": {decision}, "username": {emulator.IntegrationUsername}})
	if err != nil {
		r.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.Header.Get("Location")
}

func (r *loginRig) wantRefused(c *http.Client, callback, want string, tokenRequests int64) {
	r.Helper()
	before := r.requests()
	status, body, h := r.get(c, callback)
	if status != http.StatusBadRequest || !strings.Contains(body, want) || h.Get("Location") != "" {
		r.Errorf("answered %d without %q: %s", status, want, body)
	}
	if n := r.requests() - before; n != tokenRequests {
		r.Errorf("%d token requests, want %d", n, tokenRequests)
	}
}

func with(callback, key, value string) string {
	u, _ := url.Parse(callback)
	q := u.Query()
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return u.String()
}

func TestAnAdminAuthenticatesInTheBrowser(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	r.run(r.service())
	rec := r.await("held", inState(events.TokenHeld))
	if rec.Failure.Code != CodeNotConnected || !strings.Contains(rec.Advice, "rollcall connect emea") {
		t.Fatalf("held as %+v: %s", rec.Failure, rec.Advice)
	}
	browser := r.browser()
	callback := r.consent(browser, "allow")
	status, body, h := r.get(browser, callback)
	for _, want := range []string{"emea is connected", r.org.ID()[:15], "api refresh_token", "all that the configuration names is there"} {
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("answered %d without %q: %s", status, want, body)
		}
	}
	if h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", h)
	}
	rec = r.await("connected", connected(1))
	token, err := r.sealer.OpenRefresh(emea, rec.SealedRefresh)
	if err != nil || token == "" {
		t.Fatalf("no refresh token was kept: %v", err)
	}
	r.complain(1)
	r.await("refreshed with what the admin gave", connected(2))
	r.tight()
	if strings.Contains(r.log.LogText(), token) || strings.Contains(body, token) {
		t.Error("the refresh token got out")
	}
}

func TestTheLoginCookieIsBoundAndHidden(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	for _, secure := range []bool{false, true} {
		r.login.secure = secure
		_, _, h := r.get(r.browser(), r.start())
		c, err := http.ParseSetCookie(h.Get("Set-Cookie"))
		if err != nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != secure || c.Path != config.CallbackPath {
			t.Errorf("cookie %+v, %v", c, err)
		}
		target, err := url.Parse(h.Get("Location"))
		if err != nil || target.Query().Get("code_challenge_method") != "S256" || strings.Contains(c.Value, target.Query().Get("state")) {
			t.Errorf("sent to %s", target)
		}
	}
}

func TestForgedLoginsSendNoTokenRequest(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	mine, other := r.browser(), r.browser()
	callback := r.consent(mine, "allow")
	r.wantRefused(mine, with(callback, "state", "nobody.knows"), "its state is unknown", 0)
	r.wantRefused(mine, with(callback, "state", emea+".forged"), "its state is another one", 0)
	r.wantRefused(other, callback, "another browser session", 0)
	r.consent(other, "allow")
	r.wantRefused(other, callback, "its state is another one", 0)
	if status, body, _ := r.get(mine, callback); status != http.StatusOK {
		t.Fatalf("the right login answers %d: %s", status, body)
	}
	r.wantRefused(mine, callback, "another browser session", 0) // the cookie is gone
}

// A cookie that was kept does not make a state good twice, on any replica.
func TestAStateIsUsedOnce(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	browser := r.browser()
	callback := r.consent(browser, "allow")
	u, _ := url.Parse(callback)
	kept := browser.Jar.Cookies(u)
	if status, body, _ := r.get(browser, callback); status != http.StatusOK {
		t.Fatalf("answers %d: %s", status, body)
	}
	browser.Jar.SetCookies(u, kept)
	r.wantRefused(browser, callback, "used already", 0)
}

func TestALoginExpires(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	browser := r.browser()
	callback := r.consent(browser, "allow")
	r.login.now = func() time.Time { return time.Now().Add(loginLife + time.Second) }
	r.wantRefused(browser, callback, "has expired", 0)
}

func TestSalesforceRefusesTheLogin(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	browser := r.browser()
	r.wantRefused(browser, r.consent(browser, "deny"), "press Allow", 0)
	r.wantRefused(browser, with(r.consent(browser, "allow"), "code", "forged"), "Authenticate with Salesforce again", 1)
	callback := r.consent(browser, "allow")
	u, _ := url.Parse(callback)
	// The code of one login with the verifier of another.
	later := r.consent(browser, "allow")
	r.wantRefused(browser, with(later, "code", u.Query().Get("code")), "invalid_request", 1)
	if _, err := r.bus.Bucket(events.BucketTokens).Get(t.Context(), emea); err == nil {
		t.Error("a token was stored")
	}
}

func TestNoOpenRedirect(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	const evil = "https://evil.example/"
	_, _, h := r.get(r.browser(), r.start()+"&redirect_uri="+url.QueryEscape(evil)+"&next="+url.QueryEscape(evil)+"&state=mine")
	if target := h.Get("Location"); strings.Contains(target, "evil") || !strings.HasPrefix(target, r.cfg.Orgs[emea].LoginURL+"/") {
		t.Errorf("sent to %s", target)
	}
	for _, path := range []string{"/connect/", "/connect/nobody", "/connect/%2F%2Fevil.example", "/connect/emea/" + evil} {
		if status, _, h := r.get(r.browser(), r.web+path); status != http.StatusNotFound && strings.Contains(h.Get("Location"), "evil") && !strings.HasPrefix(h.Get("Location"), "/") {
			t.Errorf("%s answers %d to %s", path, status, h.Get("Location"))
		}
	}
	browser := r.browser()
	_, body, h := r.get(browser, with(r.consent(browser, "allow"), "redirect_uri", evil))
	if h.Get("Location") != "" || strings.Contains(body, "evil") {
		t.Errorf("the callback leads to %s: %s", h.Get("Location"), body)
	}
}

func TestAnotherOrgsIdentityIsRefused(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	sealed, err := r.sealer.Seal(emea, events.Token{AccessToken: "a", OrgID: "00D000000000001"})
	if err != nil {
		t.Fatal(err)
	}
	data, err := events.Encode(events.TokenRecord{Org: emea, State: events.TokenHeld, Generation: 3, Sealed: sealed, Since: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	bucket := r.bus.Bucket(events.BucketTokens)
	if _, err := bucket.Set(t.Context(), emea, data, 0); err != nil {
		t.Fatal(err)
	}
	browser := r.browser()
	r.wantRefused(browser, r.consent(browser, "allow"), "was connected to org 00D000000000001 until now", 1)
	c := r.login.orgs[emea]
	pinned := c.connect
	pinned.OrgID = "00D000000000002"
	oc, err := oauthConfig(r.cfg.withDefaults(), pinned, r.log.Telemetry)
	if err != nil || oc.ExpectedOrgID != pinned.OrgID {
		t.Fatal("the configured org is not expected")
	}
	e, err := bucket.Get(t.Context(), emea)
	if rec, derr := events.Decode[events.TokenRecord](e.Data); err != nil || derr != nil || rec.Generation != 3 {
		t.Errorf("the record is %+v, %v, %v", rec, err, derr)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	t.Parallel()
	if got := missing([]string{"id"}); len(got) != 2 || !strings.Contains(got[0], "api") || !strings.Contains(got[1], "refresh_token") {
		t.Errorf("missing %q", got)
	}
	if got := missing([]string{"api", "offline_access"}); len(got) != 0 {
		t.Errorf("missing %q", got)
	}
}

// TestWhatIsStillWrongIsShownAfterALogin: who has just signed in reads there
// what else is to be done, without running anything.
func TestWhatIsStillWrongIsShownAfterALogin(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	r.login.orgs[emea].assign = config.Assign{Rules: []config.Rule{{Profile: "Standard Usr"}}}
	if err := r.org.Deny(emulator.IntegrationUsername, emulator.DenyManageUsers); err != nil {
		t.Fatal(err)
	}
	browser := r.browser()
	_, body, _ := r.get(browser, r.consent(browser, "allow"))
	for _, want := range []string{"emea is connected", "Still wrong", "lacks Manage Users", "Standard User", "rollcall doctor emea"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in %s", want, body)
		}
	}
	if strings.Contains(body, "is there.") {
		t.Errorf("it says as well that all is well: %s", body)
	}
}

// TestServiceServesTheLogin signs an org in at the page that the running service
// serves, and sees it closed when the service ends.
func TestServiceServesTheLogin(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	end := r.served()
	r.await("held", inState(events.TokenHeld)) // nobody has signed in yet
	if status, body, h := r.get(r.browser(), r.web+"/connect/"+emea); status != http.StatusForbidden ||
		!strings.Contains(body, "needs a link") || h.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("without a link the page answers %d: %s", status, body)
	}
	browser := r.browser()
	if status, body, _ := r.get(browser, r.consent(browser, "allow")); status != http.StatusOK || !strings.Contains(body, "emea is connected") {
		t.Errorf("a login ends with %d: %s", status, body)
	}
	r.await("connected", connected(1))
	end()
	if resp, err := r.browser().Get(r.web); err == nil {
		_ = resp.Body.Close()
		t.Errorf("the page is still served after the service's end: %s", resp.Status)
	}
}

// served runs the service, with the login at an address of its own, in place of
// the rig's server, and returns once that is reached.
func (r *loginRig) served() (end func()) {
	r.Helper()
	for {
		address := unused(r.TB)
		r.web = "http://" + address
		r.cfg.Callback = config.Callback{Listen: address, URL: r.web + config.CallbackPath}
		r.reconfigure(func(*Config) {}) // for its links, which lead there now
		r.app(func(a *emulator.ConnectedApp) { a.RedirectURIs = []string{r.cfg.Callback.URL} })
		ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
		over := make(chan error, 1)
		s := r.service()
		go func() { over <- s.Run(ctx) }()
		if err := reach(address, over); err != nil {
			cancel()
			if errors.Is(err, syscall.EADDRINUSE) {
				continue // somebody was faster than we
			}
			r.Fatal(err)
		}
		end = sync.OnceFunc(func() {
			cancel()
			if err := <-over; err != nil {
				r.Errorf("run: %v", err)
			}
		})
		r.Cleanup(end)
		return end
	}
}

// unused is an address that nobody listens at just now.
func unused(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// reach waits until somebody listens at an address, or the service is over.
func reach(address string, over <-chan error) error {
	patience := time.NewTimer(limit)
	defer patience.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case end := <-over:
			return fmt.Errorf("the service ended: %w", end)
		case <-patience.C:
			return fmt.Errorf("nobody serves the login: %w", err)
		}
	}
}
