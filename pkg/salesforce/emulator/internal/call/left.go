package call

import (
	"net/http"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/faults"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// movedID is how the journal names the old address of an org that moved, where
// it names a planned fault.
const movedID = "moved"

// leftBehind answers a data call that came to an address its org has left, and
// says whether it did.
func (c *Call) leftBehind() bool {
	o := c.Org
	if o == nil {
		token, _ := Bearer(c.Request) // no token, no org
		id, _, _ := strings.Cut(token, "!")
		o = c.Env.Orgs.Find(id)
	}
	if o == nil {
		return false
	}
	place := o.Place()
	left := place.LeftBehind(c.Base, c.OnLoginHost())
	if left == nil {
		return false
	}
	c.Org, c.Entry.FaultID, c.astray = o, movedID, true
	c.answerFor(left, place.URL)
	return true
}

// answerFor says what is said where the org is no more. [U]
func (c *Call) answerFor(left *org.Left, now string) {
	switch left.Answer {
	case org.LeftClosed:
		c.fault = &faults.Active{Drops: true}
		c.None(0)
		return
	case org.LeftSilent:
		c.fault = &faults.Active{Drops: true, Fault: faults.Fault{Hold: true}}
		c.None(0)
		return
	}
	status := left.Status
	if left.Answer == org.LeftRedirect {
		if status == 0 {
			status = http.StatusMovedPermanently
		}
		c.Header.Set("Location", now+c.Path+query(c.Request))
	} else if status == 0 {
		status = http.StatusOK
	}
	c.Kind(wire.HTMLType)
	c.Set(status, []byte("<!DOCTYPE html><html><head><title>URL No Longer Exists</title></head><body><h1>URL No Longer Exists</h1></body></html>"))
}

func query(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return "?" + r.URL.RawQuery
}
