package cli_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/rollcall/cli"
)

func TestConnectStoresWhatTheAdminGave(t *testing.T) {
	t.Parallel()
	nats := bustest.Start(t, bus.Topology{Orgs: []string{"acme"}})
	_, port, err := net.SplitHostPort(freePort(t))
	if err != nil {
		t.Fatal(err)
	}
	callback := "http://127.0.0.1:" + port + "/oauth/callback"
	cfg := emulator.DefaultOrg("consumer", "canary-secret-71f0")
	cfg.Clients[0].RedirectURIs = []string{callback}
	sf := emulator.New()
	org := sf.AddOrg(cfg)
	web := httptest.NewServer(sf)
	t.Cleanup(web.Close)
	secret := write(t, "secret", "canary-secret-71f0")
	keys := filepath.Join(t.TempDir(), "tokens.json")
	if r := run(t, "keys", "tokens", keys); r.code != 0 {
		t.Fatal(r.err)
	}
	deployment := filepath.Join(t.TempDir(), "deployment.key")
	if r := run(t, "keys", "deployment", deployment); r.code != 0 {
		t.Fatal(r.err)
	}
	file := write(t, "rollcall.yaml", fmt.Sprintf(`
nats: {url: %q}
deployment: {keyFile: %q}
tokens: {keyFile: %q}
callback: {loopbackURL: %q, listen: "127.0.0.1:0", url: "https://rollcall.example.com/oauth/callback"}
orgs:
  acme: {connect: {loginURL: %q, allowLoopbackHTTP: true, flow: refresh_token, clientID: consumer, clientSecretFile: %q}, push: {protect: [admin@example.com]}}
  plain: {connect: {loginURL: %q, allowLoopbackHTTP: true, clientID: consumer, clientSecretFile: %q}}
`, nats.URL(), deployment, keys, callback, web.URL, secret, web.URL, secret))
	if r := run(t, "connect", "plain", "--config", file); r.code == 0 || !strings.Contains(r.err, "needs nobody") {
		t.Errorf("%d: %s", r.code, r.err)
	}

	if r := run(t, "connect", "acme", "--config", file, "--link"); r.code != 0 ||
		!strings.HasPrefix(linkIn(t, r.out), "https://rollcall.example.com/connect/acme?pass=") || !strings.Contains(r.err, "once") {
		t.Errorf("%d: %s%s", r.code, r.out, r.err)
	}
	seen := make(chan struct{})
	var out watched
	errs := &watched{text: "pass=", seen: seen}
	ended := make(chan int, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() {
		ended <- cli.Execute(ctx, []string{"connect", "acme", "--config", file, "--open=false"}, cli.Streams{Out: &out, Err: errs})
	}()
	select {
	case <-seen:
	case code := <-ended:
		t.Fatalf("ended with %d: %s", code, errs.String())
	case <-time.After(patience):
		t.Fatal("no address")
	}
	allow(t, linkIn(t, errs.String()))
	if code := <-ended; code != 0 || !strings.Contains(out.String(), "acme is connected: org "+org.ID()[:15]) ||
		!strings.Contains(out.String(), "scopes api refresh_token") || !strings.Contains(out.String(), "names is there") {
		t.Fatalf("ended with %d: %s%s", code, out.String(), errs.String())
	}
	e, err := nats.Bus(t).Bucket(events.BucketTokens).Get(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	rec, err := events.Decode[events.TokenRecord](e.Data)
	if err != nil || rec.State != events.TokenConnected || len(rec.SealedRefresh) == 0 {
		t.Fatalf("%+v, %v", rec, err)
	}
	if all := out.String() + errs.String() + string(e.Data); strings.Contains(all, "canary") || strings.Contains(all, "5Aep") {
		t.Errorf("a secret got out: %s", all)
	}
}

// linkIn finds the address at which a login begins.
func linkIn(t *testing.T, text string) string {
	t.Helper()
	link := regexp.MustCompile(`https?://\S+/connect/\S+`).FindString(text)
	if link == "" {
		t.Fatalf("no link in %s", text)
	}
	return link
}

// allow is a browser with an admin who presses Allow.
func allow(t *testing.T, address string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	get := func(do func() (*http.Response, error)) *url.URL {
		resp, err := do()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s answers %s", resp.Request.URL, resp.Status)
		}
		return resp.Request.URL
	}
	consent := get(func() (*http.Response, error) { return browser.Get(address) })
	get(func() (*http.Response, error) {
		return browser.PostForm(consent.String(), url.Values{"decision": {"allow"}, "username": {emulator.IntegrationUsername}})
	})
}
