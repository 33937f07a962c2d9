package emulator

import (
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/faults"
)

// subject is the call as the fault plan sees it.
func (c *call) subject() *faults.Subject {
	s := &faults.Subject{Operation: c.entry.Operation, Outer: c.outer, SignedIn: c.session != nil, Path: c.path, URL: c.r.URL, Payload: c.payload, Body: c}
	if c.org != nil {
		s.Org = c.org.id
	}
	return s
}

// record writes the journal entry of a call. Query values stay out of it: they
// may hold tokens or personal data.
func (c *call) record(dropped bool) {
	e := c.entry
	e.Time, e.Method, e.Path, e.Status, e.Dropped = c.started, c.method, c.path, c.Status, dropped
	if c.org != nil {
		e.Org = c.org.id
	}
	e.Micros = c.s.now().Sub(c.started).Microseconds()
	data := strings.HasPrefix(c.path, "/services/data/")
	c.s.journal.Add(e, data)
}
