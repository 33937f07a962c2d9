package emulator_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// at sends a call with a token to an address and follows nothing.
func (r *rig) at(address, token string) (answer, error) {
	r.t.Helper()
	was, token := *r, token
	was.token, was.web = token, &httptest.Server{URL: address}
	return was.try("GET", version+"/query?q=SELECT+Id+FROM+Profile", "")
}

// An org that moved: its old host has no JSON any more, whatever it says
// instead; the token endpoint goes on there and names the new address, which
// takes new sessions only.
func TestAnOrgMovesHost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		move     string
		status   int // 0: no answer
		location bool
	}{
		"page":          {`"old":"page"`, 200, false},
		"page 301":      {`"old":"page","status":301`, 301, false},
		"page 404":      {`"old":"page","status":404`, 404, false},
		"redirect":      {`"old":"redirect"`, 301, true},
		"redirect 302":  {`"old":"redirect","status":302`, 302, true},
		"closed":        {`"old":"closed"`, 0, false},
		"silent, a day": {`"old":"silent"`, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var held atomic.Int64
			r := newRig(t, nil, emulator.WithSleep(func(_ *http.Request, d time.Duration) { held.Store(int64(d)) }))
			there := httptest.NewServer(r.server)
			t.Cleanup(there.Close)
			old := r.token
			r.do("POST", "/_emulator/orgs/-/move", `{"to":"`+there.URL+`/",`+c.move+`}`).is(t, 200)
			calls := r.org.Counters().APICalls
			a, err := r.at(r.web.URL, old)
			if (err != nil) != (c.status == 0) {
				t.Fatalf("answer %v, %v", a, err)
			}
			if c.status != 0 && (a.status != c.status || !strings.HasPrefix(a.body, "<!DOCTYPE html>") || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html")) {
				t.Fatalf("answer %v", a)
			}
			if want := there.URL + version + "/query?q=SELECT+Id+FROM+Profile"; c.location != (a.header.Get("Location") == want) {
				t.Fatalf("location %q", a.header.Get("Location"))
			}
			if e := r.org.Journal(emulator.JournalFilter{Operation: "query"}); len(e) != 1 || e[0].FaultID != "moved" || e[0].Status != c.status || e[0].Dropped != (c.status == 0) {
				t.Fatalf("journal %+v", e)
			}
			if n := r.org.Counters().APICalls; n != calls {
				t.Fatalf("%d API calls where the org is no more", n-calls)
			}
			if strings.HasPrefix(name, "silent") && held.Load() != int64(10*time.Minute) {
				t.Fatalf("held for %v", time.Duration(held.Load()))
			}
			got := r.signIn().object(t)
			if got["instance_url"] != there.URL {
				t.Fatalf("instance_url %v", got["instance_url"])
			}
			fresh := got["access_token"].(string)
			if a, err := r.at(there.URL, old); err != nil || a.status != 401 {
				t.Fatalf("an old session at the new address: %v, %v", a, err)
			}
			if a, err := r.at(there.URL, fresh); err != nil || a.status != 200 {
				t.Fatalf("a new session at the new address: %v, %v", a, err)
			}
			if a, err := r.at(r.web.URL, fresh); err == nil && a.status == 200 && strings.HasPrefix(a.body, "{") {
				t.Fatalf("a new session at the old address: %v", a)
			}
		})
	}
}

// A caller of a silent host is held until it gives up.
func TestTheOldHostSaysNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	if err := r.org.Move(emulator.Move{To: "http://elsewhere.example", Old: emulator.LeftSilent}); err != nil {
		t.Fatal(err)
	}
	ctx, giveUp := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer giveUp()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.web.URL+version+"/limits", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err == nil {
		_ = res.Body.Close()
	}
	if ctx.Err() == nil {
		t.Fatalf("it ended by itself: %v %v", res, err)
	}
}

