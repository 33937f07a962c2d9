package emulator

import "github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/faults"

//go:generate go run ./internal/faultdoc -o ../../../docs/emulator-faults.md

// Fault is a planned misbehaviour. All match fields that are set must match;
// docs/emulator.md lists them.
type Fault = faults.Fault

// Effect says what a fault does: one of the constants, or the name of a Preset.
type Effect = faults.Effect

// Effects on a whole call, before anything is applied.
const (
	EffectSessionExpired  = faults.EffectSessionExpired  // 401 INVALID_SESSION_ID
	EffectDailyLimit      = faults.EffectDailyLimit      // 403 REQUEST_LIMIT_EXCEEDED, TotalRequests
	EffectConcurrentLimit = faults.EffectConcurrentLimit // 403 REQUEST_LIMIT_EXCEEDED, ConcurrentRequests
	EffectUnavailable     = faults.EffectUnavailable     // 503 HTML
	EffectOAuthHTML       = faults.EffectOAuthHTML       // 401 HTML with the header Sfdc-OAuth-Error
	EffectGack            = faults.EffectGack            // 500 UNKNOWN_EXCEPTION
	EffectFalseSuccess    = faults.EffectFalseSuccess    // 201, and a body that says failure; for single records
	EffectStatus          = faults.EffectStatus          // Status and Body as given
	EffectTokenError      = faults.EffectTokenError      // 400 error and error_description
	EffectDropBefore      = faults.EffectDropBefore      // connection closed, nothing applied
	EffectSlow            = faults.EffectSlow            // only DelayMillis
	EffectLate            = faults.EffectLate            // no answer, applied later, see Late; for calls that change something
)

// Effects on a whole call, after it was applied.
const (
	EffectGackAfterCommit = faults.EffectGackAfterCommit // applied, then 500
	EffectDropAfter       = faults.EffectDropAfter       // applied, then connection closed
	EffectTorn            = faults.EffectTorn            // applied, then half of the body
)

// Effects on single records, inside collections too.
const (
	EffectLockRow     = faults.EffectLockRow     // UNABLE_TO_LOCK_ROW
	EffectRecordError = faults.EffectRecordError // Code, Message, Fields
	EffectGackRecord  = faults.EffectGackRecord  // 500 for the whole collection that has the record, nothing applied; see Fault.AtLeast
)

// Preset is a refusal that one word plans: its Name is an Effect.
type Preset = faults.Preset

// Scope says what a preset answers for.
type Scope = faults.Scope

// The scopes of presets.
const (
	ScopeCall   = faults.ScopeCall   // the whole call is refused, nothing is applied
	ScopeRecord = faults.ScopeRecord // one record is refused, inside collections and jobs too
	ScopeToken  = faults.ScopeToken  // the token endpoint refuses
)

// Presets lists all of them, in the order of docs/emulator-faults.md.
func Presets() []Preset { return faults.Presets() }
