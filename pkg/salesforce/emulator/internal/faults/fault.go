package faults

import (
	"fmt"
	"strconv"
	"sync"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Fault is a planned misbehaviour. All match fields that are set must match.
type Fault struct {
	// ID is given when empty.
	ID string `json:"id,omitempty"`
	// Operation as the journal names it: token, query, query.more, limits,
	// sobject.create|get|update|upsert|delete, collections.create|update|
	// upsert|delete|get, composite, batch, bulk.*; "any" or empty: every one.
	Operation string `json:"operation,omitempty"`
	// Object is an sObject type that the call or record is about.
	Object string `json:"object,omitempty"`
	// Field and Value pick a record, for example Username and one username.
	// The value is looked for in what is sent and, on updates and deletes, in
	// what the record holds. Field "Id" works as well.
	Field string `json:"field,omitempty"`
	Value string `json:"value,omitempty"`
	// Org is an org id; empty: every org.
	Org string `json:"org,omitempty"`
	// Times is how often the fault strikes; 0: until it is removed.
	Times int `json:"times,omitempty"`
	// After lets this many matches pass first.
	After int `json:"after,omitempty"`
	// Effect is one of the Effect constants, or the name of a Preset.
	Effect Effect `json:"effect"`
	// Status and Body override what the preset answers; with EffectStatus they
	// are the whole answer. ContentType defaults to JSON.
	Status      int    `json:"status,omitempty"`
	Body        string `json:"body,omitempty"`
	ContentType string `json:"contentType,omitempty"`
	// Code, Message and Fields are the error of EffectRecordError; Code and
	// Message are error and error_description of EffectTokenError. They go
	// before what a Preset says.
	Code    string   `json:"errorCode,omitempty"`
	Message string   `json:"message,omitempty"`
	Fields  []string `json:"fields,omitempty"`
	// DelayMillis makes the call slow; with any effect.
	DelayMillis int `json:"delayMillis,omitempty"`
	// Used counts how often the fault struck. Read only.
	Used int `json:"used"`
}

// Effect says what a fault does.
type Effect string

// Effects on a whole call, before anything is applied.
const (
	EffectSessionExpired  Effect = "session_expired"  // 401 INVALID_SESSION_ID
	EffectDailyLimit      Effect = "daily_limit"      // 403 REQUEST_LIMIT_EXCEEDED, TotalRequests
	EffectConcurrentLimit Effect = "concurrent_limit" // 403 REQUEST_LIMIT_EXCEEDED, ConcurrentRequests
	EffectUnavailable     Effect = "unavailable_html" // 503 HTML
	EffectOAuthHTML       Effect = "oauth_html"       // 401 HTML with the header Sfdc-OAuth-Error
	EffectGack            Effect = "gack"             // 500 UNKNOWN_EXCEPTION
	EffectFalseSuccess    Effect = "false_success"    // 201, and a body that says failure; for single records
	EffectStatus          Effect = "status"           // Status and Body as given
	EffectTokenError      Effect = "token_error"      // 400 error and error_description
	EffectDropBefore      Effect = "drop_before"      // connection closed, nothing applied
	EffectSlow            Effect = "slow"             // only DelayMillis
)

// Effects on a whole call, after it was applied.
const (
	EffectGackAfterCommit Effect = "gack_after_commit" // applied, then 500
	EffectDropAfter       Effect = "drop_after"        // applied, then connection closed
	EffectTorn            Effect = "torn"              // applied, then half of the body
)

// Effects on single records, inside collections too.
const (
	EffectLockRow     Effect = "lock_row"     // UNABLE_TO_LOCK_ROW
	EffectRecordError Effect = "record_error" // Code, Message, Fields
)

// known says whether the effect is one of the constants or names a preset.
func (e Effect) known() bool {
	switch e {
	case EffectSessionExpired, EffectDailyLimit, EffectConcurrentLimit, EffectUnavailable, EffectGack, EffectStatus,
		EffectTokenError, EffectOAuthHTML, EffectFalseSuccess, EffectDropBefore, EffectSlow, EffectGackAfterCommit, EffectDropAfter, EffectTorn, EffectLockRow, EffectRecordError:
		return true
	}
	_, named := preset(e)
	return named
}

func (f *plannedFault) perRecord() bool {
	return f.Effect == EffectLockRow || f.Effect == EffectRecordError || f.preset.Scope == ScopeRecord
}

// Plan holds the planned faults.
type Plan struct {
	mu     sync.Mutex
	faults []*plannedFault
	next   int
	wild   *hostility
}

// plannedFault is a fault with its count of matches.
type plannedFault struct {
	Fault
	preset Preset // what the effect names; zero for the effects with a constant
	seen   int
}

// NewPlan is without planned faults; a rate above 0 misbehaves by itself, as the
// seed says.
func NewPlan(seed uint64, rate float64) *Plan {
	p := &Plan{}
	if rate > 0 {
		p.wild = newHostility(seed, rate)
	}
	return p
}

// Add plans a fault and gives it back with its id.
func (p *Plan) Add(f Fault) (Fault, error) {
	if !f.Effect.known() {
		return Fault{}, fmt.Errorf("fault: unknown effect %q", f.Effect)
	}
	if f.Times < 0 || f.After < 0 || f.DelayMillis < 0 {
		return Fault{}, fmt.Errorf("fault: times, after and delayMillis must not be negative")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	if f.ID == "" {
		f.ID = "fault-" + strconv.Itoa(p.next)
	}
	for _, other := range p.faults {
		if other.ID == f.ID {
			return Fault{}, fmt.Errorf("fault: id %q is planned already", f.ID)
		}
	}
	f.Used = 0
	named, _ := preset(f.Effect)
	p.faults = append(p.faults, &plannedFault{Fault: f, preset: named})
	return f, nil
}

// List gives the planned faults with their uses.
func (p *Plan) List() []Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Fault, 0, len(p.faults))
	for _, f := range p.faults {
		out = append(out, f.Fault)
	}
	return out
}

