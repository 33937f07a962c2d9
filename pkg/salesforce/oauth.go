package salesforce

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// OAuthConfig describes one connected app (or external client app) of an org.
type OAuthConfig struct {
	// LoginURL is the host of the token endpoint: the org's My Domain
	// ("https://acme.my.salesforce.com"), or login/test.salesforce.com, which
	// refuse client credentials. Required.
	LoginURL string
	// ClientID is the consumer key. Required.
	ClientID string
	// ClientSecret is called for each request, so that a secret's file may be
	// replaced while running. Nil for an app without a secret.
	ClientSecret func() (string, error)
	// RedirectURL is the callback of the authorization code flow; it must match
	// the app's configuration byte for byte.
	RedirectURL string
	// Scopes are asked for in the authorization code flow.
	Scopes []string
	// ExpectedOrgID, when given, is the only org whose tokens are accepted.
	ExpectedOrgID string
	// AllowedHostSuffixes and AllowLoopbackHTTP are those of Config; they hold
	// for LoginURL, to which the secret goes, and for the instance URL.
	AllowedHostSuffixes []string
	AllowLoopbackHTTP   bool
	// Transport carries the requests.
	Transport http.RoundTripper
	// CallTimeout bounds each request; one minute by default.
	CallTimeout time.Duration
	// UserAgent is sent with each request.
	UserAgent string
}

// OAuth obtains and revokes tokens. It is safe for concurrent use, keeps
// nothing and logs nothing. With refresh token rotation the caller must not
// refresh one token twice: replaying an old one revokes the new one. [D]
//
// Every flow returns a *TokenError (through errors.As) when it fails.
type OAuth struct {
	cfg       OAuthConfig
	hosts     hostRules
	login     *url.URL
	transport http.RoundTripper
}

// NewOAuth checks the configuration and lists everything wrong with it.
func NewOAuth(cfg OAuthConfig) (*OAuth, error) {
	if cfg.AllowedHostSuffixes == nil {
		cfg.AllowedHostSuffixes = DefaultHostSuffixes()
	}
	if cfg.CallTimeout == 0 {
		cfg.CallTimeout = DefaultCallTimeout
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "rollcall-salesforce-go"
	}
	o := &OAuth{cfg: cfg, transport: cfg.Transport}
	o.hosts = hostRules{suffixes: cfg.AllowedHostSuffixes, loopback: cfg.AllowLoopbackHTTP}
	login, err := o.hosts.base(cfg.LoginURL)
	if err != nil {
		err = fmt.Errorf("LoginURL: %w", err)
	}
	o.login = login
	if err := errors.Join(err, cfg.validate()); err != nil {
		return nil, fmt.Errorf("salesforce oauth: %w", err)
	}
	if o.transport == nil {
		t := defaultTransport()
		t.DisableCompression = false // x/oauth2 does not undo it
		o.transport = t
	}
	return o, nil
}

func (c OAuthConfig) validate() error {
	var errs []error
	if c.ClientID == "" {
		errs = append(errs, errors.New("ClientID: missing"))
	}
	if c.ExpectedOrgID != "" && !orgIDLike.MatchString(c.ExpectedOrgID) {
		errs = append(errs, fmt.Errorf("ExpectedOrgID %q: want 15 or 18 characters beginning with 00D", c.ExpectedOrgID))
	}
	if c.CallTimeout < 0 {
		errs = append(errs, errors.New("CallTimeout: negative"))
	}
	return errors.Join(append(errs, checkSuffixes(c.AllowedHostSuffixes))...)
}

// ClientCredentials obtains a token for the app's Run-As user. It works on a
// My Domain host only and never brings a refresh token. [R]
func (o *OAuth) ClientCredentials(ctx context.Context) (Grant, error) {
	secret, err := o.secret()
	if err != nil {
		return Grant{}, err
	}
	cfg := clientcredentials.Config{
		ClientID: o.cfg.ClientID, ClientSecret: secret,
		TokenURL: o.endpoint("token"), AuthStyle: oauth2.AuthStyleInParams,
	}
	return o.obtain(ctx, cfg.Token)
}

