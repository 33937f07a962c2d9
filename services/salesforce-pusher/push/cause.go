package push

import (
	"context"
	"errors"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/tokens"
)

// What was tried, as a failure names it.
const (
	opMap        = "map"
	opResolve    = "resolve"
	opLookup     = "lookup"
	opCreate     = "create"
	opUpdate     = "update"
	opDeactivate = "deactivate"
	opFreeze     = "freeze"
	opAssign     = "assign"
	opUnassign   = "unassign"
	opProbe      = "probe"
)

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

// failureOf is the record of a refusal, in Salesforce's own words.
func failureOf(e *salesforce.Error, operation string) *events.Failure {
	f := &events.Failure{
		Cause: causeOf(e.Class), Code: e.Code, Message: e.Message,
		Fields: e.Fields, Operation: operation, ErrorID: e.ErrorID,
	}
	switch e.Kind {
	case salesforce.KindAPIAccess:
		f.Cause = events.CauseCredentials
	case salesforce.KindDailyLimit, salesforce.KindConcurrentLimit:
		f.Value = e.Kind.String() // they are waited for differently
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

// lost is the failure of a person of whose call nothing is known although the
// org answers: nobody else's trouble, so it is counted and tried again.
func lost(e *salesforce.Error, operation string) *events.Failure {
	f := failureOf(e, operation)
	if f.Cause.OrgWide() {
		f.Cause = events.CauseTimeout
	}
	return f
}

// salesforceError finds the client's error in err. What is not one of the
// client's is Unknown, and may have been applied.
func salesforceError(err error) *salesforce.Error {
	var e *salesforce.Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &salesforce.Error{Class: salesforce.Timeout, Code: salesforce.CodeNoAnswer, Message: "The call was given up: no answer in time."}
	}
	return &salesforce.Error{Class: salesforce.Unknown, Message: "The client reported an error without a class."}
}

// trouble is what holds a whole org: nil if err is something else.
func trouble(err error, operation string) *events.Failure {
	var held *tokens.Held
	if errors.As(err, &held) {
		f := held.Failure
		f.Cause, f.Operation = events.CauseCredentials, operation
		if f.Message == "" {
			f.Message = held.Advice
		}
		return &f
	}
	if errors.Is(err, tokens.ErrNoNewer) {
		return &events.Failure{Cause: events.CauseCredentials, Operation: operation,
			Message: "Salesforce refused the session, and no newer one came in time."}
	}
	var e *salesforce.Error
	if !errors.As(err, &e) {
		return nil
	}
	f := failureOf(e, operation)
	if e.Code == salesforce.CodeNoSession {
		f.Cause = events.CauseCredentials // whatever kept the token away, nobody's data did
	}
	if f.Cause.OrgWide() {
		return f
	}
	return nil
}
