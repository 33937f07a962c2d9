package plan

import (
	"context"
	"errors"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// What was tried, as a failure names it.
const (
	OpResolve    = "resolve"
	OpLookup     = "lookup"
	OpCreate     = "create"
	OpUpdate     = "update"
	OpDeactivate = "deactivate"
	OpFreeze     = "freeze"
	OpAssign     = "assign"
	OpUnassign   = "unassign"
	OpProbe      = "probe"
)

// ValueRights marks the failure of an org whose integration user lost a right:
// sessions work, and every person would be refused.
const ValueRights = "permissions"

// causeOf is the one table from Salesforce's classes to causes.
func causeOf(class salesforce.Class) events.Cause {
	switch class {
	case salesforce.Credentials:
		return events.CauseCredentials
	case salesforce.Throttled:
		return events.CauseThrottled
	case salesforce.Unavailable:
		return events.CauseUnavailable
	case salesforce.Locked:
		return events.CauseLocked
	case salesforce.Timeout:
		return events.CauseTimeout
	case salesforce.Licence:
		return events.CauseLicence
	case salesforce.Duplicate:
		return events.CauseDuplicate
	case salesforce.Invalid:
		return events.CauseInvalid
	case salesforce.Forbidden:
		return events.CauseForbidden
	case salesforce.Reference, salesforce.Misconfigured:
		return events.CauseMisconfigured
	case salesforce.NotFound, salesforce.Deleted, salesforce.AlreadyDone,
		salesforce.Programming, salesforce.Halted, salesforce.Unknown:
		return events.CauseUnknown
	}
	return events.CauseUnknown
}

// Refusal is a call that did not come to what it should, and what is known of
// the circumstances.
type Refusal struct {
	Err       *salesforce.Error
	Operation string
	// Alone: the org answers others, so it is no trouble of the whole org.
	Alone bool
	// Probe: the call was made to find out whether the org is back.
	Probe bool
	// Kept: a deactivation that the org refuses for a reason of its own.
	Kept bool
	// Demoted: the integration user lost a right that it needs for everybody.
	Demoted bool
}

// override is an exception to the table of classes.
type override struct {
	why   string
	when  func(Refusal) bool
	cause events.Cause
	// value, where set, goes into the failure's Value.
	value string
}

// overrides are all exceptions there are; the first that applies counts.
func overrides() []override {
	return []override{
		{why: "the integration user lost a right that it needs for everybody",
			when: func(r Refusal) bool { return r.Demoted }, cause: events.CauseCredentials, value: ValueRights},
		{why: "Salesforce keeps the user active for a reason of the org's own",
			when: func(r Refusal) bool { return r.Kept }, cause: events.CauseDeactivationRefused},
		{why: "a lost call in an org that answers is counted, and tried again",
			when: func(r Refusal) bool { return r.Alone && troublesAll(r.Err) }, cause: events.CauseTimeout},
		{why: "without a session nobody's data is at fault, whatever kept it away",
			when: func(r Refusal) bool { return r.Err.Code == salesforce.CodeNoSession }, cause: events.CauseCredentials},
		{why: "an app that may not use the API is a matter of credentials",
			when: func(r Refusal) bool { return r.Err.Kind == salesforce.KindAPIAccess }, cause: events.CauseCredentials},
		{why: "an org that does not answer its probe is not back",
			when: func(r Refusal) bool {
				return r.Probe && (r.Err.Class == salesforce.Timeout || r.Err.Status >= 500) && !causeOf(r.Err.Class).OrgWide()
			},
			cause: events.CauseUnavailable},
	}
}

// troublesAll says whether a refusal would be trouble of the whole org.
func troublesAll(e *salesforce.Error) bool {
	return causeOf(e.Class).OrgWide() || e.Kind == salesforce.KindAPIAccess || e.Code == salesforce.CodeNoSession
}

// Diagnose is the record of a refusal: its cause, in Salesforce's own words.
func Diagnose(r Refusal) *events.Failure {
	e := r.Err
	f := &events.Failure{
		Cause: causeOf(e.Class), Code: e.Code, Message: e.Message,
		Fields: e.Fields, Operation: r.Operation, ErrorID: e.ErrorID,
	}
	switch e.Kind {
	case salesforce.KindDailyLimit, salesforce.KindConcurrentLimit:
		f.Value = e.Kind.String() // they are waited for differently
	}
	for _, o := range overrides() {
		if !o.when(r) {
			continue
		}
		if f.Cause = o.cause; o.value != "" {
			f.Value = o.value
		}
		break
	}
	for _, also := range e.Also {
		f.Message += "\n" + also.Message
		f.Fields = append(f.Fields, also.Fields...)
	}
	if f.Message == "" {
		f.Message = e.Error()
	}
	return f
}

// OrgTrouble is what holds a whole org; nil if it is something else.
func OrgTrouble(e *salesforce.Error, operation string) *events.Failure {
	if f := Diagnose(Refusal{Err: e, Operation: operation}); f.Cause.OrgWide() {
		return f
	}
	return nil
}

// ErrorIn finds the client's error in err. What is not one of the client's is
// Unknown, and may have been applied.
func ErrorIn(err error) *salesforce.Error {
	var e *salesforce.Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &salesforce.Error{Class: salesforce.Timeout, Code: salesforce.CodeNoAnswer, Message: "The call was given up: no answer in time."}
	}
	return &salesforce.Error{Class: salesforce.Unknown, Message: "The client reported an error without a class."}
}
