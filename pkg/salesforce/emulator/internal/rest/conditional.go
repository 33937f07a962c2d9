package rest

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// etagOf is the entity tag of a row: only Account rows have one. [D]
func etagOf(o *store.Object, r *store.Record) string {
	if o.Name != "Account" {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %v", r.ID, r.Modified, r.Cells))
	return `"` + base64.StdEncoding.EncodeToString(sum[:15]) + `"`
}

// unchanged answers a read whose reader has the newest already; true ends the
// call. [D api_rest conditional requests]
func (c addressed) unchanged(modified time.Time, etag string) bool {
	modified = modified.Truncate(time.Second)
	c.Header.Set("Last-Modified", modified.UTC().Format(http.TimeFormat))
	if etag != "" {
		c.Header.Set("ETag", etag)
	}
	h := c.Request.Header
	if err := precondition(h, modified, etag); err != nil {
		c.Fail(err)
		return true
	}
	same := false
	if list := h.Get("If-None-Match"); list != "" && etag != "" {
		same = lists(list, etag)
	} else if since, err := http.ParseTime(h.Get("If-Modified-Since")); err == nil {
		same = !modified.After(since)
	}
	if same {
		c.None(http.StatusNotModified)
	}
	return same
}

// mayReplace checks what a write demands of the row as it stands. The state
// lock is held.
func (c addressed) mayReplace(o *store.Object, id string) *wire.APIError {
	r := c.Org.Table(o.Name).Live(id)
	if r == nil {
		return nil // the write itself says so
	}
	return precondition(c.Request.Header, r.Modified.Time().Truncate(time.Second), etagOf(o, r))
}

// precondition is 412 [D]; code and text are assumptions. [U]
func precondition(h http.Header, modified time.Time, etag string) *wire.APIError {
	failed := false
	if list := h.Get("If-Match"); list != "" && etag != "" {
		failed = !lists(list, etag)
	}
	if since, err := http.ParseTime(h.Get("If-Unmodified-Since")); err == nil {
		failed = failed || modified.After(since)
	}
	if !failed {
		return nil
	}
	return wire.PlatformError(http.StatusPreconditionFailed, "PRECONDITION_FAILED", "A precondition of the request is not met")
}

// lists says whether a list of entity tags holds the one; a server that zips
// writes the suffix --gzip into it, and clients send it back.
func lists(list, etag string) bool {
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if strings.ReplaceAll(tag, "--gzip", "") == etag {
			return true
		}
	}
	return false
}
