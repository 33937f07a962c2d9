package refresh

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

const (
	// loginLife is how long an admin may take at Salesforce.
	loginLife = 10 * time.Minute
	// maxLogins bounds how many finished logins of one org are remembered.
	maxLogins = 500
	// again is what to do about a login that came to nothing.
	again = "Start again, with a new link if one is needed, in this browser, and finish within ten minutes."
	// cookiePrefix goes before the org's name.
	cookiePrefix = "rollcall-login-"
	// storeTries bounds how often a login competes with a refresh.
	storeTries = 20
)

// Connected is what an admin achieved by authenticating.
type Connected struct {
	Org, OrgID, UserID string
	Scopes             []string
	// Wrong is what is still wrong with the set-up, in an admin's words.
	Wrong []string
}

// Login lets admins authenticate orgs of flow refresh_token in their browser:
// authorization code with PKCE, bound to the browser session by a sealed cookie
// that every replica can open.
type Login struct {
	bucket   bucket
	sealer   *seal.Sealer
	tel      *telemetry.Telemetry
	now      func() time.Time
	redirect string
	secure   bool
	access   string
	orgs     map[string]*loginOrg
	// transport carries what is asked after a login.
	transport http.RoundTripper
	finished  func(Connected, error)
}

type loginOrg struct {
	name    string
	connect config.Connect
	assign  config.Assign
	push    config.Push
	oauth   *salesforce.OAuth
}

// pending is a login under way. It is sealed into the browser's cookie.
type pending struct {
	State    string    `json:"state"`
	Verifier string    `json:"verifier"`
	Until    time.Time `json:"until"`
}

// NewLogin returns a Login for the callback URL that the apps have; finished,
// if given, is told how each login ended that a browser began here.
func NewLogin(cfg Config, b *bus.Bus, t *telemetry.Telemetry, callback string, finished func(Connected, error)) (*Login, error) {
	cfg = cfg.withDefaults()
	cfg.Callback.Access = config.AccessLink // others may reach this machine's loopback too
	sealer, err := seal.Load(cfg.KeyFile)
	if err != nil {
		return nil, err
	}
	return newLogin(cfg, b.Bucket(events.BucketTokens), sealer, t, callback, finished)
}

func newLogin(cfg Config, b bucket, s *seal.Sealer, t *telemetry.Telemetry, callback string, finished func(Connected, error)) (*Login, error) {
	u, err := url.Parse(callback)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("callback URL %q is none", callback)
	}
	if finished == nil {
		finished = func(Connected, error) {}
	}
	l := &Login{
		bucket: b, sealer: s, tel: t, now: time.Now, redirect: callback, secure: u.Scheme == "https", access: cfg.Callback.Access,
		orgs: map[string]*loginOrg{}, transport: cfg.Transport, finished: finished,
	}
	for name, c := range cfg.Orgs {
		oc, err := oauthConfig(cfg, c, t)
		if err != nil {
			return nil, fmt.Errorf("orgs.%s.connect: %w", name, err)
		}
		oc.RedirectURL, oc.Scopes = callback, []string{"api", "refresh_token"}
		oauth, err := salesforce.NewOAuth(oc)
		if err != nil {
			return nil, fmt.Errorf("orgs.%s.connect: %w", name, err)
		}
		l.orgs[name] = &loginOrg{name: name, connect: c, assign: cfg.Assign[name], push: cfg.Push[name], oauth: oauth}
	}
	return l, nil
}

// Handler serves /connect/{org} and the callback.
func (l *Login) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /connect/{org}", l.begin)
	mux.HandleFunc("GET "+config.CallbackPath, l.end)
	return mux
}

// begin sends the browser to Salesforce.
func (l *Login) begin(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		headers(w) // who only looks, as a chat's preview does, spends no link
		return
	}
	if err := l.admit(r, r.PathValue("org")); err != nil {
		l.refuse(w, r, http.StatusForbidden, err)
		return
	}
	o := l.orgs[r.PathValue("org")]
	if o == nil {
		l.refuse(w, r, http.StatusNotFound, refusal("There is no such org.", "Use the org's name in the configuration file."))
		return
	}
	if o.connect.Flow != config.FlowRefreshToken {
		l.refuse(w, r, http.StatusConflict, refusal("This org does not need anybody to authenticate.",
			"Its flow is "+o.connect.Flow+". To authenticate as a user, set connect.flow to refresh_token."))
		return
	}
	p := pending{State: o.name + "." + rand.Text() + rand.Text(), Verifier: salesforce.NewVerifier(), Until: l.now().Add(loginLife)}
	target, err := o.oauth.AuthCodeURL(p.State, p.Verifier)
	if err == nil {
		err = l.remember(w, o, p)
	}
	if err != nil {
		l.refuse(w, r, http.StatusInternalServerError, err)
		return
	}
	headers(w)
	http.Redirect(w, r, target, http.StatusFound)
}

