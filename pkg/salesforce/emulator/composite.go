package emulator

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

const (
	maxSubrequests = 25 // [D]
	maxSubqueries  = 5  // queries and collections among them [D]
)

// subrequest is one part of /composite.
type subrequest struct {
	method string
	url    string
	ref    string
	body   any
	header http.Header
}

// subresult is what became of it.
type subresult struct {
	ref    string
	status int
	header http.Header
	body   []byte
}

// composite answers POST /composite: 200 whenever the envelope is well formed.
// [D requests_composite]
func (c *call) composite() {
	if c.method != http.MethodPost {
		c.entry.Mutating = false
		c.Fail(wire.ErrMethod(c.method, "POST"))
		return
	}
	in, ok := c.recordBody()
	if !ok {
		return
	}
	subs, err := parseSubrequests(in.Object)
	if err != nil {
		c.Fail(err)
		return
	}
	defer c.lock()()
	run := &compositeRun{call: c, answers: map[string]any{}, done: map[string]int{}}
	if in.Object.Flag("allOrNone") {
		run.tx = c.org.Begin(c.actor)
	}
	c.entry.Mutating = false
	for _, sub := range subs {
		run.results = append(run.results, run.one(sub))
	}
	if run.tx != nil && run.failed {
		run.tx.Rollback()
		run.halt()
	}
	c.Bytes(200, run.body())
}

func parseSubrequests(obj *wire.Object) ([]subrequest, *wire.APIError) {
	list, _ := obj.Get("compositeRequest")
	items, _ := list.([]any)
	if len(items) == 0 { // [U] text
		return nil, wire.PlatformError(400, "REQUIRED_FIELD_MISSING", "At least 1 subrequest is required")
	}
	if len(items) > maxSubrequests { // [U] code and text
		return nil, wire.PlatformError(400, "LIMIT_EXCEEDED", fmt.Sprintf("Composite requests are limited to %d subrequests", maxSubrequests))
	}
	seen, heavy := map[string]bool{}, 0
	subs := make([]subrequest, 0, len(items))
	for _, item := range items {
		sub, err := parseSubrequest(item)
		if err != nil {
			return nil, err
		}
		if seen[sub.ref] { // 400 [D], text [U]
			return nil, wire.PlatformError(400, "INVALID_INPUT", "Duplicate referenceId: "+sub.ref)
		}
		seen[sub.ref] = true
		if strings.Contains(sub.url, "/query") || strings.Contains(sub.url, "/composite/sobjects") {
			heavy++
		}
		subs = append(subs, sub)
	}
	if heavy > maxSubqueries { // [U] code and text
		return nil, wire.PlatformError(400, "LIMIT_EXCEEDED", "Composite requests are limited to 5 query and sobject collection subrequests")
	}
	return subs, nil
}

func parseSubrequest(item any) (subrequest, *wire.APIError) {
	obj, ok := item.(*wire.Object)
	if !ok {
		return subrequest{}, wire.PlatformError(400, "JSON_PARSER_ERROR", "Subrequest is not an object")
	}
	sub := subrequest{method: obj.Text("method"), url: obj.Text("url"), ref: obj.Text("referenceId"), header: http.Header{}}
	sub.body, _ = obj.Get("body")
	for name, value := range map[string]string{"method": sub.method, "url": sub.url, "referenceId": sub.ref} {
		if value == "" {
			return sub, wire.PlatformError(400, "REQUIRED_FIELD_MISSING", "Missing required field: "+name) // [U] text
		}
	}
	if sub.method != strings.ToUpper(sub.method) { // upper case only [D], text [U]
		return sub, wire.PlatformError(400, "INVALID_HTTP_METHOD", "Invalid HTTP method: "+sub.method)
	}
	headers, _ := obj.Get("httpHeaders")
	if h, ok := headers.(*wire.Object); ok {
		for _, m := range h.Members {
			switch strings.ToLower(m.Name) {
			case "accept", "authorization", "content-type": // [D], text [U]
				return sub, wire.PlatformError(400, "INVALID_HTTP_HEADER", "Header not allowed in a subrequest: "+m.Name)
			}
			sub.header.Set(m.Name, wire.PlainValue(m.Value))
		}
	}
	return sub, nil
}

// compositeRun is one composite under way.
type compositeRun struct {
	call     *call
	tx       *store.Tx
	answers  map[string]any // parsed bodies by referenceId
	done     map[string]int // statuses by referenceId
	results  []subresult
	failed   bool
	failedAt int
}

