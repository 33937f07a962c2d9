package plan

import (
	"strings"
	"time"
)

// Policy is what configuration allows in one org.
type Policy struct {
	// Match is how an existing user is recognised.
	Match Matcher
	// Create, Update and Deactivate may each be switched off.
	Create, Update, Deactivate bool
	// FreezeFirst freezes a user before deactivating them.
	FreezeFirst bool
	// LateFor is how long after the end of its claim a call without an answer may
	// still be applied.
	LateFor time.Duration
	// ClaimTTL is how long a claim lasts, ClaimMost is longer than any.
	ClaimTTL, ClaimMost time.Duration
	// Leave are the kinds of drift that are not repaired: what somebody did by hand
	// stays, whatever else is sent.
	Leave map[string]bool
	// Protected are usernames (lower case) and user ids that are never touched.
	Protected map[string]bool
	// Integration is the id of the user that Rollcall itself signs in as, who is never
	// touched either; empty where that is not known.
	Integration string
	// Holds are the names that this configuration gives to anybody: no other is ever
	// given, whoever wrote it into a desired state.
	Holds Names
	// SelfUnknown says that nobody can tell who the integration user is.
	SelfUnknown bool
	// Privileged is what may make an administrator of somebody.
	Privileged Privileged
}

// Protects says whether one of a user's values is on the list, or its id that of the
// integration user.
func (o *Policy) Protects(values ...string) bool {
	for _, v := range values {
		if o.integrates(v) || v != "" && o.Protected[strings.ToLower(v)] {
			return true
		}
	}
	return false
}

// integrates says whether an id, in the form of 15 or of 18 characters, is that of the
// integration user.
func (o *Policy) integrates(id string) bool {
	return len(id) >= shortID && len(o.Integration) >= shortID && id[:shortID] == o.Integration[:shortID]
}

// shortID is how much of an id says which record it is; the rest is a checksum.
const shortID = 15
