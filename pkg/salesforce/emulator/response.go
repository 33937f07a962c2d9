package emulator

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// response is an answer not yet sent, so that a fault can still spoil it and
// the journal can know it.
type response struct {
	status int
	header http.Header
	body   []byte
}

func (r *response) set(status int, body []byte) {
	r.status, r.body = status, body
}

func (r *response) kind(contentType string) { r.header.Set("Content-Type", contentType) }

const (
	jsonType = "application/json;charset=UTF-8"
	htmlType = "text/html;charset=UTF-8"
	csvType  = "text/csv"
)

// json answers with any value.
func (c *call) json(status int, v any) {
	c.res.kind(jsonType)
	c.res.set(status, encode(v))
}

// bytes answers with JSON that is already written.
func (c *call) bytes(status int, body []byte) {
	c.res.kind(jsonType)
	c.res.set(status, body)
}

// none answers with a status and an empty body.
func (c *call) none(status int) { c.res.set(status, nil) }

// fail answers with Salesforce's error array.
func (c *call) fail(errs ...*APIError) {
	c.bytes(errs[0].status, errorBody(errs...))
	if errs[0].status == http.StatusUnauthorized {
		// The recorded value is blanked; the scheme word is an assumption. [U]
		c.res.header.Set("WWW-Authenticate", "Token")
	}
}

// platformHeaders are what every data answer carries. The names are [R
// amp-labs PR #2980, jsforce PR #1301]; values that the record leaves out are
// assumptions. [U]
func (c *call) platformHeaders() {
	h := c.res.header
	h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-XSS-Protection", "1; mode=block")
	h.Set("X-Robots-Tag", "none")
	h.Set("Cache-Control", "no-cache,must-revalidate,max-age=0,no-store,private")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Server", "sfdcedge")
	request := strconv.FormatInt(c.started.UnixNano(), 36)
	h.Set("X-Sfdc-Request-Id", request)
	h.Set("X-Request-Id", request)
	h["Set-Cookie"] = []string{"CookieConsentPolicy=0:1; path=/", "LSKey-c$CookieConsentPolicy=0:1; path=/", "BrowserId=" + request + "; path=/"}
}

// send writes the answer out.
func (c *call) send() {
	body := c.res.body
	if c.r.Header.Get("X-PrettyPrint") == "1" && strings.HasPrefix(c.res.header.Get("Content-Type"), "application/json") {
		var pretty bytes.Buffer
		if json.Indent(&pretty, body, "", "  ") == nil {
			body = pretty.Bytes()
		}
	}
	if len(body) > 0 && strings.Contains(c.r.Header.Get("Accept-Encoding"), "gzip") {
		body = compress(body)
		c.res.header.Set("Content-Encoding", "gzip")
	}
	for name, values := range c.res.header {
		c.w.Header()[name] = values
	}
	c.w.WriteHeader(c.res.status)
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
