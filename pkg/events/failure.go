package events

import (
	"slices"
	"time"
)

// Cause is the word for why a person is not as they should be. The list is
// closed; what is done about each stands in one table, in
// services/retry-scheduler/retry/policy.go, rendered into docs/failures.md.
type Cause string

// Org-wide causes: nobody's failure. The org is held, nothing is parked, no
// attempt is counted.
const (
	CauseCredentials Cause = "credentials" // Salesforce refuses Rollcall's own sign-in
	CauseThrottled   Cause = "throttled"   // daily or concurrent API limit
	CauseUnavailable Cause = "unavailable" // outage, maintenance, network
)

// Causes that are retried, a bounded number of times, before they are parked.
const (
	CauseLocked        Cause = "locked"         // a row lock in Salesforce
	CauseTimeout       Cause = "timeout"        // no answer in time
	CauseUnknown       Cause = "unknown"        // an answer nobody has a word for
	CauseWaiting       Cause = "waiting"        // a username is still another person's, who is to give it up
	CauseNotConfigured Cause = "not_configured" // the pusher's configuration gives nobody what is desired
)

// Causes that are parked at once: somebody has to change something first.
const (
	CauseLicence             Cause = "licence"              // no seat free
	CauseCreateDisabled      Cause = "create_disabled"      // config forbids creating users in this org
	CauseUpdateDisabled      Cause = "update_disabled"      // config forbids updating
	CauseDeactivateDisabled  Cause = "deactivate_disabled"  // config forbids deactivating
	CauseAmbiguousMatch      Cause = "ambiguous_match"      // several users fit one person, or rules disagree
	CauseInvalid             Cause = "invalid"              // Salesforce refuses a value
	CauseDuplicate           Cause = "duplicate"            // a unique value belongs to somebody else
	CauseForbidden           Cause = "forbidden"            // the integration user may not
	CauseMisconfigured       Cause = "misconfigured"        // a profile, role or setting named in config is not there
	CauseDeactivationRefused Cause = "deactivation_refused" // Salesforce keeps the user active
	CauseGroupMapping        Cause = "group_mapping"        // a permission set, group or queue named in config is not there
	CauseMapping             Cause = "mapping"              // an expression failed for this person
	CauseUserGone            Cause = "user_gone"            // the user that Rollcall knew is not in the org any more
	CauseProtected           Cause = "protected"            // the user is on the list that Rollcall never touches
	CausePrivileged          Cause = "privileged"           // what makes an administrator is not named as such in config
	CauseApproval            Cause = "approval"             // an admin has to say yes first
	CausePoison              Cause = "poison"               // an event that cannot be understood
)

// Causes returns every cause, in the order of the documentation.
func Causes() []Cause {
	return []Cause{
		CauseCredentials, CauseThrottled, CauseUnavailable,
		CauseLocked, CauseTimeout, CauseUnknown, CauseWaiting, CauseNotConfigured,
		CauseLicence, CauseCreateDisabled, CauseUpdateDisabled, CauseDeactivateDisabled,
		CauseAmbiguousMatch, CauseInvalid, CauseDuplicate, CauseForbidden, CauseMisconfigured,
		CauseDeactivationRefused, CauseGroupMapping, CauseMapping, CauseUserGone, CauseProtected, CausePrivileged, CauseApproval, CausePoison,
	}
}

// OrgWide says whether a cause is trouble of a whole org and nobody's failure.
func (c Cause) OrgWide() bool {
	return c == CauseCredentials || c == CauseThrottled || c == CauseUnavailable
}

// Failure is the record of what went wrong, in the words an admin needs. It may
// hold personal data (a refused value), so it belongs in payloads only: never
// in a log, span or metric.
type Failure struct {
	Cause Cause `json:"cause"`
	// Code is Salesforce's own code ("LICENSE_LIMIT_EXCEEDED"), empty where
	// Salesforce was not asked.
	Code string `json:"code,omitempty"`
	// Message is Salesforce's own sentence, or ours where it was not asked.
	Message string `json:"message"`
	// Fields are the Salesforce fields concerned.
	Fields []string `json:"fields,omitempty"`
	// Operation is what was tried: "create", "update", "deactivate", "assign", "map".
	Operation string `json:"operation,omitempty"`
	// Expression and Value are set by a failed mapping: what was evaluated and
	// the value that broke it.
	Expression string `json:"expression,omitempty"`
	Value      string `json:"value,omitempty"`
	// ErrorID is what Salesforce's support asks for.
	ErrorID string `json:"errorId,omitempty"`
	// Asks is what an admin has to say yes to, where the cause is approval.
	Asks *Asks `json:"asks,omitempty"`
}

// Asks is what is done with nobody's user but after an admin's yes. Whoever says yes says
// it to this and to no more.
type Asks struct {
	// UserID is an existing Salesforce user whom the person is to have.
	UserID string `json:"userId,omitempty"`
	// Grants are administrative profiles and permission sets that they are to get,
	// named as in [Link.Assigned] ("profile/System Administrator").
	Grants []string `json:"grants,omitempty"`
}

// Within says whether all of it is in another, to which somebody said yes.
func (a Asks) Within(other Asks) bool {
	if a.UserID != "" && a.UserID != other.UserID {
		return false
	}
	for _, g := range a.Grants {
		if !slices.Contains(other.Grants, g) {
			return false
		}
	}
	return true
}

// Origin is where a change came from: kept on everything that follows from it.
type Origin struct {
	EventID string    `json:"eventId,omitempty"`
	Source  string    `json:"source,omitempty"`
	Seq     uint64    `json:"seq,omitzero"`  // in DIRECTORY
	Time    time.Time `json:"time,omitzero"` // when DIRECTORY stored it
	// Traceparent is the W3C trace context of the change.
	Traceparent string `json:"traceparent,omitempty"`
}
