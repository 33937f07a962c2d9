package refresh

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// ordinaryAge is how long a token must have lived for its refusal to be ordinary.
// One that is refused sooner, again and again, will not be mended by the next.
const ordinaryAge = time.Minute

// movedAtMost bounds the time between two questions where an org has gone.
const movedAtMost = 10 * time.Minute

// decision is what to do about an org now.
type decision struct {
	// refresh says to ask the token endpoint.
	refresh bool
	// early says that the present token is still good as far as is known.
	early bool
	// wait is when to look again, if nothing happens before; zero for never.
	wait time.Time
}

// decide looks at an org's record, what its health says, its credentials, and
// when the token is to be renewed though nobody complains (zero for never).
func decide(rec *events.TokenRecord, health *events.Health, now mark, renew, at time.Time) decision {
	if rec == nil {
		return decision{refresh: true}
	}
	if rec.Lease != nil && rec.Lease.Until.After(at) {
		return decision{wait: rec.Lease.Until}
	}
	was := parseMark(rec.CredentialMark)
	switch rec.State {
	case events.TokenConnected:
		if was.identity != now.identity {
			return decision{refresh: true} // the token is of another app or org
		}
		if !refused(rec, health) {
			return early(rec, renew, at)
		}
		return due(rec.At.Add(shortLived(rec.Tries)), at)
	case events.TokenHeld:
		switch {
		case was != now:
			return decision{refresh: true}
		case rec.RetryAt.IsZero():
			return decision{} // nothing but new credentials helps
		}
		return due(rec.RetryAt, at)
	case events.TokenRefreshing:
	}
	return due(rec.RetryAt, at)
}

// early is when a token that nobody complains about is renewed.
func early(rec *events.TokenRecord, renew, at time.Time) decision {
	if renew.IsZero() {
		return decision{}
	}
	if rec.RetryAt.After(renew) {
		renew = rec.RetryAt // it was tried already
	}
	d := due(renew, at)
	d.early = d.refresh
	return d
}

func due(t, at time.Time) decision {
	if t.After(at) {
		return decision{wait: t}
	}
	return decision{refresh: true}
}

// refused says whether the org's health is a complaint about this very token;
// one about an older token has been answered.
func refused(rec *events.TokenRecord, h *events.Health) bool {
	return h != nil && h.State == events.HealthHeld && h.Failure != nil &&
		h.Failure.Cause == events.CauseCredentials && h.TokenGeneration == rec.Generation
}

// unreached says whether the org does not answer under the address that came with
// this very token, or somebody answers who is not Salesforce.
func unreached(rec *events.TokenRecord, h *events.Health) bool {
	if h == nil || h.State != events.HealthHeld || h.Failure == nil ||
		h.Failure.Cause != events.CauseUnavailable || h.TokenGeneration != rec.Generation {
		return false
	}
	switch h.Failure.Code {
	case salesforce.CodeNoAnswer, salesforce.CodeRedirect, salesforce.CodeNotSalesforce, salesforce.CodeUnreadable:
		return true
	}
	return false
}

// askWhere is when the token endpoint is asked where an org is that is not reached
// any more, for only its answer names the address; zero for never. It is asked
// after a while, then each time after as long again as the org has not been
// reached: an outage looks alike, and each answer may spend a refresh token.
func askWhere(rec *events.TokenRecord, h *events.Health, after time.Duration) time.Time {
	switch {
	case rec == nil || !unreached(rec, h):
		return time.Time{}
	case rec.At.Before(h.Since):
		return h.Since.Add(after)
	}
	return rec.At.Add(min(max(rec.At.Sub(h.Since), after), movedAtMost))
}

// sooner is the first of two times, of which zero is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// shortLived is how long after a token's issue its refusal is acted on, by how
// many tokens before it were refused within a minute.
func shortLived(tries int) time.Duration {
	if tries == 0 {
		return 0
	}
	return min(5*time.Second<<min(tries-1, 10), 5*time.Minute)
}
