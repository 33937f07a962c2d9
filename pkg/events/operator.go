package events

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Verb is what an entry of the audit log says.
type Verb string

// What admins ask for.
const (
	VerbRetry   Verb = "retry"
	VerbDiscard Verb = "discard"
	// VerbMerge moves a Salesforce user from one person to another, who is the same
	// human; VerbUnlink takes it away from one, for nobody. Both are done by
	// salesforce-pusher.
	VerbMerge   Verb = "merge"
	VerbUnlink  Verb = "unlink"
	VerbPause   Verb = "pause"
	VerbResume  Verb = "resume"
	VerbRelease Verb = "release" // let what is held pass
	VerbReject  Verb = "reject"  // never do what is held
	VerbResync  Verb = "resync"  // read people anew from Salesforce
	// VerbAllow says yes to what a person is parked for (cause approval). It is done by
	// salesforce-pusher.
	VerbAllow Verb = "allow"
	// VerbSnapshot is no request: it says what an admin is about to publish.
	VerbSnapshot Verb = "snapshot"
)

// What came of it, or happened by itself; written by whoever did it: retry-scheduler,
// and of a merge, unlink or allow salesforce-pusher.
const (
	VerbRetried   Verb = "retried"   // the person is being looked at again
	VerbDiscarded Verb = "discarded" // the dead letter is gone, the revision given up
	VerbPaused    Verb = "paused"    // nothing is taken any more of what was named
	VerbResumed   Verb = "resumed"   // it goes on
	VerbRefused   Verb = "refused"   // a target was not as the admin saw it
	VerbClosed    Verb = "closed"    // a newer success closed the dead letter
	VerbMerged    Verb = "merged"    // the user is the other person's
	VerbUnlinked  Verb = "unlinked"  // the user is nobody's
	VerbReleased  Verb = "released"  // what was held is no longer
	VerbRejected  Verb = "rejected"  // what was held is not done
	VerbResynced  Verb = "resynced"  // those selected are being read anew
	VerbAllowed   Verb = "allowed"   // what was asked for is done, if it is still all that is desired
)

// Verbs returns every verb, what admins ask for first.
func Verbs() []Verb {
	return []Verb{
		VerbRetry, VerbDiscard, VerbRelease, VerbReject, VerbMerge, VerbUnlink, VerbAllow, VerbResync, VerbPause, VerbResume, VerbSnapshot,
		VerbRetried, VerbDiscarded, VerbRefused, VerbClosed, VerbReleased, VerbRejected, VerbMerged, VerbUnlinked, VerbAllowed, VerbResynced, VerbPaused, VerbResumed,
	}
}

// Asked says whether a verb is an admin's, and not what came of one.
func (v Verb) Asked() bool {
	switch v {
	case VerbRetry, VerbDiscard, VerbRelease, VerbReject, VerbMerge, VerbUnlink, VerbAllow, VerbResync, VerbPause, VerbResume, VerbSnapshot:
		return true
	case VerbRetried, VerbDiscarded, VerbRefused, VerbClosed, VerbReleased, VerbRejected, VerbMerged, VerbUnlinked, VerbAllowed, VerbResynced, VerbPaused, VerbResumed:
	}
	return false
}

// OperatorRequest is what an admin asks for. It names the dead letters, or what
// is held, as the admin saw them: one that has changed since is refused, not
// acted on.
type OperatorRequest struct {
	V       int       `json:"v"`
	ID      string    `json:"id"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Reason  string    `json:"reason,omitempty"`
	Targets []Target  `json:"targets,omitempty"`
	// UserID is the Salesforce user that a merge or unlink is about, whose Targets
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
	// Urgent is of a release: see [Release].
	Urgent bool `json:"urgent,omitzero"`
	// Select says whom a resync is about; nil for the other verbs.
	Select *Selection `json:"select,omitempty"`
}

// Which of an org's people a [Selection] takes.
const (
	SelectActive  = "active"  // who should have an active user
	SelectLeft    = "left"    // who should not
	SelectDrifted = "drifted" // of whom drift is known
)

// SelectStates are all values of [Selection].State but the empty one.
func SelectStates() []string { return []string{SelectActive, SelectLeft, SelectDrifted} }

// Selection are people of one org: those with Keys, or all; of them those in State.
type Selection struct {
	Org   string `json:"org"`
	Keys  []Key  `json:"keys,omitempty"`
	State string `json:"state,omitempty"`
}

// Check says what is wrong with a selection, which comes from outside.
func (s Selection) Check() error {
	if err := CheckName(s.Org); err != nil {
		return fmt.Errorf("the org is not a name: %w", err)
	}
	if s.State != "" && !slices.Contains(SelectStates(), s.State) {
		return fmt.Errorf("there is no state %q; there are: %v", s.State, SelectStates())
	}
	if len(s.Keys) > MaxTargets {
		return fmt.Errorf("it names %d people, the limit is %d", len(s.Keys), MaxTargets)
	}
	for _, k := range s.Keys {
		if k == "" || strings.ContainsFunc(string(k), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
			return errors.New("a key is not a key")
		}
	}
	return nil
}

// Takes says whether a person of the org is one of those selected; link is the
// zero Link where there is none.
func (s Selection) Takes(d Desired, link Link) bool {
	if len(s.Keys) > 0 && !slices.Contains(s.Keys, d.Key) {
		return false
	}
	switch s.State {
	case SelectActive:
		return d.Active
	case SelectLeft:
		return !d.Active
	case SelectDrifted:
		return link.Drift.Stands()
	}
	return true
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
	Scope    *Scope    `json:"scope,omitempty"`
	Revision uint64    `json:"revision,omitzero"`
	Note     string    `json:"note,omitempty"`
	// Select and Count are of a resync: who was selected, and how many they were.
	Select *Selection `json:"select,omitempty"`
	Count  int        `json:"count,omitzero"`
}
