package refresh

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
)

// passParam carries the pass in the address of a link.
const passParam = "pass"

// pass is leave to begin one login of one org. It is sealed under the tokens
// keyset, so that only who could read the tokens anyway can give it.
type pass struct {
	ID    string    `json:"id"`
	Until time.Time `json:"until"`
}

// Link returns an address at which one login of an org can be begun, once and
// for ten minutes.
func (l *Login) Link(org string) (string, error) { return link(l.sealer, l.redirect, org, l.now()) }

// Link is [Login.Link] for the login that token-refresher serves.
func Link(cfg Config, org string) (string, error) {
	sealer, err := seal.Load(cfg.KeyFile)
	if err != nil {
		return "", err
	}
	return link(sealer, cfg.Callback.URL, org, time.Now())
}

func link(s *seal.Sealer, callback, org string, now time.Time) (string, error) {
	u, err := url.Parse(callback)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("callback URL %q is none", callback)
	}
	plain, err := json.Marshal(pass{ID: rand.Text(), Until: now.Add(loginLife)})
	if err != nil {
		return "", fmt.Errorf("make link: %w", err)
	}
	sealed, err := s.SealPass(org, plain)
	if err != nil {
		return "", err
	}
	q := url.Values{passParam: {base64.RawURLEncoding.EncodeToString(sealed)}}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/connect/" + org, RawQuery: q.Encode()}).String(), nil
}

// admit lets somebody begin a login who has a link to do so. Who has none is
// not even told which orgs there are.
func (l *Login) admit(r *http.Request, org string) error {
	if l.access == config.AccessOpen {
		return nil
	}
	closed := refusal("This page needs a link that was made for you, and that works once.",
		"Run `rollcall connect ORG --link` where the configuration is, and open what it prints within ten minutes.")
	o := l.orgs[org]
	sealed, err := base64.RawURLEncoding.DecodeString(r.URL.Query().Get(passParam))
	if err != nil || o == nil {
		return closed
	}
	var p pass
	plain, err := l.sealer.OpenPass(org, sealed)
	if err != nil || json.Unmarshal(plain, &p) != nil || p.ID == "" || !l.now().Before(p.Until) {
		return closed
	}
	return l.spend(r.Context(), o, p)
}

// spend makes sure, over all replicas, that a link is used once.
func (l *Login) spend(ctx context.Context, o *loginOrg, p pass) error {
	return l.use(ctx, o, "link "+p.ID, p.Until)
}