func (l *Login) remember(w http.ResponseWriter, o *loginOrg, p pending) error {
	plain, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("remember login: %w", err)
	}
	sealed, err := l.sealer.SealLogin(o.name, plain)
	if err != nil {
		return err
	}
	http.SetCookie(w, l.cookie(o, base64.RawURLEncoding.EncodeToString(sealed), int(loginLife.Seconds())))
	return nil
}

// cookie is Lax, not Strict: Salesforce's page is where the browser comes from.
func (l *Login) cookie(o *loginOrg, value string, seconds int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure wherever there is TLS; a loopback callback has none
		Name: cookiePrefix + o.name, Value: value, Path: config.CallbackPath, MaxAge: seconds,
		HttpOnly: true, Secure: l.secure, SameSite: http.SameSiteLaxMode,
	}
}

// end is where Salesforce sends the browser back to.
func (l *Login) end(w http.ResponseWriter, r *http.Request) {
	o, p, err := l.recall(r)
	if err != nil {
		// Any page can send a browser here: it ends nobody's login.
		l.refuse(w, r, http.StatusBadRequest, err)
		return
	}
	http.SetCookie(w, l.cookie(o, "", -1))
	var done Connected
	if err = l.use(r.Context(), o, p.State, p.Until); err == nil {
		done, err = l.complete(r, o, p)
	}
	l.finished(done, err)
	if err != nil {
		l.refuse(w, r, http.StatusBadRequest, err)
		return
	}
	l.tel.Log.InfoContext(r.Context(), "org was authenticated by an admin", "org", o.name)
	showDone(w, done)
}

// recall finds the login that this browser began, or says why there is none.
func (l *Login) recall(r *http.Request) (*loginOrg, pending, error) {
	state := r.URL.Query().Get("state")
	name, _, _ := strings.Cut(state, ".")
	o := l.orgs[name]
	if o == nil {
		return nil, pending{}, refusal("This login was not begun here: its state is unknown.", again)
	}
	c, err := r.Cookie(cookiePrefix + o.name)
	if err != nil {
		return nil, pending{}, refusal("This login was begun in another browser session.", again)
	}
	var p pending
	sealed, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err == nil {
		sealed, err = l.sealer.OpenLogin(o.name, sealed)
	}
	if err != nil || json.Unmarshal(sealed, &p) != nil || subtle.ConstantTimeCompare([]byte(p.State), []byte(state)) != 1 {
		return nil, pending{}, refusal("This login does not belong to this browser session: its state is another one.", again)
	}
	if !l.now().Before(p.Until) {
		return nil, pending{}, refusal("This login took too long and has expired.", again)
	}
	return o, p, nil
}

// use makes sure, over all replicas, that a login is finished once, or a link
// used once; what names it.
func (l *Login) use(ctx context.Context, o *loginOrg, what string, until time.Time) error {
	sum := sha256.Sum256([]byte(what))
	id, key := hex.EncodeToString(sum[:16]), "login."+o.name // no org has a dot in its name
	for range storeTries {
		used := map[string]time.Time{}
		e, err := l.bucket.Get(ctx, key)
		if err != nil && !errors.Is(err, bus.ErrNotFound) {
			return fmt.Errorf("look for login: %w", err)
		}
		if err == nil && json.Unmarshal(e.Data, &used) != nil {
			used = map[string]time.Time{} // nothing of ours; replaced
		}
		for other, end := range used {
			if !l.now().Before(end) {
				delete(used, other)
			}
		}
		if _, twice := used[id]; twice {
			return refusal("This login was used already.", again)
		}
		if len(used) >= maxLogins {
			return refusal("Too many logins of this org within ten minutes.", "Wait ten minutes, and see who can reach this page.")
		}
		used[id] = until
		data, err := json.Marshal(used)
		if err != nil {
			return fmt.Errorf("remember login: %w", err)
		}
		_, err = l.bucket.Set(ctx, key, data, e.Seq)
		if err == nil || !errors.Is(err, bus.ErrConflict) {
			return err
		}
	}
	return refusal("Too many logins of this org at once.", again)
}

