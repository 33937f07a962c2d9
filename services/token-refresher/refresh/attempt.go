package refresh

import (
	"context"
	"errors"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// Codes of refusals that are Rollcall's own.
const (
	// CodeNotConnected: nobody has authenticated the org yet.
	CodeNotConnected = "NOT_CONNECTED"
	// CodeTokenSpent: the answer to a refresh was lost, and the token is consumed.
	CodeTokenSpent = "REFRESH_TOKEN_SPENT" //nolint:gosec // a code, not a credential
	// CodeTooLate: the request would have left later than the lease allows.
	CodeTooLate = "LEASE_OVER"
)

// attempt is one try to get a token.
type attempt struct {
	before *events.TokenRecord // as it was; nil where there was none
	rev    uint64
	creds  mark
	begun  time.Time
	early  bool

	spent    string // the refresh token to present; empty in flows without one
	spentErr error  // why there is none
	mark     string // names spent
	// unknown says that spent was presented before, and that nobody knows what
	// came of it.
	unknown bool
}

func (a attempt) generation() uint64 {
	if a.before == nil {
		return 0
	}
	return a.before.Generation
}

func (o *org) newAttempt(rec *events.TokenRecord, rev uint64, creds mark, early bool) attempt {
	a := attempt{before: rec, rev: rev, creds: creds, early: early, begun: o.now()}
	known := events.TokenRecord{}
	if rec != nil {
		known = *rec
	}
	if a.spent, a.spentErr = o.refreshToken(known, creds); a.spent != "" {
		a.mark = o.sealer.Mark("refresh token", a.spent)
		a.unknown = known.Intent != nil && known.Intent.Mark == a.mark
	}
	return a
}

// refreshToken returns the refresh token to spend: the one kept from the last
// grant, or the configured one where there is none or another was configured.
func (o *org) refreshToken(rec events.TokenRecord, creds mark) (string, error) {
	if !o.flow.refreshes {
		return "", nil
	}
	if len(rec.SealedRefresh) > 0 && parseMark(rec.CredentialMark).sameGrant(creds) {
		return o.sealer.OpenRefresh(o.name, rec.SealedRefresh)
	}
	if !o.connect.RefreshToken().Configured() {
		return "", &salesforce.TokenError{
			Code: CodeNotConnected, Description: "nobody has authenticated this org yet", Class: salesforce.TokenCredential,
			Outcome: salesforce.NotApplied,
		}
	}
	return o.connect.RefreshToken().Read()
}

// ask talks to the token endpoint, under the lease.
func (o *org) ask(ctx context.Context, a attempt) (salesforce.Grant, error) {
	if a.spentErr != nil {
		return salesforce.Grant{}, a.spentErr
	}
	if a.unknown {
		if err := o.introspect(ctx, a); err != nil {
			return salesforce.Grant{}, err
		}
	}
	// A process that was stopped for a while must not present what its successor
	// may have replaced already.
	if o.now().Add(o.cfg.CallTimeout).After(a.begun.Add(o.cfg.LeaseFor)) {
		return salesforce.Grant{}, &salesforce.TokenError{
			Code: CodeTooLate, Description: "too much time has passed since the lease was taken", Class: salesforce.TokenTransient,
			Outcome: salesforce.NotApplied,
		}
	}
	return o.flow.grant(ctx, o.oauth, a.spent)
}

// introspect finds out, without presenting it, whether a refresh token whose last
// use had no answer is still good. To present one that was rotated out would
// revoke the family.
func (o *org) introspect(ctx context.Context, a attempt) error {
	active, err := o.oauth.Introspect(ctx, a.spent)
	var te *salesforce.TokenError
	switch {
	case err == nil && active:
		return nil
	case err == nil:
		return o.consumed("the answer to a refresh was lost, and the refresh token is not good any more")
	case errors.As(err, &te) && te.Class == salesforce.TokenTransient:
		return inDoubt{te}
	case a.before != nil && a.before.Steady:
		return nil // without rotation, presenting it again does no harm
	}
	return o.consumed("the answer to a refresh was lost, and Salesforce does not say whether the refresh token is still good")
}

func (o *org) consumed(why string) error {
	return inDoubt{&salesforce.TokenError{Code: CodeTokenSpent, Description: why, Class: salesforce.TokenCredential, Outcome: salesforce.NotApplied}}
}

// inDoubt marks a refusal that leaves the outcome of the last use unknown.
type inDoubt struct{ *salesforce.TokenError }

func (d inDoubt) Unwrap() error { return d.TokenError }
