package rest

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
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
func (c composites) composite() {
	if c.Method != http.MethodPost {
		c.Entry.Mutating = false
		c.Fail(wire.ErrMethod(c.Method, "POST"))
		return
	}
	in, ok := c.RecordBody()
	if !ok {
		return
	}
	subs, err := parseSubrequests(in.Object)
	if err != nil {
		c.Fail(err)
		return
	}
	defer c.Lock()()
	run := &compositeRun{by: c, answers: map[string]any{}, done: map[string]int{}}
	if in.Object.Flag("allOrNone") {
		run.tx = c.Org.Begin(c.Actor)
	}
	c.Entry.Mutating = false
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
	by       composites
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
	part := run.by.PartOf(sub.method, address, body, run.tx)
	part.Request.Header = sub.header
	run.by.serve(part)
	if part.Status >= 300 && part.Status != http.StatusNotModified {
		run.fail(sub.ref, part.Status)
	}
	run.done[sub.ref] = part.Status
	run.by.Absorb(part)
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

// serve routes a part and does its work.
func (c composites) serve(part *call.Call) {
	if !strings.HasPrefix(part.Path, "/services/data/") {
		part.Fail(wire.ErrNotFound())
		return
	}
	rt := c.api.Route(part)
	part.Entry.Operation, part.Entry.Mutating = rt.Op, rt.Mutating
	switch {
	case rt.Op == "composite" || rt.Op == "batch" || rt.Op == "versions" || strings.HasPrefix(rt.Op, "bulk"):
		part.Fail(wire.ErrNotFound())
		return
	case part.CheckVersion() != nil:
		part.Fail(part.CheckVersion())
		return
	}
	rt.Run(part)
}
