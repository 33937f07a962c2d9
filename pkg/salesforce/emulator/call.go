package emulator

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/auth"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/faults"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/journal"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// maxBody bounds a request; Bulk uploads may be 150 MB, everything else is far
// smaller. [D]
const maxBody = 160 << 20

// call is one request on its way through the emulator.
type call struct {
	s       *Server
	w       http.ResponseWriter
	r       *http.Request
	started time.Time
	base    string // scheme, host and org prefix that the client used
	path    string // without the org prefix and trailing slashes
	method  string // after _HttpMethod
	login   bool   // came to a login host
	version string // "60.0"
	org     *Org
	session *auth.Session
	actor   *store.Record
	payload []byte
	doc     any // parsed JSON body, when somebody parsed it
	fault   *faults.Active
	part    bool      // a subrequest: the state lock is held already
	outer   string    // the operation it is a part of
	tx      *store.Tx // the transaction of an allOrNone composite
	entry   journal.Entry
	wire.Response
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, w: w, r: r, started: s.now(), method: r.Method, Response: wire.NewResponse()}
	c.locate()
	if strings.HasPrefix(c.path, "/_emulator") && !s.opts.adminOff {
		if err := c.read(); err != nil {
			c.JSON(http.StatusBadRequest, map[string]string{"error": err.Error()})
		} else {
			c.admin()
		}
		c.send()
		return
	}
	rt := c.route()
	c.entry.Operation, c.entry.Mutating = rt.op, rt.mutating
	if err := c.read(); err != nil {
		c.Fail(wire.PlatformError(400, "JSON_PARSER_ERROR", err.Error())) // [U]
		c.finish(rt)
		return
	}
	c.handle(rt)
	c.finish(rt)
}

// locate finds out which host, org prefix and path the client meant.
func (c *call) locate() {
	scheme := "http"
	if c.r.TLS != nil || c.r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	host := strings.ToLower(c.r.Host)
	c.base, c.path = scheme+"://"+c.r.Host, c.r.URL.Path
	c.login = c.s.opts.loginHosts[host]
	if rest, ok := strings.CutPrefix(c.path, "/orgs/"); ok {
		id, tail, _ := strings.Cut(rest, "/")
		if org := c.s.Org(id); org != nil {
			c.org, c.base, c.path = org, c.base+"/orgs/"+id, "/"+tail
		}
	}
	for len(c.path) > 1 && strings.HasSuffix(c.path, "/") {
		c.path = c.path[:len(c.path)-1] // a trailing slash is tolerated [C]
	}
	if m := c.r.URL.Query().Get("_HttpMethod"); m != "" && c.method == http.MethodPost { // [D]
		c.method = strings.ToUpper(m)
	}
	if c.method == http.MethodHead { // what GET says, and net/http leaves the body out
		c.method = http.MethodGet
	}
	if c.org != nil {
		return
	}
	for _, o := range c.s.Orgs() {
		if o.host != "" && o.host == host {
			c.org = o
		}
	}
}

// read takes the body, unpacked.
func (c *call) read() error {
	var src io.Reader = c.r.Body
	if strings.EqualFold(c.r.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(src)
		if err != nil {
			return fmt.Errorf("gzip body: %w", err)
		}
		src = z
	}
	var body bytes.Buffer
	body.Grow(int(max(0, min(c.r.ContentLength, 1<<20))))
	n, err := body.ReadFrom(io.LimitReader(src, maxBody+1))
	if err != nil {
		return fmt.Errorf("request body: %w", err)
	}
	if n > maxBody {
		return errors.New("request body too large")
	}
	c.payload = body.Bytes()
	return nil
}

// handle runs the steps that every call shares, around its own work.
func (c *call) handle(rt route) {
	if rt.data && !c.admitted() {
		return
	}
	c.fault = c.s.faults.ForCall(c.subject())
	if c.fault != nil {
		c.entry.FaultID = c.fault.ID
		if c.fault.DelayMillis > 0 {
			c.s.opts.sleep(c.r, time.Duration(c.fault.DelayMillis)*time.Millisecond)
		}
		if c.fault.Before(&c.Response) {
			return
		}
	}
	rt.run(c)
	if c.fault != nil {
		c.fault.After(&c.Response)
	}
}