// RefreshToken obtains a new access token. The Grant's RefreshToken is the one
// to keep from now on: the new one where rotation is on, otherwise the old one.
// Store it before using the access token. When the outcome is MaybeApplied, the
// old token may be spent.
func (o *OAuth) RefreshToken(ctx context.Context, refreshToken string) (Grant, error) {
	if refreshToken == "" {
		return Grant{}, &TokenError{Code: CodeBadRequest, Description: "there is no refresh token", Class: TokenCredential, Outcome: NotApplied}
	}
	cfg, err := o.config()
	if err != nil {
		return Grant{}, err
	}
	return o.obtain(ctx, func(ctx context.Context) (*oauth2.Token, error) {
		return cfg.TokenSource(ctx, &oauth2.Token{RefreshToken: refreshToken}).Token()
	})
}

// config is the endpoint as x/oauth2 wants it. The secret travels in the form:
// a header alone was refused as invalid_client_id. [R, old]
func (o *OAuth) config() (*oauth2.Config, error) {
	secret, err := o.secret()
	if err != nil {
		return nil, err
	}
	return &oauth2.Config{
		ClientID: o.cfg.ClientID, ClientSecret: secret, RedirectURL: o.cfg.RedirectURL, Scopes: o.cfg.Scopes,
		Endpoint: o.authEndpoint(),
	}, nil
}

func (o *OAuth) authEndpoint() oauth2.Endpoint {
	return oauth2.Endpoint{
		AuthURL: o.endpoint("authorize"), TokenURL: o.endpoint("token"), AuthStyle: oauth2.AuthStyleInParams,
	}
}

func (o *OAuth) endpoint(name string) string {
	return o.login.Scheme + "://" + o.login.Host + "/services/oauth2/" + name
}

func (o *OAuth) secret() (string, error) {
	if o.cfg.ClientSecret == nil {
		return "", nil
	}
	secret, err := o.cfg.ClientSecret()
	if err != nil {
		return "", &TokenError{Code: CodeNoSecret, Description: "the client secret cannot be read", Class: TokenConfiguration, Outcome: NotApplied, cause: err}
	}
	return strings.TrimSpace(secret), nil
}

// obtain runs one flow within its deadline and verifies what it brought.
func (o *OAuth) obtain(ctx context.Context, flow func(context.Context) (*oauth2.Token, error)) (Grant, error) {
	ctx, cancel := context.WithTimeout(ctx, o.cfg.CallTimeout)
	defer cancel()
	trip := &tokenTrip{base: o.transport, ctx: ctx, userAgent: o.cfg.UserAgent}
	client := &http.Client{Transport: trip, CheckRedirect: refuseRedirect}
	token, err := flow(context.WithValue(ctx, oauth2.HTTPClient, client))
	if trip.redirect != "" {
		return Grant{}, trip.redirected()
	}
	if err != nil {
		return Grant{}, tokenFailure(ctx, err, trip)
	}
	return o.verify(token)
}

// Revoke ends a token; revoking a refresh token ends its access tokens. [D]
// Revoking what is already gone is not an error.
func (o *OAuth) Revoke(ctx context.Context, token string) error {
	status, body, failure := o.post(ctx, "revoke", url.Values{"token": {token}})
	if failure != nil {
		return failure
	}
	if status == http.StatusOK {
		return nil
	}
	code, description := tokenErrorBody(body)
	if code == "invalid_token" || code == "unsupported_token_type" {
		return nil
	}
	return classifyToken(tokenRefusal{status: status, code: code, description: description})
}