// errHalted is what the others show when one of an allOrNone fails, and what a
// reference to a failed part gives. [R apache/camel]
func errHalted() *wire.APIError {
	return wire.PlatformError(400, "PROCESSING_HALTED", "The transaction was rolled back since another operation in the same transaction failed.")
}

func (run *compositeRun) one(sub subrequest) subresult {
	if run.tx != nil && run.failed {
		return haltedResult(sub.ref)
	}
	body, address, err := run.resolve(sub)
	if err != nil {
		run.fail(sub.ref, 400)
		return subresult{ref: sub.ref, status: 400, body: wire.ErrorBody(err)}
	}
	part := run.call.partOf(sub.method, address, body, run.tx)
	part.r.Header = sub.header
	part.serve()
	if part.Status >= 300 && part.Status != http.StatusNotModified {
		run.fail(sub.ref, part.Status)
	}
	run.done[sub.ref] = part.Status
	run.call.absorb(part)
	result := subresult{ref: sub.ref, status: part.Status, body: part.Body, header: http.Header{}}
	for _, name := range partHeaders() {
		if v := part.Header.Get(name); v != "" {
			result.header.Set(name, v)
		}
	}
	if doc, err := wire.ReadJSON(part.Body); err == nil {
		run.answers[sub.ref] = doc
	}
	return result
}

// partHeaders are the headers that a part's answer shows. [R, 304 and 201]
func partHeaders() [3]string { return [...]string{"Location", "ETag", "Last-Modified"} }

func (run *compositeRun) fail(ref string, status int) {
	if !run.failed {
		run.failed, run.failedAt = true, len(run.results)
	}
	run.done[ref] = status
}

func haltedResult(ref string) subresult {
	return subresult{ref: ref, status: 400, body: wire.ErrorBody(errHalted())}
}

// halt shows PROCESSING_HALTED for everything but the part that failed. [R]
func (run *compositeRun) halt() {
	for i := range run.results {
		if i != run.failedAt {
			run.results[i] = haltedResult(run.results[i].ref)
		}
	}
}

func (run *compositeRun) body() []byte {
	b := []byte(`{"compositeResponse":[`)
	for i, r := range run.results {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"body":`...)
		if len(r.body) == 0 {
			b = append(b, "null"...)
		}
		b = append(b, r.body...)
		b = append(b, `,"httpHeaders":{`...)
		first := true
		for _, name := range partHeaders() {
			v := r.header.Get(name)
			if v == "" {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			b = append(wire.AppendString(b, name), ':')
			b, first = wire.AppendString(b, v), false
		}
		b = fmt.Appendf(b, `},"httpStatusCode":%d,"referenceId":`, r.status)
		b = append(wire.AppendString(b, r.ref), '}')
	}
	return append(b, "]}"...)
}

// partOf makes the call for a subrequest.
func (c *call) partOf(method, address string, body any, t *store.Tx) *call {
	u, err := url.Parse(address)
	if err != nil {
		u = &url.URL{Path: address}
	}
	r := (&http.Request{Method: method, URL: u, Host: c.r.Host, Header: http.Header{}}).WithContext(c.r.Context())
	part := &call{s: c.s, r: r, started: c.started, method: method, base: c.base, path: strings.TrimRight(u.Path, "/"),
		org: c.org, session: c.session, actor: c.actor, doc: body, part: true, outer: c.entry.Operation, tx: t,
		Response: wire.NewResponse()}
	return part
}

// serve routes a part and runs it.
func (c *call) serve() {
	if !strings.HasPrefix(c.path, "/services/data/") {
		c.Fail(wire.ErrNotFound())
		return
	}
	rt := c.dataRoute()
	c.entry.Operation, c.entry.Mutating = rt.op, rt.mutating
	switch {
	case rt.op == "composite" || rt.op == "batch" || rt.op == "versions" || strings.HasPrefix(rt.op, "bulk"):
		c.Fail(wire.ErrNotFound())
		return
	case c.checkVersion() != nil:
		c.Fail(c.checkVersion())
		return
	}
	rt.run(c)
}

// absorb takes a part's journal facts into the whole.
func (c *call) absorb(part *call) {
	c.entry.Records += part.entry.Records
	c.entry.Touched = append(c.entry.Touched, part.entry.Touched...)
	c.entry.Mutating = c.entry.Mutating || part.entry.Mutating
	if part.entry.Object != "" {
		c.entry.Object = part.entry.Object
	}
	if part.entry.FaultID != "" {
		c.entry.FaultID = part.entry.FaultID
	}
}
