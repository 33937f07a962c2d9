package call

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// platformHeaders are what every data answer carries. The names are [R
// amp-labs PR #2980, jsforce PR #1301]; values that the record leaves out are
// assumptions. [U]
func (c *Call) platformHeaders() {
	h := c.Header
	h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-XSS-Protection", "1; mode=block")
	h.Set("X-Robots-Tag", "none")
	h.Set("Cache-Control", "no-cache,must-revalidate,max-age=0,no-store,private")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Server", "sfdcedge")
	request := strconv.FormatInt(c.Started.UnixNano(), 36)
	h.Set("X-Sfdc-Request-Id", request)
	h.Set("X-Request-Id", request)
	h["Set-Cookie"] = []string{"CookieConsentPolicy=0:1; path=/", "LSKey-c$CookieConsentPolicy=0:1; path=/", "BrowserId=" + request + "; path=/"}
}

// Send writes the answer out.
func (c *Call) Send() {
	body := c.Body
	if c.Request.Header.Get("X-PrettyPrint") == "1" && strings.HasPrefix(c.Header.Get("Content-Type"), "application/json") {
		var pretty bytes.Buffer
		if json.Indent(&pretty, body, "", "  ") == nil {
			body = pretty.Bytes()
		}
	}
	if len(body) > 0 && strings.Contains(c.Request.Header.Get("Accept-Encoding"), "gzip") {
		body = compress(body)
		c.Header.Set("Content-Encoding", "gzip")
	}
	for name, values := range c.Header {
		c.w.Header()[name] = values
	}
	c.w.WriteHeader(c.Status)
	// A client that went away is not the emulator's trouble.
	_, _ = c.w.Write(body)
}

func compress(body []byte) []byte {
	var buf bytes.Buffer
	z, _ := gzip.NewWriterLevel(&buf, gzip.BestSpeed) // the level is a valid constant
	_, _ = z.Write(body)                              // a bytes.Buffer takes everything
	_ = z.Close()
	return buf.Bytes()
}

// finish sends the answer, or what a fault left of it, and writes the journal.
func (c *Call) finish(rt Route) {
	if rt.Data {
		c.platformHeaders()
		if c.Session != nil && c.Status < 400 { // absent on errors [R]
			c.Env.Orgs.State.RLock()
			c.Header.Set("Sforce-Limit-Info", fmt.Sprintf("api-usage=%d/%d", c.Org.Usage.Used(), c.Org.Config.DailyAPILimit))
			c.Env.Orgs.State.RUnlock()
		}
	}
	dropped := c.fault != nil && c.fault.Drops
	if c.fault != nil && c.fault.Late {
		c.later(rt)
		c.hold()
		hangUp(c.w)
		return
	}
	c.record(dropped)
	if dropped {
		c.hold()
		hangUp(c.w)
		return
	}
	if c.fault != nil && c.fault.Torn {
		tear(c)
		return
	}
	c.Send()
}

// patience is how long a caller is left without an answer who does not give up.
const patience = 10 * time.Minute

// hold leaves the caller without an answer, if that is the fault.
func (c *Call) hold() {
	if c.fault.Hold {
		c.Env.Sleep(c.Request, patience)
	}
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
func tear(c *Call) {
	for name, values := range c.Header {
		c.w.Header()[name] = values
	}
	c.w.WriteHeader(c.Status)
	_, _ = c.w.Write(c.Body[:len(c.Body)/2])
}
