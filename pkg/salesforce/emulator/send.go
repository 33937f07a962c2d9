package emulator

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"strconv"
	"strings"
)

// platformHeaders are what every data answer carries. The names are [R
// amp-labs PR #2980, jsforce PR #1301]; values that the record leaves out are
// assumptions. [U]
func (c *call) platformHeaders() {
	h := c.Header
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
	body := c.Body
	if c.r.Header.Get("X-PrettyPrint") == "1" && strings.HasPrefix(c.Header.Get("Content-Type"), "application/json") {
		var pretty bytes.Buffer
		if json.Indent(&pretty, body, "", "  ") == nil {
			body = pretty.Bytes()
		}
	}
	if len(body) > 0 && strings.Contains(c.r.Header.Get("Accept-Encoding"), "gzip") {
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
