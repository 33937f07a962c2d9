package salesforce

import (
	"errors"
	"fmt"
	"strings"
)

// Class says what kind of trouble an Error is. The list is closed; code that
// acts on errors switches on it and never on Salesforce's codes or texts.
type Class uint8

// The classes. The zero value is Unknown, so that an answer nobody has a word
// for is never taken for something harmless.
const (
	// Unknown is an answer without a known meaning, or Salesforce's own
	// "unexpected error": try a few times, then show it to a person.
	Unknown Class = iota
	// Credentials: Salesforce refuses the session, or the session may not be
	// used (another org, a host outside the allow-list). Org-wide.
	Credentials
	// Throttled: the daily or the concurrent limit; see Kind. Org-wide.
	Throttled
	// Unavailable: outage, maintenance, network, certificate, redirect, or
	// somebody other than Salesforce's API answered. Org-wide.
	Unavailable
	// Locked: a row lock, gone in seconds.
	Locked
	// Timeout: no answer in time; see Outcome before repeating.
	Timeout
	// Licence: no seat is free.
	Licence
	// Duplicate: a unique value belongs to another record; see Kind.
	Duplicate
	// AlreadyDone: what was asked for is already so.
	AlreadyDone
	// Invalid: Salesforce refuses the data.
	Invalid
	// Reference: an id is wrong, deleted or not visible: resolve it again.
	Reference
	// Forbidden: the integration user lacks a right.
	Forbidden
	// Misconfigured: an admin must change something in the org; see Kind.
	Misconfigured
	// NotFound: Salesforce itself says that the resource does not exist.
	NotFound
	// Deleted: the record was there and is deleted.
	Deleted
	// Programming: the request was wrong: a bug of the caller or this package.
	Programming
	// Halted: the consequence of a sibling's failure; never the cause.
	Halted

	// classCount is how many there are.
	classCount = iota
)

// Classes returns every class, for tables and tests.
func Classes() []Class {
	return []Class{
		Unknown, Credentials, Throttled, Unavailable, Locked, Timeout, Licence, Duplicate, AlreadyDone,
		Invalid, Reference, Forbidden, Misconfigured, NotFound, Deleted, Programming, Halted,
	}
}

// String names the class in lower case, fit for a metric label.
func (c Class) String() string {
	names := [...]string{
		"unknown", "credentials", "throttled", "unavailable", "locked", "timeout", "licence", "duplicate",
		"already_done", "invalid", "reference", "forbidden", "misconfigured", "not_found", "deleted",
		"programming", "halted",
	}
	if int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("class(%d)", uint8(c))
}

// OrgWide says whether the class is trouble of the whole org, and so no
// record's own failure.
func (c Class) OrgWide() bool {
	return c == Credentials || c == Throttled || c == Unavailable
}

// Kind divides a few classes further, where somebody acts on the difference.
type Kind uint8

// The kinds, with the class they belong to.
const (
	KindNone            Kind = iota
	KindDailyLimit           // Throttled: the rolling 24 hours are used up; hours
	KindConcurrentLimit      // Throttled: too much at once; seconds
	KindUsername             // Duplicate: Username, unique over all orgs of Salesforce
	KindFederationID         // Duplicate: FederationIdentifier, unique per org
	KindNickname             // Duplicate: CommunityNickname, unique per org
	KindOther                // Duplicate: anything else
	KindAPIAccess            // Misconfigured: no call of this user or to this host can work; org-wide
	KindOrgRule              // Misconfigured: a validation rule, flow or trigger of the org refuses
	KindLicenceMismatch      // Misconfigured: the user's licence does not allow the profile or permission set
	KindSchema               // Misconfigured: a field or object is missing or hidden
	KindCursor               // Timeout: a query locator expired; run the query again
)