// Where there is one address only, an org moves to a path prefix and back; other
// orgs stay where they are.
func TestAnOrgMovesWithinAnAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	cfg := emulator.DefaultOrg("other", clientSecret)
	cfg.Users = []map[string]any{{"Username": "other@rollcall.example", "Profile": emulator.AdminProfile}}
	cfg.Clients[0].RunAsUsername = "other@rollcall.example"
	other := r.server.AddOrg(cfg)
	theirs, err := other.AccessToken("other@rollcall.example")
	if err != nil {
		t.Fatal(err)
	}
	move := "/_emulator/orgs/" + r.org.ID() + "/move"
	r.do("POST", move, `{"old":"page"}`).is(t, 200)
	got := r.signIn().object(t)
	prefix := r.web.URL + "/orgs/" + r.org.ID()
	if got["instance_url"] != prefix {
		t.Fatalf("instance_url %v", got["instance_url"])
	}
	want := func(address, token, kind string) {
		t.Helper()
		a, err := r.at(address, token)
		if err != nil || !strings.HasPrefix(a.header.Get("Content-Type"), kind) || kind != "text/html" && a.status != 200 {
			t.Fatalf("%s: %v, %v", address, a, err)
		}
	}
	const page, data = "text/html", "application/json"
	want(r.web.URL, got["access_token"].(string), page)
	want(prefix, got["access_token"].(string), data)
	want(r.web.URL, theirs, data)
	r.do("POST", move, `{"old":"page"}`).is(t, 400) // it is there already
	r.do("POST", move, `{"to":"`+r.web.URL+`","old":"closed"}`).is(t, 200)
	fresh := r.signIn().object(t)["access_token"].(string)
	want(r.web.URL, fresh, data)
	if a, err := r.at(prefix, fresh); err == nil {
		t.Fatalf("the prefix answers %v", a)
	}
	for _, wrong := range []string{`{"to":"elsewhere","old":"page"}`, `{"to":"http://x.example","old":"nothing"}`, `{"to":"http://x.example","old":"closed","status":200}`,
		`{"to":"http://x.example"}`, `{"to":"http://x.example","old":"page","status":1}`, `{"old":"page","away":true}`} {
		r.do("POST", move, wrong).is(t, 400)
	}
	r.do("GET", move, "").is(t, 400)
	if list := r.org.Journal(emulator.JournalFilter{Operation: "hand.move"}); len(list) != 2 || list[0].Touched[1] != prefix || list[1].Touched[1] != r.web.URL {
		t.Fatalf("journal %+v", list)
	}
}

// The login host is another than both, and goes on saying that it only signs in;
// every address that the org had is left; a restart changes nothing.
func TestAnOrgMovesTwiceBehindALoginHost(t *testing.T) {
	t.Parallel()
	var hosts [3]*httptest.Server
	r := newRig(t, nil)
	for i := range hosts {
		hosts[i] = httptest.NewServer(r.server)
		t.Cleanup(hosts[i].Close)
	}
	login := strings.TrimPrefix(r.web.URL, "http://")
	server := emulator.New(emulator.WithLoginHosts(login), emulator.WithClock(func() time.Time { return r.now }))
	cfg := emulator.DefaultOrg(clientID, clientSecret)
	cfg.InstanceURL = hosts[0].URL
	r.org = server.AddOrg(cfg)
	for i := range 2 {
		if err := r.org.Move(emulator.Move{To: hosts[i+1].URL, Old: emulator.LeftPage, Status: 404}); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if err := server.Save(&file); err != nil {
		t.Fatal(err)
	}
	again := emulator.New(emulator.WithLoginHosts(login), emulator.WithClock(func() time.Time { return r.now }))
	if err := again.Load(&file); err != nil {
		t.Fatal(err)
	}
	anywhere := emulator.New(emulator.WithLoginHosts(login), emulator.WithClock(func() time.Time { return r.now }))
	cfg.InstanceURL = "" // the address the request came to
	if err := anywhere.AddOrg(cfg).Move(emulator.Move{To: hosts[2].URL, Old: emulator.LeftPage, Status: 404}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*emulator.Server{server, again, anywhere} {
		for _, h := range append(hosts[:], r.web) {
			h.Config.Handler = s
		}
		token, err := s.Orgs()[0].AccessToken(emulator.IntegrationUsername)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{404, 404, 200} {
			if a, err := r.at(hosts[i].URL, token); err != nil || a.status != want {
				t.Errorf("host %d: %v, %v", i, a, err)
			}
		}
		if a, err := r.at(r.web.URL, token); err != nil || a.status != 400 || !strings.Contains(a.body, "URL_NOT_RESET") {
			t.Errorf("login host: %v, %v", a, err)
		}
		if a, err := r.at(hosts[0].URL, "nonsense"); s != anywhere && (err != nil || a.status != 404) {
			t.Errorf("without a session: %v, %v", a, err)
		}
	}
}
