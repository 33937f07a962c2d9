package refresh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
	"github.com/rollcall-sync/rollcall/services/internal/secrets"
)

// minRedact is the shortest secret that is cut out of what Salesforce says.
const minRedact = 4

// refresh asks the token endpoint once, between taking and releasing the lease.
// It is finished also when ctx ends meanwhile: a rotated token must be stored.
func (o *org) refresh(ctx context.Context, rec *events.TokenRecord, rev uint64, creds mark, early bool) {
	a := o.newAttempt(rec, rev, creds, early)
	held, leased, ok := o.lease(ctx, a)
	if !ok {
		return
	}
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.cfg.LeaseFor)
	defer cancel()
	work, span := o.tel.Tracer.Start(work, "refresh token", trace.WithAttributes(attribute.String("rollcall.org", o.name)))
	defer span.End()

	grant, err := o.ask(work, a)
	next := held
	next.CredentialMark = creds.String()
	if err == nil {
		if err = o.granted(&next, a, grant); err != nil {
			err = inDoubt{tokenError(err)} // spent, and not kept
		}
	}
	if err != nil {
		span.SetStatus(codes.Error, "refused")
		o.refused(work, &next, a, err)
	} else {
		o.metrics.asked(work, o.name, "granted")
	}
	if o.release(trace.ContextWithSpan(ctx, span), a, next, leased) {
		o.report(work, rec, next, o.text(err, a.spent))
	}
}

// granted puts the new token into the record.
func (o *org) granted(next *events.TokenRecord, a attempt, g salesforce.Grant) error {
	at, before := o.now(), a.before
	sealed, err := o.sealer.Seal(o.name, tokenOf(g))
	if err != nil {
		return err
	}
	if o.flow.refreshes && g.RefreshToken != "" {
		if next.SealedRefresh, err = o.sealer.SealRefresh(o.name, g.RefreshToken); err != nil {
			return err
		}
		next.Steady = g.RefreshToken == a.spent
	}
	next.Intent = nil
	next.Tries = 0
	if !a.early && before != nil && before.State == events.TokenConnected && at.Sub(before.At) < ordinaryAge+shortLived(before.Tries) {
		next.Tries = before.Tries + 1 // the last one was refused as soon as it was used
	}
	next.Sealed, next.Generation = sealed, next.Generation+1
	next.Failure, next.Advice, next.RetryAt = nil, "", time.Time{}
	setState(next, events.TokenConnected, at)
	next.At = at.UTC()
	return nil
}

// refused puts into the record why there is no token, what an admin can do, and
// when it is tried again.
func (o *org) refused(ctx context.Context, next *events.TokenRecord, a attempt, err error) {
	at, before := o.now(), a.before
	te := tokenError(err)
	o.metrics.asked(ctx, o.name, te.Class.String())
	next.Failure = &events.Failure{
		Cause: events.CauseCredentials, Code: te.Code, Message: o.redact(te.Description, a.spent), Operation: "sign in",
	}
	next.Advice, next.RetryAt = o.advice(err, te), time.Time{}
	var still inDoubt
	if te.Outcome == salesforce.NotApplied && a.spentErr == nil && !errors.As(err, &still) {
		next.Intent = nil // it was not consumed
	}
	if a.early && te.Class == salesforce.TokenTransient {
		// The token in use is still good: nobody waits for the new one.
		next.Failure, next.Advice = nil, ""
		next.RetryAt = at.Add(delay(1, time.Minute, time.Minute)).UTC()
		return
	}
	next.At = at.UTC()
	if before != nil && before.State == events.TokenConnected {
		next.Tries = 0 // until now it counted tokens that were refused early
	}
	next.Tries++
	switch {
	case te.Class == salesforce.TokenTransient:
		next.Failure.Cause = events.CauseUnavailable
		setState(next, events.TokenRefreshing, at)
		next.RetryAt = at.Add(o.pace(te, next)).UTC()
	case o.healsAlone(te):
		setState(next, events.TokenHeld, at)
		next.RetryAt = at.Add(delay(next.Tries, time.Minute, 10*time.Minute)).UTC()
	default:
		setState(next, events.TokenHeld, at)
	}
}

// pace is how long until a transient trouble is tried again. A request without
// an answer may still be at work, and is not asked about before it has ended.
func (o *org) pace(te *salesforce.TokenError, next *events.TokenRecord) time.Duration {
	d := delay(next.Tries, time.Second, time.Minute)
	if te.Outcome != salesforce.NotApplied && next.Intent != nil {
		d = max(d, o.cfg.LostReplyWait)
	}
	return d
}

