package events

import "time"

// Verb is what an entry of the audit log says.
type Verb string

// What admins ask for.
const (
	VerbRetry   Verb = "retry"
	VerbDiscard Verb = "discard"
	VerbRelease Verb = "release" // let what is held pass
	VerbReject  Verb = "reject"  // never do what is held
)

// What came of it, or happened by itself; written by retry-scheduler.
const (
	VerbRetried   Verb = "retried"   // the person is being looked at again
	VerbDiscarded Verb = "discarded" // the dead letter is gone, the revision given up
	VerbRefused   Verb = "refused"   // a target was not as the admin saw it
	VerbClosed    Verb = "closed"    // a newer success closed the dead letter
	VerbReleased  Verb = "released"  // what was held is no longer
	VerbRejected  Verb = "rejected"  // what was held is not done
)

// Verbs returns every verb, what admins ask for first.
func Verbs() []Verb {
	return append(VerbsAsked(), VerbRetried, VerbDiscarded, VerbRefused, VerbClosed, VerbReleased, VerbRejected)
}

// VerbsAsked returns what admins ask for.
func VerbsAsked() []Verb { return []Verb{VerbRetry, VerbDiscard, VerbRelease, VerbReject} }

// OperatorRequest is what an admin asks for. It names the dead letters, or what
// is held, as the admin saw them: one that has changed since is refused, not
// acted on.
type OperatorRequest struct {
	V       int       `json:"v"`
	ID      string    `json:"id"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Reason  string    `json:"reason,omitempty"`
	Targets []Target  `json:"targets"`
	// Urgent is of a release: see [Release].
	Urgent bool `json:"urgent,omitzero"`
}

// MaxTargets is the most dead letters one request may name; more are asked for
// in several requests with one id each.
const MaxTargets = 500

// Target is a dead letter, or one aspect that is held, as the admin saw it.
type Target struct {
	Org string `json:"org"`
	// Cause is the dead letter's.
	Cause Cause `json:"cause,omitempty"`
	Key   Key   `json:"key"`
	// Seq is the dead letter's sequence in DEAD, or that of [Held] in ROSTER.
	Seq uint64 `json:"seq"`
	// Aspect is the one that is held; empty for a dead letter.
	Aspect Aspect `json:"aspect,omitempty"`
}

// OperatorResult is what came of a request for one dead letter, or a dead
// letter that closed itself (Request is empty then).
type OperatorResult struct {
	V        int       `json:"v"`
	Request  string    `json:"request,omitempty"`
	By       string    `json:"by,omitempty"`
	At       time.Time `json:"at"`
	Target   Target    `json:"target"`
	Revision uint64    `json:"revision,omitzero"`
	Note     string    `json:"note,omitempty"`
}
