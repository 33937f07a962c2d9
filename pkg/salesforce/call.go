package salesforce

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"path"
	"strings"
	"sync/atomic"
)

// gzipFrom is the body size above which a request is compressed.
const gzipFrom = 1 << 10

// call is one request to the API.
type call struct {
	method string
	// path begins with "/services/" and has no query.
	path  string
	query url.Values
	// body is sent as JSON when not nil; raw with its contentType otherwise.
	body        any
	raw         []byte
	contentType string
	accept      string // "application/json" by default
	header      http.Header
	anonymous   bool // no token: /services/data lists the versions without
	readOnly    bool // a POST that changes nothing (a composite of queries)
	plainText   bool // refusals are plain text (the identity services)
}

func (k call) mutating() bool { return !k.readOnly && k.method != http.MethodGet }

// reply is a bounded, decompressed answer.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// do sends one call and re-authenticates at most once, and only when Salesforce
// said that it did not accept the session: then nothing was done.
func (c *connection) do(ctx context.Context, k call) (reply, error) {
	payload, err := k.encode()
	if err != nil {
		return reply{}, err
	}
	session, err := c.session(ctx)
	if err != nil {
		return reply{}, err
	}
	r, err := c.once(ctx, k, payload, session)
	if !sessionRefused(err) {
		return r, err
	}
	renewed, renewErr := c.renew(ctx, session)
	if renewErr != nil {
		return reply{}, renewErr
	}
	if renewed.Generation <= session.Generation && renewed.AccessToken == session.AccessToken {
		return reply{}, err
	}
	return c.once(ctx, k, payload, renewed)
}

// session asks for the session at hand, within the time of a call.
func (c *connection) session(ctx context.Context) (Session, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.CallTimeout)
	defer cancel()
	session, err := c.cfg.Sessions.Session(ctx)
	if err != nil {
		return Session{}, noSession("no session", err)
	}
	return session, nil
}

// renew asks for the successor of a refused session: of the same org.
func (c *connection) renew(ctx context.Context, refused Session) (Session, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.CallTimeout)
	defer cancel()
	renewed, err := c.cfg.Sessions.Renew(ctx, refused)
	if err != nil {
		return Session{}, noSession("the session was refused and there is no other", err)
	}
	if refused.OrgID != "" && !sameID(refused.OrgID, renewed.OrgID) {
		return Session{}, &Error{Class: Credentials, Code: CodeOrgRefused, Outcome: NotApplied,
			Message: "the renewed session belongs to another org than the refused one"}
	}
	return renewed, nil
}

// sessionRefused says whether a new session can mend the failure. A session
// that is valid but not for the REST API is not among them: renewing loops.
func sessionRefused(err error) bool {
	e, ok := asError(err)
	return ok && e.Class == Credentials && e.Outcome == NotApplied && (e.Code == "INVALID_SESSION_ID" || e.Code == "LOGIN_OAUTH_INVALID_TOKEN")
}

// noSession classifies the error of Sessions.
func noSession(what string, err error) *Error {
	if e, ok := asError(err); ok {
		return e
	}
	class := Credentials
	var refused *TokenError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		class = Timeout
	case errors.As(err, &refused):
		what += ": " + refused.Error()
		if refused.Class == TokenTransient {
			class = Unavailable
		}
	}
	return &Error{Class: class, Code: CodeNoSession, Message: what, Outcome: NotApplied, cause: err}
}

