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
}

// Protects says whether one of a user's values is on the list.
func (o *Policy) Protects(values ...string) bool {
	for _, v := range values {
		if v != "" && o.Protected[strings.ToLower(v)] {
			return true
		}
	}
	return false
}