// healsAlone says whether an admin may mend this in Salesforce, unseen by us,
// and whether asking again does no harm.
func (o *org) healsAlone(te *salesforce.TokenError) bool {
	if te.Class == salesforce.TokenConfiguration {
		return te.Code != salesforce.CodeNoSecret
	}
	// Without a refresh token nothing is spent by asking: a deactivated
	// integration user, say, may be active again.
	return !o.flow.refreshes && te.Code == "invalid_grant"
}

// tokenError gives every error the shape of a refusal. What is none of
// Salesforce's is a file or key on our side.
func tokenError(err error) *salesforce.TokenError {
	var te *salesforce.TokenError
	if errors.As(err, &te) {
		return te
	}
	return &salesforce.TokenError{Code: salesforce.CodeNoSecret, Description: err.Error(), Class: salesforce.TokenConfiguration,
		Outcome: salesforce.NotApplied}
}

// advice says what to do about it.
func (o *org) advice(err error, te *salesforce.TokenError) string {
	switch {
	case errors.Is(err, seal.ErrNotOurs):
		return "The stored refresh token was sealed under another key: restore tokens.keyFile, or put a new refresh token into refreshTokenFile."
	case errors.Is(err, secrets.ErrUnreadable) && te.Code == salesforce.CodeNoSecret:
		return "Put the secret where the configuration says (" + keysOf(o.connect) + "), readable for the service. A variable of the environment needs a restart."
	case o.connect.Flow == config.FlowJWTBearer && te.Code == salesforce.CodeNoSecret:
		return "Put the app's RSA private key, in PEM, where privateKeyFile says."
	}
	again := fmt.Sprintf("run `rollcall connect %s`, or put a new refresh token into refreshTokenFile.", o.name)
	switch {
	case te.Code == CodeNotConnected:
		return "Authenticate with Salesforce: " + again
	case te.Code == CodeTokenSpent:
		return "Authenticate with Salesforce again: " + again + " If it happens often, look at the network between token-refresher and Salesforce."
	case o.flow.refreshes && te.Class == salesforce.TokenCredential && te.Code == "invalid_grant":
		return te.Advice() + " To authenticate, " + again
	}
	return te.Advice()
}

// redact cuts our own secrets out of what the endpoint said: nothing keeps a
// wrong or hostile one from echoing them.
func (o *org) redact(text, spent string) string {
	secret, _ := o.connect.ClientSecret().Read() // unreadable: not in the text either
	for _, s := range []string{secret, spent} {
		if len(s) >= minRedact {
			text = strings.ReplaceAll(text, s, "[removed]")
		}
	}
	return text
}

// text is what the log may say about an error.
func (o *org) text(err error, spent string) string {
	if err == nil {
		return ""
	}
	return o.redact(err.Error(), spent)
}

// delay grows from first to limit, with jitter.
func delay(tries int, first, limit time.Duration) time.Duration {
	b := backoff.NewExponentialBackOff(backoff.WithInitialInterval(first), backoff.WithMaxInterval(limit),
		backoff.WithMultiplier(2), backoff.WithRandomizationFactor(0.2), backoff.WithMaxElapsedTime(0))
	d := b.NextBackOff()
	for range min(tries-1, 20) {
		d = b.NextBackOff()
	}
	return d
}

// report writes one line per change of state.
func (o *org) report(ctx context.Context, before *events.TokenRecord, next events.TokenRecord, why string) {
	if before != nil && before.State == next.State && code(before.Failure) == code(next.Failure) &&
		next.State != events.TokenConnected {
		return
	}
	switch {
	case next.State == events.TokenConnected && before != nil && before.Generation == next.Generation:
		o.tel.Log.WarnContext(ctx, "token cannot be renewed yet, the present one stays in use", "org", o.name, "error", why)
	case next.State == events.TokenConnected:
		o.tel.Log.InfoContext(ctx, "org signed in", "org", o.name, "generation", next.Generation)
	case next.State == events.TokenHeld:
		o.tel.Log.ErrorContext(ctx, "org cannot sign in and is held", "org", o.name, "cause", string(next.Failure.Cause),
			"code", next.Failure.Code, "advice", next.Advice, "error", why)
	default:
		o.tel.Log.WarnContext(ctx, "sign-in is tried again", "org", o.name, "cause", string(next.Failure.Cause),
			"code", next.Failure.Code, "error", why)
	}
}

func code(f *events.Failure) string {
	if f == nil {
		return ""
	}
	return f.Code
}
