package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
)

// tokenRecord reads what token-refresher knows of the org.
func (x *examination) tokenRecord(ctx context.Context) []verdict {
	if x.bus == nil {
		return skipped("NATS cannot be reached")
	}
	e, err := x.bus.Bucket(events.BucketTokens).Get(ctx, x.org)
	if errors.Is(err, bus.ErrNotFound) {
		return fail("Start token-refresher with this configuration and look again. If it runs: is its NATS the same one?",
			"token-refresher has not looked at this org yet")
	}
	if err != nil {
		return fail("See nats.streams; the bucket is made by a start of any service.", "the token cannot be read: %s", err)
	}
	rec, err := events.Decode[events.TokenRecord](e.Data)
	if err != nil {
		return fail("Use the same version of Rollcall here and there.", "%s", err)
	}
	x.rec = &rec
	// Whether it is held is in the record itself, for whoever has no key, too.
	opened := x.open(rec)
	if opened != nil && rec.State == events.TokenConnected {
		return opened
	}
	return append(x.state(rec), opened...)
}

// open opens the token; nil where it opens, or where there is none.
func (x *examination) open(rec events.TokenRecord) []verdict {
	if len(rec.Sealed) == 0 {
		return nil
	}
	if x.sealer == nil {
		return warn("Run the doctor where tokens.keyFile is, to see more.", "the token cannot be opened here: %s", x.sealErr)
	}
	t, err := x.sealer.Open(x.org, rec.Sealed)
	if errors.Is(err, seal.ErrNotOurs) {
		return fail("Restore tokens.keyFile, or make it the same file for all services: docs/credentials.md, \"Add a key\".", "%s", err)
	}
	if err != nil {
		return fail("Authenticate the org again; docs/credentials.md.", "%s", err)
	}
	x.token = t
	x.secrets = append(x.secrets, t.AccessToken)
	return nil
}

func (x *examination) state(rec events.TokenRecord) []verdict {
	switch rec.State {
	case events.TokenConnected:
		return ok("connected since %s; token %d, %s old", stamp(rec.Since), rec.Generation, x.since(rec.At))
	case events.TokenRefreshing:
		if rec.Failure == nil {
			return warn("Wait some seconds and look again.", "a token is being asked for")
		}
		return warn("Nothing to do at first: it is tried again by itself. If it lasts: "+rec.Advice, "signing in does not work at the moment: %s", said(rec.Failure))
	case events.TokenHeld:
	}
	return fail(rec.Advice, "held since %s: %s", stamp(rec.Since), said(rec.Failure))
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// said is Salesforce's code and words.
func said(f *events.Failure) string {
	switch {
	case f == nil:
		return "no reason is kept"
	case f.Code == "" || f.Message == "":
		return f.Code + f.Message
	}
	return f.Code + ": " + f.Message
}

// health reads whether the pusher works on the org.
func (x *examination) health(ctx context.Context) []verdict {
	if x.bus == nil {
		return skipped("NATS cannot be reached")
	}
	subject := events.HealthSubject(x.org)
	found, err := x.bus.Latest(ctx, events.StreamRoster, []string{subject})
	if err != nil {
		return fail("See nats.streams.", "health cannot be read: %s", err)
	}
	e, told := found[subject]
	if !told {
		return ok("nothing has ever held the org")
	}
	h, err := events.Decode[events.Health](e.Data)
	if err != nil {
		return fail("Use the same version of Rollcall here and there.", "%s", err)
	}
	x.usage = salesforce.Usage{Used: int64(h.Used), Limit: int64(h.Limit)}
	if h.State != events.HealthHeld {
		return ok("salesforce-pusher works on the org")
	}
	advice := "See docs/runbooks/org-held.md."
	if h.Failure != nil {
		if a := salesforce.Advice(h.Failure.Code, h.Failure.Message); a != "" {
			advice = a
		}
	}
	return fail(advice, "salesforce-pusher holds the org since %s: %s", stamp(h.Since), said(h.Failure))
}

func (x *examination) scopes(context.Context) []verdict {
	scopes := strings.Fields(x.token.Scope)
	if len(scopes) == 0 {
		return skipped("the scopes granted are not known: Salesforce names them when a token is given, and there is none or it did not")
	}
	has := func(wanted ...string) bool {
		return slices.ContainsFunc(wanted, func(s string) bool { return slices.Contains(scopes, s) })
	}
	var missing []string
	if !has("api", "full") {
		missing = append(missing, "api (Manage user data via APIs)")
	}
	if x.connect.Flow == config.FlowRefreshToken && !has("refresh_token", "offline_access", "full") {
		missing = append(missing, "refresh_token, offline_access (Perform requests at any time)")
	}
	if len(missing) > 0 {
		return fail("Add it to the app's scopes in Setup, wait ten minutes, and authenticate again.", "granted are %s; missing: %s",
			strings.Join(scopes, " "), strings.Join(missing, "; "))
	}
	return ok("granted are %s", strings.Join(scopes, " "))
}

// refreshToken says what can be seen of the refresh token's policy: that it is
// kept, whether it rotates, and when it was last used.
func (x *examination) refreshToken(context.Context) []verdict {
	if x.connect.Flow != config.FlowRefreshToken {
		return ok("flow %s needs none", x.connect.Flow)
	}
	if x.rec == nil {
		return skipped("there is no token record: see org.token")
	}
	if len(x.rec.SealedRefresh) == 0 {
		return fail("Add the scope refresh_token, offline_access to the app and authenticate: rollcall connect "+x.org+".",
			"no refresh token is kept: the org is disconnected when the session ends")
	}
	used, limit := x.since(x.rec.At), x.connect.RefreshIdleLimit
	if limit > 0 && used > limit*9/10 {
		return warn("See that token-refresher runs: it uses the token before the limit.", "it was last used %s ago, and expires if not used for %s", used, limit)
	}
	rotates := "it rotates, or was never used"
	if x.rec.Steady {
		rotates = "it does not rotate"
	}
	idle := "no limit is configured: if the app's policy says \"expire if not used for\", set connect.refreshIdleLimit to it"
	if limit > 0 {
		idle = "it is used at least every " + limit.String()
	}
	return ok("kept, last used %s ago; %s; %s. The policy itself stands in Setup only (the app's OAuth policies).", used, rotates, idle)
}
