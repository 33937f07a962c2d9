package events

import "time"

// Verb is what an entry of the audit log says.
type Verb string

// What admins ask for.
const (
	VerbRetry   Verb = "retry"
	VerbDiscard Verb = "discard"
	// VerbMerge moves a Salesforce user from one person to another, who is the same
	// human; VerbRelease takes it away from one, for nobody. Both are done by
	// salesforce-pusher.
	VerbMerge   Verb = "merge"
	VerbRelease Verb = "release"
	// VerbAllow says yes to what a person is parked for (cause approval). It is done by
	// salesforce-pusher.
	VerbAllow  Verb = "allow"
	VerbPause  Verb = "pause"
	VerbResume Verb = "resume"
	// VerbSnapshot is no request: it says what an admin is about to publish.
	VerbSnapshot Verb = "snapshot"
)

// What came of it, or happened by itself; written by whoever did it: retry-scheduler,
// and of a merge, release or allow salesforce-pusher.
const (
	VerbRetried   Verb = "retried"   // the person is being looked at again
	VerbDiscarded Verb = "discarded" // the dead letter is gone, the revision given up
	VerbPaused    Verb = "paused"    // nothing is taken any more of what was named
	VerbResumed   Verb = "resumed"   // it goes on
	VerbRefused   Verb = "refused"   // a target was not as the admin saw it
	VerbClosed    Verb = "closed"    // a newer success closed the dead letter
	VerbMerged    Verb = "merged"    // the user is the other person's
	VerbReleased  Verb = "released"  // the user is nobody's
	VerbAllowed   Verb = "allowed"   // what was asked for is done, if it is still all that is desired
)

// Verbs returns every verb, what admins ask for first.
func Verbs() []Verb {
	return []Verb{
		VerbRetry, VerbDiscard, VerbMerge, VerbRelease, VerbAllow, VerbPause, VerbResume, VerbSnapshot,
		VerbRetried, VerbDiscarded, VerbRefused, VerbClosed, VerbMerged, VerbReleased, VerbAllowed, VerbPaused, VerbResumed,
	}
}

// Asked says whether a verb is an admin's, and not what came of one.
func (v Verb) Asked() bool {
	switch v {
	case VerbRetry, VerbDiscard, VerbMerge, VerbRelease, VerbAllow, VerbPause, VerbResume, VerbSnapshot:
		return true
	case VerbRetried, VerbDiscarded, VerbRefused, VerbClosed, VerbMerged, VerbReleased, VerbAllowed, VerbPaused, VerbResumed:
	}
	return false
}

// OperatorRequest is what an admin asks for. It names the dead letters as the
// admin saw them: one that has changed since is refused, not acted on.
type OperatorRequest struct {
	V       int       `json:"v"`
	ID      string    `json:"id"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Reason  string    `json:"reason,omitempty"`
	Targets []Target  `json:"targets,omitempty"`
	// UserID is the Salesforce user that a merge or release is about, whose Targets
	// are people, without a cause and number: who has it, and then who is to.
	UserID string `json:"userId,omitempty"`
	// Drops is another user that the second of a merge has, and is to let go for it.
	Drops string `json:"drops,omitempty"`
	// Asks is what an allow says yes to, as the admin saw it.
	Asks *Asks `json:"asks,omitempty"`
	// Scope is what to pause or to resume, and Pause the request by which what is
	// to be resumed was paused, as the admin saw it.
	Scope *Scope `json:"scope,omitempty"`
	Pause string `json:"pause,omitempty"`
	// Snapshot is set where that is the verb; it names no dead letter.
	Snapshot *Snapshot `json:"snapshot,omitempty"`
}

// MaxTargets is the most dead letters one request may name; more are asked for
// in several requests with one id each.
const MaxTargets = 500

// Target is a dead letter as the admin saw it.
type Target struct {
	Org   string `json:"org"`
	Cause Cause  `json:"cause"`
	Key   Key    `json:"key"`
	// Seq is the dead letter's sequence in DEAD.
	Seq uint64 `json:"seq"`
}

// OperatorResult is what came of a request for one dead letter, or a dead
// letter that closed itself (Request is empty then).
type OperatorResult struct {
	V        int       `json:"v"`
	Request  string    `json:"request,omitempty"`
	By       string    `json:"by,omitempty"`
	At       time.Time `json:"at"`
	Target   Target    `json:"target"`
	Scope    *Scope    `json:"scope,omitempty"`
	Revision uint64    `json:"revision,omitzero"`
	Note     string    `json:"note,omitempty"`
}