// post sends a form to an endpoint that gives no tokens, and reads the answer.
func (o *OAuth) post(ctx context.Context, endpoint string, form url.Values) (status int, body []byte, failure *TokenError) {
	ctx, cancel := context.WithTimeout(ctx, o.cfg.CallTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.endpoint(endpoint), strings.NewReader(form.Encode()))
	if err != nil {
		return 0, nil, &TokenError{Code: CodeBadRequest, Description: "the request cannot be built", Class: TokenClientBug, Outcome: NotApplied}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	trip := &tokenTrip{base: o.transport, ctx: ctx, userAgent: o.cfg.UserAgent}
	resp, err := (&http.Client{Transport: trip, CheckRedirect: refuseRedirect}).Do(req)
	if err != nil {
		return 0, nil, tokenFailure(ctx, err, trip)
	}
	defer resp.Body.Close()
	if trip.redirect != "" {
		return 0, nil, trip.redirected()
	}
	if body, err = io.ReadAll(io.LimitReader(resp.Body, maxTokenAnswer)); err != nil {
		return 0, nil, tokenFailure(ctx, err, trip)
	}
	return resp.StatusCode, body, nil
}

// maxTokenAnswer bounds what post reads.
const maxTokenAnswer = 64 << 10

// redirected is the error of a request that was answered with a redirect.
func (t *tokenTrip) redirected() *TokenError {
	return &TokenError{Code: CodeRedirect, Description: t.redirect, Status: t.status, Class: TokenConfiguration, Outcome: NotApplied}
}

// tokenTrip binds requests of x/oauth2 to a context (its JWT flow forgets it),
// and remembers what the error of x/oauth2 does not tell.
type tokenTrip struct {
	base      http.RoundTripper
	ctx       context.Context //nolint:containedctx // it lives for one call
	userAgent string

	status   int
	redirect string
}

// RoundTrip sends the request within the context of the flow.
func (t *tokenTrip) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(t.ctx)
	req.Header.Set("User-Agent", t.userAgent)
	req.Header.Set("Accept", "application/json")
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.Request == nil {
		resp.Request = req
	}
	t.status = resp.StatusCode
	if isRedirect(resp.StatusCode) {
		t.redirect = redirectText(resp)
	}
	return resp, nil
}

// tokenFailure reads the error of x/oauth2. Nothing of the response's body is
// kept but code and description.
func tokenFailure(ctx context.Context, err error, trip *tokenTrip) *TokenError {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		code, description := tokenErrorBody(refused.Body)
		return classifyToken(tokenRefusal{status: trip.status, code: code, description: description})
	}
	e := &TokenError{Code: CodeNoAnswer, Status: trip.status, Class: TokenTransient, Outcome: MaybeApplied}
	switch {
	case ctx.Err() != nil:
		e.Description, e.cause = "no answer in time", ctx.Err()
	case trip.status != 0: // answered, but the answer is torn or none
		e.Code, e.Description = CodeUnreadable, "the answer is not that of a token endpoint"
	default:
		inner := withoutURL(err)
		e.Description, e.cause = transportText(inner), inner
		if neverSent(inner) {
			e.Outcome = NotApplied
		}
		var cert *tls.CertificateVerificationError
		if errors.As(inner, &cert) {
			e.advice = "The certificate of the login host is not trusted: check the login URL, a proxy in between, and the trusted roots."
		}
	}
	return e
}

var tokenCodeLike = regexp.MustCompile(`^[A-Za-z_]{1,60}$`)

// tokenErrorBody reads a JSON error body, or the query string with which the
// revoke endpoint answers [C jsforce]. Both are empty for anything else.
func tokenErrorBody(body []byte) (code, description string) {
	var b struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if decode(body, &b) != nil {
		values, err := url.ParseQuery(strings.TrimSpace(string(body)))
		if err != nil {
			return "", ""
		}
		b.Error, b.Description = values.Get("error"), values.Get("error_description")
	}
	if !tokenCodeLike.MatchString(b.Error) {
		return "", ""
	}
	return b.Error, truncate(b.Description, 1000)
}