// String names the kind in lower case; KindNone is empty.
func (k Kind) String() string {
	names := [...]string{
		"", "daily_limit", "concurrent_limit", "username", "federation_id", "nickname", "other",
		"api_access", "org_rule", "licence_mismatch", "schema", "cursor",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Outcome says whether a call that failed may have changed something.
type Outcome uint8

// The outcomes. The zero value is the careful one.
const (
	// MaybeApplied: the answer got lost or cannot be read; read back first.
	MaybeApplied Outcome = iota
	// NotApplied: nothing was changed, it is safe to repeat.
	NotApplied
	// Applied: the change is made although an error is reported (a token was
	// issued but is refused, say).
	Applied
)

// String names the outcome in lower case.
func (o Outcome) String() string {
	switch o {
	case NotApplied:
		return "not_applied"
	case Applied:
		return "applied"
	case MaybeApplied:
		return "maybe_applied"
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// Error is one refusal or failure of Salesforce's API, classified.
//
// Error() is fit for logs: it holds code, class, field names and a redacted
// text. Message is what Salesforce said, word for word, and may hold personal
// data: it belongs in a dead letter, never in a log.
type Error struct {
	Class   Class
	Kind    Kind
	Status  int    // HTTP status; 0 inside a collection's result or without an answer
	Code    string // Salesforce's own code, or one of this package's Code constants
	Message string
	Fields  []string
	ErrorID string // what Salesforce's support asks for
	Outcome Outcome
	// Also holds the other errors of the same answer (several validation rules).
	Also []*Error

	cause error
}

// Codes of failures that Salesforce has no code for.
const (
	CodeNoAnswer        = "NO_ANSWER"         // transport failure
	CodeUnreadable      = "UNREADABLE_ANSWER" // torn, over-long, not JSON, or not what was asked for
	CodeNotSalesforce   = "NOT_SALESFORCE"    // a status without Salesforce's error body
	CodeRedirect        = "REDIRECT_REFUSED"  // a redirect is never followed with a token
	CodeHostRefused     = "HOST_REFUSED"      // the session's instance URL may not be used
	CodeOrgRefused      = "ORG_REFUSED"       // the session belongs to another org
	CodeNoSession       = "NO_SESSION"        // Sessions returned an error
	CodeBadRequest      = "BAD_REQUEST"       // refused by this package before sending
	CodeMultipleChoices = "MULTIPLE_CHOICES"  // several records have the external id
)

// Error says what happened without personal data, ids or tokens.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("salesforce: ")
	b.WriteString(redactCode(e.Code))
	b.WriteString(" (")
	b.WriteString(e.Class.String())
	if e.Kind != KindNone {
		b.WriteString("/" + e.Kind.String())
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ", HTTP %d", e.Status)
	}
	if e.Outcome == MaybeApplied {
		b.WriteString(", may have been applied")
	}
	b.WriteString(")")
	if fields := redactFields(e.Fields); fields != "" {
		b.WriteString(" on " + fields)
	}
	if text := redactMessage(e.Code, e.Message); text != "" {
		b.WriteString(": " + text)
	}
	if e.ErrorID != "" {
		b.WriteString(" [ErrorId " + e.ErrorID + "]")
	}
	return b.String()
}

// Unwrap returns what lies beneath (a context or network error, or the error
// of Sessions), nil where Salesforce itself answered.
func (e *Error) Unwrap() error { return e.cause }

// OrgWide says whether the failure is trouble of the whole org: one of the
// three org-wide classes, or an org in which no call can work (API disabled).
func (e *Error) OrgWide() bool { return e.Class.OrgWide() || e.Kind == KindAPIAccess }

// asError returns the Error in err's chain.
func asError(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// programming is the Error for a request that this package refuses to send.
func programming(format string, args ...any) *Error {
	return &Error{Class: Programming, Code: CodeBadRequest, Message: fmt.Sprintf(format, args...), Outcome: NotApplied}
}

// unreadable is the Error for an answer that does not say what was asked.
func unreadable(status int, mutating bool, format string, args ...any) *Error {
	return &Error{
		Class: Unavailable, Status: status, Code: CodeUnreadable,
		Message: fmt.Sprintf(format, args...), Outcome: outcomeOf(mutating),
	}
}

// outcomeOf is the outcome of a call whose answer is unknown.
func outcomeOf(mutating bool) Outcome {
	if mutating {
		return MaybeApplied
	}
	return NotApplied
}
