package call

import (
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/auth"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/faults"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/journal"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/late"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Call is one request on its way through the emulator.
type Call struct {
	Env     *Env
	w       http.ResponseWriter
	Request *http.Request
	Started time.Time
	Base    string // scheme, host and org prefix that the client used
	Path    string // without the org prefix and trailing slashes
	Method  string // after _HttpMethod
	Login   bool   // came to a login host
	Version string // "60.0"
	Org     *org.Org
	Session *auth.Session
	Actor   *store.Record
	Payload []byte
	doc     any // parsed JSON body, when somebody parsed it
	fault   *faults.Active
	writes  bool      // it is to change something
	astray  bool      // it came to an address that its org has left
	part    bool      // a subrequest: the state lock is held already
	outer   string    // the operation it is a part of
	tx      *store.Tx // the transaction of an allOrNone composite
	Entry   journal.Entry
	wire.Response
}

// Env is what the calls of a server share.
type Env struct {
	Orgs       *org.Set
	Faults     *faults.Plan
	Journal    *journal.Journal
	Late       *late.Queue
	LoginHosts map[string]bool
	Sleep      func(r *http.Request, d time.Duration)
}

// New begins a request: who and what it is about is known after this, as far
// as host and path say it.
func New(e *Env, w http.ResponseWriter, r *http.Request) *Call {
	c := &Call{Env: e, w: w, Request: r, Started: e.Orgs.Now(), Method: r.Method, Response: wire.NewResponse()}
	c.locate()
	return c
}

// Serve does the work of a route, answers, and writes the journal.
func (c *Call) Serve(rt Route) {
	c.Entry.Operation, c.Entry.Mutating = rt.Op, rt.Mutating
	if err := c.Read(); err != nil {
		c.Fail(wire.PlatformError(400, "JSON_PARSER_ERROR", err.Error())) // [U]
		c.finish(rt)
		return
	}
	c.handle(rt)
	c.finish(rt)
}

// locate finds out which host, org prefix and path the client meant.
func (c *Call) locate() {
	scheme := "http"
	if c.Request.TLS != nil || c.Request.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	host := strings.ToLower(c.Request.Host)
	c.Base, c.Path = scheme+"://"+c.Request.Host, c.Request.URL.Path
	c.Login = c.Env.LoginHosts[host]
	if rest, ok := strings.CutPrefix(c.Path, "/orgs/"); ok {
		id, tail, _ := strings.Cut(rest, "/")
		if o := c.Env.Orgs.Find(id); o != nil {
			c.Org, c.Base, c.Path = o, c.Base+"/orgs/"+id, "/"+tail
		}
	}
	for len(c.Path) > 1 && strings.HasSuffix(c.Path, "/") {
		c.Path = c.Path[:len(c.Path)-1] // a trailing slash is tolerated [C]
	}
	if m := c.Request.URL.Query().Get("_HttpMethod"); m != "" && c.Method == http.MethodPost { // [D]
		c.Method = strings.ToUpper(m)
	}
	if c.Method == http.MethodHead { // what GET says, and net/http leaves the body out
		c.Method = http.MethodGet
	}
	if c.Org != nil {
		return
	}
	for _, o := range c.Env.Orgs.All() {
		if host != "" && o.Place().Owns(host) {
			c.Org = o
		}
	}
}

// handle runs the steps that every call shares, around its own work.
func (c *Call) handle(rt Route) {
	c.writes = rt.changes(c)
	if (rt.Data || rt.Op == "versions") && c.leftBehind() {
		return
	}
	if rt.Data && !(gate{c}).admitted() {
		return
	}
	c.fault = c.Env.Faults.ForCall(c.subject())
	if c.fault != nil {
		c.Entry.FaultID = c.fault.ID
		if c.fault.DelayMillis > 0 {
			c.Env.Sleep(c.Request, time.Duration(c.fault.DelayMillis)*time.Millisecond)
		}
		if c.fault.Before(&c.Response) {
			return
		}
	}
	rt.Run(c)
	if c.fault != nil {
		c.fault.After(&c.Response)
	}
}
