package doctor

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
)

// examination is one of what is looked at, of an org or of what all have in
// common, and what is known so far. One goroutine does one examination.
type examination struct {
	Doctor
	org      string
	findings []Finding
	// secrets are cut out of every finding.
	secrets []string

	connect config.Connect
	bus     *bus.Bus
	sealer  *seal.Sealer
	sealErr error

	rec    *events.TokenRecord
	token  events.Token
	client *salesforce.Client
	dates  *dates
	usage  salesforce.Usage
	userID string
	// describe is the User object as the integration user sees it.
	describe *salesforce.Description
}

// names are the sorted keys of a map.
func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// organisation looks at one org.
func (x *examination) organisation(ctx context.Context) {
	x.check(ctx, orgLogin, x.login)
	x.check(ctx, orgSecrets, x.credentials)
	held := x.check(ctx, orgToken, x.tokenRecord) == Fail
	x.check(ctx, orgHealth, x.health)
	x.check(ctx, orgHolds, x.holds)
	x.check(ctx, orgScopes, x.scopes)
	x.check(ctx, orgRefreshToken, x.refreshToken)
	x.content(ctx, x.blocked(ctx, held))
}

// content are the checks that ask Salesforce. Where blocked says why it cannot
// be asked, they are skipped.
func (x *examination) content(ctx context.Context, blocked string) {
	for _, c := range []struct {
		name string
		look func(context.Context) []verdict
	}{
		{orgIdentity, x.identity}, {orgClock, x.clockSkew}, {orgAPIVersion, x.apiVersion}, {orgAPIUse, x.apiUse},
		{orgUser, x.user}, {orgPassword, x.password}, {orgPermissions, x.permissions},
		{orgProtected, x.protected}, {orgPrivileged, x.privileged},
		{orgNames, x.named}, {orgSeats, x.seats}, {orgFields, x.fields}, {orgExternalID, x.externalID},
	} {
		look := c.look
		if blocked != "" && !x.free(c.name) {
			look = func(context.Context) []verdict { return skipped("%s", blocked) }
		}
		x.check(ctx, c.name, look)
	}
}

// free says whether a check can be done though the session is refused.
func (x *examination) free(check string) bool {
	switch check {
	case orgClock:
		return x.dates != nil && x.dates.seen()
	case orgAPIVersion:
		return x.client != nil && x.dates.seen()
	}
	return false
}

// blocked tries the session, and says why Salesforce cannot be asked.
func (x *examination) blocked(ctx context.Context, held bool) string {
	why := ""
	switch {
	case x.bus == nil:
		why = "the token cannot be read: NATS cannot be reached"
	case x.token.AccessToken == "" && held:
		why = "there is no token to ask Salesforce with: see org.token"
	case x.token.AccessToken == "":
		why = "there is no token to ask Salesforce with yet: see org.token"
	}
	if why != "" {
		x.check(ctx, orgSession, func(context.Context) []verdict { return skipped("%s", why) })
		return why
	}
	if x.check(ctx, orgSession, x.session) == Fail {
		return "Salesforce does not answer: see org.session"
	}
	return ""
}

// since says how long ago something was.
func (x *examination) since(t time.Time) time.Duration { return x.Now().Sub(t).Round(time.Second) }
