package faults

// Fault is a planned misbehaviour. All match fields that are set must match.
type Fault struct {
	// ID is given when empty.
	ID string `json:"id,omitempty"`
	// Operation as the journal names it: token, query, query.more, limits,
	// sobject.create|get|update|upsert|delete, collections.create|update|
	// upsert|delete|get, composite, batch, bulk.*; "any" or empty: every one;
	// "mutating": every one that changes something.
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
	// AtLeast picks records that come in a call with so many or more; for effects
	// on single records. 0 and 1: alone as well.
	AtLeast int `json:"atLeast,omitempty"`
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
	// LateMillis is how long after it came a call is applied, with EffectLate;
	// up to 600,000. 0: when somebody says so.
	LateMillis int `json:"lateMillis,omitempty"`
	// Hold leaves the caller without an answer until it gives up, with
	// EffectLate, instead of closing the connection at once.
	Hold bool `json:"hold,omitempty"`
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
	EffectLate            Effect = "late"             // no answer, applied later; for calls that change something
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
	// EffectGackRecord: 500 UNKNOWN_EXCEPTION for a whole collection that has the
	// record, nothing applied; AtLeast says whether the record alone is enough.
	EffectGackRecord Effect = "gack_record"
)

// known says whether the effect is one of the constants or names a preset.
func (e Effect) known() bool {
	switch e {
	case EffectSessionExpired, EffectDailyLimit, EffectConcurrentLimit, EffectUnavailable, EffectGack, EffectStatus,
		EffectTokenError, EffectOAuthHTML, EffectFalseSuccess, EffectDropBefore, EffectSlow, EffectLate, EffectGackAfterCommit, EffectDropAfter, EffectTorn, EffectLockRow, EffectRecordError, EffectGackRecord:
		return true
	}
	_, named := preset(e)
	return named
}
