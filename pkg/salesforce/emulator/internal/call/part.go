package call

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// PartOf makes the call for a subrequest.
func (c *Call) PartOf(method, address string, body any, t *store.Tx) *Call {
	u, err := url.Parse(address)
	if err != nil {
		u = &url.URL{Path: address}
	}
	r := (&http.Request{Method: method, URL: u, Host: c.Request.Host, Header: http.Header{}}).WithContext(c.Request.Context())
	part := &Call{Env: c.Env, Request: r, Started: c.Started, Method: method, Base: c.Base, Path: strings.TrimRight(u.Path, "/"),
		Org: c.Org, Session: c.Session, Actor: c.Actor, doc: body, part: true, outer: c.Entry.Operation, tx: t,
		Response: wire.NewResponse()}
	return part
}

// Absorb takes a part's journal facts into the whole.
func (c *Call) Absorb(part *Call) {
	c.Entry.Records += part.Entry.Records
	c.Entry.Failed += part.Entry.Failed
	c.Entry.Touched = append(c.Entry.Touched, part.Entry.Touched...)
	c.Entry.Stripped = append(c.Entry.Stripped, part.Entry.Stripped...)
	c.Entry.Mutating = c.Entry.Mutating || part.Entry.Mutating
	if part.Entry.Object != "" {
		c.Entry.Object = part.Entry.Object
	}
	if part.Entry.FaultID != "" {
		c.Entry.FaultID = part.Entry.FaultID
	}
}
