//go:build !containers

package integration

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// eavesdropper sits between the services and Salesforce, and collects every
// secret that passes: what is presented, and what is given.
type eavesdropper struct {
	mu      sync.Mutex
	secrets map[string]string // what it is, by the secret
}

func (e *eavesdropper) heard(what, secret string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	const shortest = 12
	if len(secret) >= shortest {
		e.secrets[secret] = what
	}
}

// between starts it in front of a server and returns its address.
func (e *eavesdropper) between(t testing.TB, server string) string {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // the org names itself as it is addressed
			r.Out.Header.Del("Accept-Encoding")
		},
		ModifyResponse: e.answered,
		ErrorLog:       log.New(io.Discard, "", 0), // a lost answer is planned
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.asked(r)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	return web.URL
}

func (e *eavesdropper) asked(r *http.Request) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		e.heard("access token", token)
	}
	if !strings.HasPrefix(r.URL.Path, "/services/oauth2/") || r.URL.Path == "/services/oauth2/authorize" {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	for _, name := range []string{"client_secret", "refresh_token", "code", "code_verifier", "assertion", "token"} {
		e.heard(name, form.Get(name))
	}
}

func (e *eavesdropper) answered(r *http.Response) error {
	if r.Request.URL.Path != "/services/oauth2/token" {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	got := map[string]any{}
	_ = json.Unmarshal(body, &got) // a torn answer holds what it holds
	for _, name := range []string{"access_token", "refresh_token"} {
		text, _ := got[name].(string)
		e.heard(name, text)
	}
	return nil
}

// canaries is a rig whose secrets are searched for wherever something is kept
// or shown.
type canaries struct {
	*rig
	ear      eavesdropper
	orgs     map[string]*trouble
	callback string
	spans    *collector
	places   map[string]string
}

// collector takes spans as OTLP over HTTP.
type collector struct {
	mu  sync.Mutex
	got bytes.Buffer
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.got.ReadFrom(r.Body) // protobuf leaves texts as they are
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (c *collector) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got.String()
}

func newCanaries(t *testing.T) *canaries {
	t.Helper()
	c := &canaries{ear: eavesdropper{secrets: map[string]string{}}, orgs: map[string]*trouble{}, spans: &collector{}, places: map[string]string{}}
	port := freePort(t)
	c.callback = fmt.Sprintf("http://127.0.0.1:%d", port)
	r := &rig{t: t, dir: t.TempDir(), web: http.DefaultClient, procs: map[string]part{}, template: "testdata/rollcall.yaml"}
	c.rig = r
	r.tune = func(conf string) string {
		through := c.ear.between(t, r.sfURL)
		head, rest, _ := strings.Cut(conf, "  acme:\n")
		_, same, _ := strings.Cut(rest, "    assign:\n")
		head = strings.Replace(head, "level: info", "level: debug", 1)
		head = strings.Replace(head, "orgs:\n", fmt.Sprintf("callback: {listen: \"127.0.0.1:%d\", url: %q}\norgs:\n", port, c.callback+"/oauth/callback"), 1)
		for _, one := range []cause{{name: "plain", spoil: allow}, {name: "signing", flow: "jwt_bearer", spoil: allow}, {name: "browser", flow: "refresh_token", spoil: allow}} {
			o := &trouble{rig: r, cause: one}
			o.make()
			c.orgs[one.name] = o
			keys := strings.Replace(o.configure(), r.sfURL, through, 1)
			if one.name == "browser" {
				keys = strings.Replace(keys, ", refreshTokenFile: refresh-browser", "", 1)
				o.must(http.MethodPatch, o.path("apps/browser"), fmt.Sprintf(`{"redirectUris":[%q],"requirePkce":true,"refreshRotation":true}`, c.callback+"/oauth/callback"))
			}
			head += keys + "    assign:\n" + strings.Replace(same, "Username: person.userName", "Username: person.userName + '."+one.name+"'", 1)
		}
		return head
	}
	t.Cleanup(r.down)
	launch(r)
	c.export()
	return c
}

// export has every service send its spans to the collector.
func (c *canaries) export() {
	c.t.Helper()
	web := httptest.NewServer(c.spans)
	c.t.Cleanup(web.Close)
	for _, name := range services() {
		c.procs[name].stop()
		c.add(name, "env", "OTEL_EXPORTER_OTLP_ENDPOINT="+web.URL, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "OTEL_BSP_SCHEDULE_DELAY=100",
			filepath.Join(c.bin, name), "--config", c.configPath())
	}
}

// browse is an admin's browser; it keeps what it was shown, and says where it
// is sent.
func (c *canaries) browse(browser *http.Client, method, address string, form url.Values) (status int, location string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := browser.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if strings.HasPrefix(address, c.callback) {
		c.places["the pages"] += string(body)
	}
	return resp.StatusCode, resp.Header.Get("Location")
}

// login authenticates the org in the browser, and then tries to do so again
// with the same answer.
func (c *canaries) login() {
	c.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	link := strings.TrimSpace(string(c.run("connect", "browser", "--link", "--config", c.configPath())))
	if status, _ := c.browse(browser, http.MethodGet, c.callback+"/connect/browser", nil); status != http.StatusForbidden {
		c.t.Fatalf("without a link, the page answers %d", status)
	}
	_, consent := c.browse(browser, http.MethodGet, link, nil)
	form := url.Values{"decision": {"allow"}, "username": {c.orgs["browser"].user()}}
	_, back := c.browse(browser, http.MethodPost, consent, form)
	if status, _ := c.browse(browser, http.MethodGet, back, nil); status != http.StatusOK {
		c.t.Fatalf("the login answers %d: %s", status, c.places["the pages"])
	}
	if status, _ := c.browse(browser, http.MethodGet, back, nil); status != http.StatusBadRequest {
		c.t.Fatalf("the same login again answers %d", status)
	}
}

// fault plans what the token endpoint answers next.
func (c *canaries) fault(body string) {
	c.t.Helper()
	c.must(http.MethodPost, "/_emulator/faults", fmt.Sprintf(`{"operation":"token","times":1,%s}`, body))
}

// until waits until `rollcall status` says this of an org's token.
func (c *canaries) until(org string, held bool, why string) {
	c.t.Helper()
	eventually(c.t, quietWithin, org+" is as wanted", func(ctx context.Context) error {
		st, err := c.status(ctx)
		if err != nil {
			return err
		}
		for _, o := range st.Orgs {
			if o.Name == org && (o.Held != held || !strings.Contains(o.Why, why)) {
				return fmt.Errorf("%+v", o)
			}
		}
		return nil
	})
}

// story makes everything happen that a secret takes part in.
func (c *canaries) story() {
	c.t.Helper()
	eventually(c.t, quietWithin, "the login is served", func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.callback+"/", http.NoBody)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			err = resp.Body.Close()
		}
		return err
	})
	c.login()
	c.publish(staffExport(c.t, c.dir, "first", false))
	for _, o := range c.orgs {
		eventually(c.t, quietWithin, o.name+" has its users", func(context.Context) error { return o.complete("first", staff) })
	}
	// The endpoint says back what it was sent, and then loses an answer.
	c.fault(fmt.Sprintf(`"effect":"token_error","errorCode":"invalid_client","message":"wrong secret %s"`, clientSecret))
	c.orgs["plain"].end()
	c.publish(staffExport(c.t, c.dir, "second", false))
	c.until("plain", true, "invalid_client")
	c.fault(`"effect":"drop_after"`)
	c.orgs["browser"].end()
	c.publish(staffExport(c.t, c.dir, "third", true))
	c.until("browser", true, "REFRESH_TOKEN_SPENT")
	c.login()
	c.write(filepath.Join(c.dir, "secret-plain"), clientSecret+"-next")
	c.orgs["plain"].must(http.MethodPatch, c.orgs["plain"].path("apps/plain"), `{"clientSecret":"`+clientSecret+`-next"}`)
	for _, o := range c.orgs {
		eventually(c.t, quietWithin, o.name+" has drained", func(context.Context) error { return o.complete("third", staff-leavers) })
	}
	c.run("keys", "rotate", filepath.Join(c.dir, "tokens.key"))
	eventually(c.t, quietWithin, "what is kept is sealed anew", func(context.Context) error {
		if n := strings.Count(c.procs["token-refresher"].output(), "sealed under the new key"); n < len(c.orgs) {
			return fmt.Errorf("%d orgs are", n)
		}
		return nil
	})
}

