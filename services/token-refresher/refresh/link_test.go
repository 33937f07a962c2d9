package refresh

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// begin opens an address and says how it was answered.
func (r *loginRig) begin(address string) (int, string) {
	r.Helper()
	status, body, h := r.get(r.browser(), address)
	if status != http.StatusFound && h.Get("Set-Cookie") != "" {
		r.Errorf("a login was begun with status %d", status)
	}
	return status, body
}

func (r *loginRig) wantClosed(address, want string) {
	r.Helper()
	if status, body := r.begin(address); status != http.StatusForbidden || !strings.Contains(body, want) {
		r.Errorf("answered %d without %q: %s", status, want, body)
	}
}

// Nobody begins a login, of any org there is or is not, without a link.
func TestALoginNeedsALink(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	r.reconfigure(func(c *Config) { c.Orgs["apac"] = c.Orgs[emea] })
	const closed = "needs a link"
	link := r.start()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	forged := []byte(u.Query().Get(passParam))
	forged[len(forged)/2] ^= 1
	r.wantClosed(r.web+"/connect/"+emea, closed)
	r.wantClosed(r.web+"/connect/nobody", closed)
	r.wantClosed(with(link, passParam, string(forged)), closed)
	r.wantClosed(strings.Replace(link, "/connect/emea", "/connect/apac", 1), closed)
	r.wantClosed(strings.Replace(link, "/connect/emea", "/connect/nobody", 1), closed)
	if status, body := r.begin(link); status != http.StatusFound {
		t.Errorf("the link answers %d: %s", status, body)
	}
	r.wantClosed(link, "used already")
	r.wantNothingStored(emea)
}

// What a login leaves in the browser is no link: it is sealed as something else.
func TestACookieIsNoLink(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	_, _, h := r.get(r.browser(), r.start())
	c, err := http.ParseSetCookie(h.Get("Set-Cookie"))
	if err != nil {
		t.Fatal(err)
	}
	r.wantClosed(with(r.start(), passParam, c.Value), "needs a link")
}

func TestALinkExpires(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	link := r.start()
	r.login.now = func() time.Time { return time.Now().Add(loginLife + time.Second) }
	r.wantClosed(link, "needs a link")
}

// A preview looks at an address before anybody opens it.
func TestLookingAtALinkDoesNotSpendIt(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	link := r.start()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, link, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.browser().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Set-Cookie") != "" {
		t.Errorf("looking is answered with %s", resp.Status)
	}
	if status, body := r.begin(link); status != http.StatusFound {
		t.Errorf("then the link answers %d: %s", status, body)
	}
}

// With access open, something in front decides who gets here.
func TestOpenAccessNeedsNoLink(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	r.reconfigure(func(c *Config) { c.Callback.Access = config.AccessOpen })
	if status, body := r.begin(r.web + "/connect/" + emea); status != http.StatusFound {
		t.Errorf("answered %d: %s", status, body)
	}
	if status, _ := r.begin(r.web + "/connect/nobody"); status != http.StatusNotFound {
		t.Errorf("an org that is not there answers %d", status)
	}
}
