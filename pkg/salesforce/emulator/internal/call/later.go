package call

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/journal"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/late"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// changes says whether the call is to change something. A composite is when one
// of its parts may.
func (rt Route) changes(c *Call) bool {
	switch rt.Op {
	case "bulk.create", "bulk.upload", "bulk.delete":
		return true // a job, if no row yet
	case "composite":
		return c.partsChange("compositeRequest")
	case "batch":
		return c.partsChange("batchRequests")
	}
	return rt.Mutating
}

// partsChange says whether a body lists a part that is no GET.
func (c *Call) partsChange(list string) bool {
	doc, _ := c.Document() // what cannot be read changes nothing
	obj, ok := doc.(*wire.Object)
	if !ok {
		return false
	}
	parts, _ := obj.Get(list)
	items, _ := parts.([]any)
	for _, item := range items {
		if part, ok := item.(*wire.Object); ok && !strings.EqualFold(part.Text("method"), http.MethodGet) {
			return true
		}
	}
	return false
}

// later has the org apply the call when its time comes. It is journaled before
// anybody can apply it.
func (c *Call) later(rt Route) {
	c.Entry.Late = journal.Waiting
	seq := c.record(true)
	again := c.unheard()
	c.Env.Late.Put(late.Call{Org: c.Org.ID, Operation: rt.Op, Method: c.Method, Path: c.Path, Seq: seq, Fault: c.fault.ID, Received: c.Started},
		time.Duration(c.fault.LateMillis)*time.Millisecond, func() { again.apply(rt, seq) })
}

// unheard is the same call without anybody who waits for an answer.
func (c *Call) unheard() *Call {
	return &Call{Env: c.Env, Request: c.Request.WithContext(context.WithoutCancel(c.Request.Context())), Base: c.Base, Path: c.Path,
		Method: c.Method, Version: c.Version, Org: c.Org, Session: c.Session, Actor: c.Actor, Payload: c.Payload, Response: wire.NewResponse(),
		Entry: journal.Entry{Operation: c.Entry.Operation, Mutating: c.Entry.Mutating, FaultID: c.fault.ID, Late: journal.Applied}}
}

// apply does the work of a late call against the org as it is now. It was let in
// when it came: a session that ended since does not stop it.
func (c *Call) apply(rt Route, seq int64) {
	c.Started, c.Entry.Of = c.Env.Orgs.Now(), seq
	rt.Run(c)
	c.record(true)
}