// collect reads every place where something is kept or shown.
func (c *canaries) collect() {
	c.t.Helper()
	for _, args := range [][]string{{"status"}, {"status", "-o", "json"}, {"audit"}, {"tasks", "list"}, {"person", "show", "e00@rollcall.example.browser"}} {
		c.places["the command line"] += string(c.run(args...))
	}
	for _, format := range []string{"", "-ojson"} {
		// What is not well is no fault of the test; what it shows is searched.
		out, err := c.rollcall(c.t.Context(), strings.Fields("doctor --config "+c.configPath()+" "+format)...)
		c.places["the doctor"] += string(out) + fmt.Sprint(err)
	}
	address := regexp.MustCompile(`"started".*"listen":"([^"]+)"`)
	for _, name := range services() {
		text := c.procs[name].output()
		c.places["the log of "+name] = text
		found := address.FindAllStringSubmatch(text, -1)
		if len(found) == 0 {
			c.t.Fatalf("%s does not say where its metrics are", name)
		}
		c.places["the metrics of "+name] = c.metrics(found[len(found)-1][1])
		c.procs[name].stop() // and its last spans are sent
	}
	c.places["the spans"] = c.spans.text()
	c.procs["nats-server"].stop()
	c.places["the disk"] = c.disk()
}

func (c *canaries) metrics(address string) string {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, "http://"+address+"/metrics", http.NoBody)
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(body)
}