// once sends the call with one session and judges the answer.
func (c *connection) once(ctx context.Context, k call, payload []byte, session Session) (reply, error) {
	target, err := c.target(k, session)
	if err != nil {
		return reply{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.CallTimeout)
	defer cancel()
	var connected atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	req, err := c.request(traced, k, target, payload, session)
	if err != nil {
		return reply{}, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		unsent := neverSent(err) || (c.dialsItself && !connected.Load())
		return reply{}, noAnswer(ctx, err, k.mutating() && !unsent)
	}
	defer resp.Body.Close()
	c.reportUsage(resp.Header)
	r, err := c.read(ctx, resp, k)
	if err != nil {
		return reply{}, err
	}
	if r.status >= 200 && r.status < 300 {
		return r, nil
	}
	return reply{}, failure(r, k)
}

// target pins the call to the org's own host.
func (c *connection) target(k call, session Session) (*url.URL, error) {
	base, err := c.hosts.base(session.InstanceURL)
	if err != nil {
		return nil, &Error{Class: Credentials, Code: CodeHostRefused, Outcome: NotApplied,
			Message: "the session's instance URL is refused: " + err.Error()}
	}
	if c.cfg.OrgID != "" && !sameID(c.cfg.OrgID, session.OrgID) {
		return nil, &Error{Class: Credentials, Code: CodeOrgRefused, Outcome: NotApplied,
			Message: "the session belongs to another org than the configured one"}
	}
	if !strings.HasPrefix(k.path, "/services/") || path.Clean(k.path) != strings.TrimSuffix(k.path, "/") {
		return nil, programming("a path must begin with /services/ and hold no empty or parent segment")
	}
	base.Path, base.RawPath = mustUnescape(k.path), k.path
	base.RawQuery = k.query.Encode()
	return base, nil
}

// mustUnescape returns the decoded form that url.URL wants beside RawPath.
func mustUnescape(path string) string {
	if decoded, err := url.PathUnescape(path); err == nil {
		return decoded
	}
	return path
}

func (k call) encode() ([]byte, error) {
	if k.body == nil {
		return k.raw, nil
	}
	payload, err := json.Marshal(k.body)
	if err != nil {
		return nil, programming("a value cannot be written as JSON: %T", err)
	}
	return payload, nil
}

func (c *connection) request(ctx context.Context, k call, target *url.URL, payload []byte, s Session) (*http.Request, error) {
	compress := k.body != nil && len(payload) > gzipFrom
	if compress {
		payload = zip(payload)
	}
	var body io.Reader = http.NoBody
	if payload != nil {
		body = bytes.NewReader(payload)
	}
	req, err := http.NewRequestWithContext(ctx, k.method, target.String(), body)
	if err != nil {
		return nil, programming("the request cannot be built: %T", err)
	}
	for name, values := range k.header {
		req.Header[name] = values
	}
	if compress {
		req.Header.Set("Content-Encoding", "gzip")
	}
	if k.body != nil {
		req.Header.Set("Content-Type", "application/json;charset=UTF-8")
	} else if k.contentType != "" {
		req.Header.Set("Content-Type", k.contentType)
	}
	req.Header.Set("Accept", "application/json")
	if k.accept != "" {
		req.Header.Set("Accept", k.accept)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	if !k.anonymous {
		req.Header.Set("Authorization", "Bearer "+s.AccessToken)
	}
	return req, nil
}

func zip(payload []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(payload) // a bytes.Buffer does not fail
	_ = w.Close()
	return b.Bytes()
}

// read takes the body in, bounded after decompression: a small body may unpack
// to a huge one.
func (c *connection) read(ctx context.Context, resp *http.Response, k call) (reply, error) {
	r := reply{status: resp.StatusCode, header: resp.Header}
	if isRedirect(resp.StatusCode) {
		return r, &Error{Class: Unavailable, Status: resp.StatusCode, Code: CodeRedirect,
			Message: redirectText(resp), Outcome: outcomeOf(k.mutating())}
	}
	var from io.Reader = resp.Body
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		unzipped, err := gzip.NewReader(resp.Body)
		if err != nil && !errors.Is(err, io.EOF) { // EOF: an empty body with the header set
			return r, torn(ctx, r.status, k, err)
		}
		if err == nil {
			from = unzipped
		}
	}
	body, err := io.ReadAll(io.LimitReader(from, c.cfg.MaxResponseBytes+1))
	if err != nil {
		return r, torn(ctx, r.status, k, err)
	}
	if int64(len(body)) > c.cfg.MaxResponseBytes {
		return r, unreadable(r.status, k.mutating(), "the answer is longer than %d bytes", c.cfg.MaxResponseBytes)
	}
	r.body = body
	return r, nil
}

// torn is the Error for an answer that broke off.
func torn(ctx context.Context, status int, k call, err error) *Error {
	e := unreadable(status, k.mutating(), "the answer broke off")
	e.cause = withoutURL(err)
	if ctx.Err() != nil {
		e.Class, e.cause = Timeout, ctx.Err()
	}
	return e
}

// noAnswer classifies a transport failure; mutating is false when the request
// cannot have reached the server.
func noAnswer(ctx context.Context, err error, mutating bool) *Error {
	err = withoutURL(err)
	e := &Error{Class: Unavailable, Code: CodeNoAnswer, Outcome: outcomeOf(mutating), cause: err}
	var timeout net.Error
	switch {
	case ctx.Err() != nil:
		e.Class, e.Message, e.cause = Timeout, "no answer in time", ctx.Err()
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Class, e.Message = Timeout, "no answer in time"
	default:
		e.Message = transportText(err)
	}
	return e
}

// transportText says what broke. A certificate error names the host and the
// reason; that is what an admin needs, and it holds no secret.
func transportText(err error) string {
	var cert *tls.CertificateVerificationError
	if errors.As(err, &cert) {
		return "the server's certificate is refused: " + cert.Err.Error()
	}
	return "no answer: " + err.Error()
}

// withoutURL drops the *url.Error around a transport failure: its text has the
// URL, and a query names people.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// neverSent says whether the request certainly did not reach the server.
func neverSent(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	return (errors.As(err, &op) && op.Op == "dial") || errors.As(err, &dns) || errors.As(err, &cert) || errors.As(err, &record)
}