// admitted checks what stands before every data call: host, token, version and
// the daily limit.
func (c *call) admitted() bool {
	if c.onLoginHost() {
		c.Fail(wire.ErrURLNotReset())
		return false
	}
	if err := c.sizes(); err != nil {
		c.Fail(err)
		return false
	}
	if err := c.acceptable(); err != nil {
		c.Fail(err)
		return false
	}
	token, err := bearer(c.r)
	if err != nil {
		c.Fail(err)
		return false
	}
	if err := c.authenticate(token); err != nil {
		c.Fail(err)
		return false
	}
	if err := c.checkVersion(); err != nil {
		c.Fail(err)
		return false
	}
	if err := c.blocked(); err != nil {
		c.Fail(err)
		return false
	}
	c.s.mu.Lock()
	within := c.org.usage.count(c.started, c.org.cfg.DailyAPILimit)
	c.s.mu.Unlock()
	if !within {
		c.Fail(wire.ErrDailyLimit())
	}
	return within
}

// maxURI bounds the URI, and the URI with all headers. [D]
const maxURI = 16_384

// sizes refuses long URIs and headers: 414 and 431 [D], texts [U].
func (c *call) sizes() *wire.APIError {
	n := len(c.r.URL.RequestURI())
	if n > maxURI {
		return wire.PlatformError(http.StatusRequestURITooLong, "URI_TOO_LONG", "URI is longer than 16384 bytes")
	}
	for name, values := range c.r.Header {
		for _, v := range values {
			n += len(name) + len(v) + len(": \r\n")
		}
	}
	if n > maxURI {
		return wire.PlatformError(http.StatusRequestHeaderFieldsTooLarge, "HEADERS_TOO_LONG", "URI and headers are longer than 16384 bytes")
	}
	return nil
}

// onLoginHost says whether the request came to a host that only signs in.
func (c *call) onLoginHost() bool {
	if c.login {
		return true
	}
	return c.org != nil && c.org.cfg.Kind == LoginHost && c.org.host != "" && c.org.host != strings.ToLower(c.r.Host)
}

// bearer takes the token from the header; "OAuth" is an older word for the
// same. [C WSO2's connector]
func bearer(r *http.Request) (string, *wire.APIError) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", wire.ErrSession()
	}
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "OAuth") {
		return "", wire.ErrAuthHeader()
	}
	return strings.TrimSpace(token), nil
}

// authenticate finds org and session of a token. A token of another org than
// the one the address names is no session at all.
func (c *call) authenticate(token string) *wire.APIError {
	org, _, _ := strings.Cut(token, "!")
	o := c.s.Org(org)
	if o == nil || c.org != nil && c.org != o {
		return wire.ErrSession()
	}
	c.org = o
	if c.onLoginHost() {
		return wire.ErrURLNotReset()
	}
	session := o.auth.Use(token, c.started)
	if session == nil {
		return wire.ErrSession()
	}
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	actor := o.Table("User").Live(session.UserID)
	if actor == nil || actor.At(o.user.active.Pos) != true {
		return wire.ErrSession()
	}
	c.session, c.actor = session, actor
	return nil
}

// finish sends the answer, or what a fault left of it, and writes the journal.
func (c *call) finish(rt route) {
	if rt.data {
		c.platformHeaders()
		if c.session != nil && c.Status < 400 { // absent on errors [R]
			c.s.mu.RLock()
			c.Header.Set("Sforce-Limit-Info", fmt.Sprintf("api-usage=%d/%d", c.org.usage.used(c.started), c.org.cfg.DailyAPILimit))
			c.s.mu.RUnlock()
		}
	}
	dropped := c.fault != nil && c.fault.Drops
	c.record(dropped)
	if dropped {
		hangUp(c.w)
		return
	}
	if c.fault != nil && c.fault.Torn {
		tear(c)
		return
	}
	c.send()
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close() // the point is that it closes
			return
		}
	}
	panic(http.ErrAbortHandler) // HTTP/2 has no hijacking; this drops the stream
}

// tear sends the status and half of the body, then closes the connection.
func tear(c *call) {
	for name, values := range c.Header {
		c.w.Header()[name] = values
	}
	c.w.WriteHeader(c.Status)
	_, _ = c.w.Write(c.Body[:len(c.Body)/2])
}