// disk is every byte that NATS keeps.
func (c *canaries) disk() string {
	c.t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(filepath.Join(c.dir, "nats"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		all.Write(data)
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return all.String()
}

// files adds what was never sent anywhere: keys.
func (c *canaries) files() {
	c.t.Helper()
	key, err := os.ReadFile(filepath.Join(c.dir, "key-signing"))
	if err != nil {
		c.t.Fatal(err)
	}
	for line := range strings.Lines(string(key)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") {
			c.ear.heard("private key", line)
		}
	}
	keyset, err := os.ReadFile(filepath.Join(c.dir, "tokens.key"))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"value":"([^"]+)"`).FindAllStringSubmatch(string(keyset), -1) {
		c.ear.heard("tokens keyset", m[1])
	}
	c.ear.heard("deployment key", strings.Repeat("k", 64))
	c.ear.heard("client secret", clientSecret)
}

// find says what of the secrets stands in a text, in any usual spelling.
func (c *canaries) find(text string) error {
	var found []error
	for secret, what := range c.ear.secrets {
		for _, spelled := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
			if strings.Contains(text, spelled) {
				found = append(found, fmt.Errorf("a %s", what))
			}
		}
	}
	return errors.Join(found...)
}

// TestNoSecretStandsAnywhere plants nothing: every secret that passed between
// the services and Salesforce, and every key, is searched for in all that was
// logged, traced, measured, stored and shown.
func TestNoSecretStandsAnywhere(t *testing.T) {
	parallel(t)
	c := newCanaries(t)
	c.story()
	c.collect()
	c.files()
	kinds := map[string]int{}
	for _, what := range c.ear.secrets {
		kinds[what]++
	}
	t.Logf("%d secrets: %v", len(c.ear.secrets), kinds)
	for _, what := range []string{"client_secret", "refresh_token", "code", "code_verifier", "assertion", "access token", "private key", "tokens keyset"} {
		if kinds[what] == 0 {
			t.Errorf("no %s was ever used: nothing was searched for", what)
		}
	}
	// What each place must hold shows that the right thing was searched.
	for place, sign := range map[string]string{
		"the log of token-refresher": `"org signed in"`, "the log of salesforce-pusher": `"started"`, "the log of assignment": `"started"`,
		"the log of retry-scheduler": `"started"`, "the metrics of token-refresher": `rollcall_token_requests`,
		"the metrics of salesforce-pusher": "# TYPE", "the metrics of assignment": "# TYPE", "the metrics of retry-scheduler": "# TYPE",
		"the spans": "refresh token", "the disk": `"sealedRefresh"`, "the pages": "browser is connected", "the command line": "browser", "the doctor": "worst",
	} {
		if !strings.Contains(c.places[place], sign) {
			t.Errorf("%s, of %d bytes, does not hold %s: it is not what should be searched", place, len(c.places[place]), sign)
		}
	}
	for place, text := range c.places {
		if err := c.find(text); err != nil {
			t.Errorf("%s holds %v", place, err)
		}
	}
	for secret := range c.ear.secrets {
		if c.find("some text and "+secret) == nil {
			t.Error("a secret would not be found")
		}
	}
}