// Remove takes one fault away, or all when id is empty, and says how many.
func (p *Plan) Remove(id string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.faults[:0:0]
	for _, f := range p.faults {
		if id != "" && f.ID != id {
			kept = append(kept, f)
		}
	}
	n := len(p.faults) - len(kept)
	p.faults = kept
	return n
}

// strike counts a match and says whether the fault acts on it. The plan's lock
// is held.
func (f *plannedFault) strike() bool {
	if f.Times > 0 && f.Used >= f.Times {
		return false
	}
	f.seen++
	if f.seen <= f.After {
		return false
	}
	f.Used++
	return true
}

// ForCall finds the fault that acts on a whole call, or nil.
func (p *Plan) ForCall(s *Subject) *Active {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		if f.perRecord() || !f.about(s) || !f.preset.fits(s) || !f.mentions(s) || !f.strike() {
			continue
		}
		return &Active{Fault: f.Fault, preset: f.preset}
	}
	if p.wild != nil {
		return p.wild.decide(s)
	}
	return nil
}

// ForRecord is what a transaction of the call asks about each record, nil when no
// record can be struck; struck is told the id of the fault.
func (p *Plan) ForRecord(s *Subject, struck func(id string)) store.Hit {
	p.mu.Lock()
	defer p.mu.Unlock()
	planned := p.wild != nil
	for _, f := range p.faults {
		planned = planned || f.perRecord()
	}
	if !planned {
		return nil
	}
	return func(o *store.Object, id string, in store.Input) *wire.APIError {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, f := range p.faults {
			if f.perRecord() && f.about(s) && f.picks(o, id, in) && f.strike() {
				struck(f.ID)
				return f.recordError(id)
			}
		}
		if p.wild != nil {
			return p.wild.decideRecord(id)
		}
		return nil
	}
}

func (f *plannedFault) recordError(id string) *wire.APIError {
	if f.Effect == EffectLockRow {
		if id == "" {
			id = "unknown"
		}
		return wire.ErrLockedRow(id)
	}
	if f.preset.Name != "" {
		return f.preset.refusal(&f.Fault)
	}
	err := wire.RecordError(f.Code, f.Message, f.Fields...)
	if f.Status != 0 {
		err.Status = f.Status
	}
	return err
}

// Active is a fault that acts on one call.
type Active struct {
	Fault
	preset Preset
	Drops  bool // the connection is closed without an answer
	Torn   bool // only half of the body is sent
}

// Before acts on a call that was not applied yet; true ends the call.
func (f *Active) Before(res *wire.Response) bool {
	switch f.Effect {
	case EffectSessionExpired:
		res.Fail(wire.ErrSession())
	case EffectDailyLimit:
		res.Fail(wire.ErrDailyLimit())
	case EffectConcurrentLimit:
		res.Fail(wire.ErrConcurrentLimit())
	case EffectGack:
		res.Fail(wire.ErrGack())
	case EffectUnavailable:
		unavailable(res)
	case EffectStatus:
		res.Bytes(200, nil)
	case EffectTokenError:
		res.TokenError(f.Code, f.Message)
	case EffectFalseSuccess: // [R amp-labs success-with-errors.json]
		res.Bytes(201, []byte(`{"id":"001RM000003oLrB000","success":false,"errors":[{"statusCode":"MALFORMED_ID","message":"malformed id 001RM000003oLrB000","fields":[]}]}`))
	case EffectOAuthHTML:
		oauthPage(res)
	case EffectDropBefore:
		f.Drops = true
	default:
		if f.preset.Name == "" {
			return false
		}
		f.answerPreset(res)
	}
	f.override(res)
	return true
}

// answerPreset refuses the whole call as the preset says.
func (f *Active) answerPreset(res *wire.Response) {
	e := f.preset.refusal(&f.Fault)
	if f.preset.Scope == ScopeToken {
		res.TokenError(e.Code, e.Message)
		return
	}
	res.Fail(e)
}

// oauthPage is what a part of the platform says that knows no JSON. [R
// django-salesforce: header and code; the page around them is an assumption]
func oauthPage(res *wire.Response) {
	res.Kind(wire.HTMLType)
	res.Header.Set("Sfdc-OAuth-Error", "1703")
	res.Header.Set("WWW-Authenticate", "Token")
	res.Set(401, []byte("<html><head></head><body>LOGIN_OAUTH_INVALID_TOKEN</body></html>"))
}

// override puts the fault's own status and body in place of the preset's.
func (f *Active) override(res *wire.Response) {
	if f.Status != 0 {
		res.Status = f.Status
	}
	if f.Body != "" {
		res.Body = []byte(f.Body)
	}
	if f.ContentType != "" {
		res.Kind(f.ContentType)
	}
}

// After acts on a call that was applied.
func (f *Active) After(res *wire.Response) {
	switch f.Effect {
	case EffectGackAfterCommit:
		res.Fail(wire.ErrGack())
		f.override(res)
	case EffectDropAfter:
		f.Drops = true
	case EffectTorn:
		f.Torn = true
	}
}

// unavailable is what the edge says during maintenance. [S]
func unavailable(res *wire.Response) {
	res.Kind(wire.HTMLType)
	res.Set(503, []byte("<!DOCTYPE html><html><head><title>Service Unavailable</title></head><body><h1>We are setting things up...</h1></body></html>"))
}