// complete trades the code for tokens, and keeps them.
func (l *Login) complete(r *http.Request, o *loginOrg, p pending) (Connected, error) {
	q := r.URL.Query()
	if err := salesforce.CallbackError(q.Get("error"), q.Get("error_description")); err != nil {
		return Connected{}, err
	}
	code := q.Get("code")
	if code == "" {
		return Connected{}, refusal("Salesforce sent neither a code nor an error.", again)
	}
	g, err := o.oauth.Exchange(r.Context(), code, p.Verifier)
	if err != nil {
		return Connected{}, err
	}
	if g.RefreshToken == "" {
		return Connected{}, refusal("Salesforce gave no refresh token.",
			"Add the scope 'Perform requests at any time (refresh_token, offline_access)' to the app, and authenticate again.")
	}
	// The browser may go away; what Salesforce gave is kept.
	if err := l.keep(context.WithoutCancel(r.Context()), o, g); err != nil {
		return Connected{}, err
	}
	scopes := strings.Fields(g.Scope)
	wrong := append(missing(scopes), o.setup(r.Context(), l.transport, g)...)
	return Connected{Org: o.name, OrgID: g.OrgID, UserID: g.UserID, Scopes: scopes, Wrong: wrong}, nil
}

// keep stores what was granted, sealed, over whatever a refresh is about to.
func (l *Login) keep(ctx context.Context, o *loginOrg, g salesforce.Grant) error {
	for range storeTries {
		before, rev, err := l.record(ctx, o)
		if err != nil {
			return err
		}
		if err := l.sameOrg(o, before, g); err != nil {
			_ = o.oauth.Revoke(ctx, g.RefreshToken) // it is of no use; the refusal is what counts
			return err
		}
		next := events.TokenRecord{Org: o.name, Generation: before.Generation + 1,
			CredentialMark: markOf(l.sealer, o.connect).String(), State: events.TokenConnected, Since: before.Since, At: l.now().UTC()}
		if before.State != events.TokenConnected {
			next.Since = l.now().UTC()
		}
		if next.Sealed, err = l.sealer.Seal(o.name, tokenOf(g)); err != nil {
			return err
		}
		if next.SealedRefresh, err = l.sealer.SealRefresh(o.name, g.RefreshToken); err != nil {
			return err
		}
		data, err := events.Encode(next)
		if err != nil {
			return fmt.Errorf("store token record: %w", err)
		}
		_, err = l.bucket.Set(ctx, o.name, data, rev)
		if err == nil || !errors.Is(err, bus.ErrConflict) {
			return err
		}
	}
	return refusal("The token could not be stored: it changes all the time.", again)
}

func (l *Login) record(ctx context.Context, o *loginOrg) (events.TokenRecord, uint64, error) {
	e, err := l.bucket.Get(ctx, o.name)
	if errors.Is(err, bus.ErrNotFound) {
		return events.TokenRecord{}, e.Seq, nil
	}
	if err != nil {
		return events.TokenRecord{}, 0, fmt.Errorf("read token record: %w", err)
	}
	rec, err := events.Decode[events.TokenRecord](e.Data)
	if errors.Is(err, events.ErrNewer) {
		return events.TokenRecord{}, 0, refusal("A newer version of Rollcall keeps this org's token.",
			"Authenticate again when every replica of token-refresher has been updated.")
	}
	if err != nil {
		return events.TokenRecord{}, e.Seq, nil //nolint:nilerr // what cannot be read is replaced
	}
	return rec, e.Seq, nil
}

// sameOrg refuses a login to another org than the one this name stood for
// until now: its people would be pushed into the wrong org.
func (l *Login) sameOrg(o *loginOrg, before events.TokenRecord, g salesforce.Grant) error {
	if len(before.Sealed) == 0 || o.connect.OrgID != "" { // a configured one was compared already
		return nil
	}
	t, err := l.sealer.Open(o.name, before.Sealed)
	if err != nil || t.OrgID == "" || len(g.OrgID) >= 15 && strings.HasPrefix(t.OrgID, g.OrgID[:15]) {
		return nil //nolint:nilerr // a token that cannot be opened names no org
	}
	return refusal(fmt.Sprintf("The login is for org %s, and %s was connected to org %s until now.", g.OrgID, o.name, t.OrgID),
		"Sign in to the right org; if the change is meant, set connect.orgID in the configuration.")
}

func tokenOf(g salesforce.Grant) events.Token {
	return events.Token{AccessToken: g.AccessToken, InstanceURL: g.InstanceURL, OrgID: g.OrgID, UserID: g.UserID, IssuedAt: g.IssuedAt,
		Scope: g.Scope}
}
