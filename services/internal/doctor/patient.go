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

// patient is what is being looked at, one org or what all have in common, and
// what is known of it so far. One goroutine looks at one patient.
type patient struct {
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
func (p *patient) organisation(ctx context.Context) {
	p.check(ctx, orgLogin, p.login)
	p.check(ctx, orgSecrets, p.credentials)
	held := p.check(ctx, orgToken, p.tokenRecord) == Fail
	p.check(ctx, orgHealth, p.health)
	p.check(ctx, orgScopes, p.scopes)
	p.check(ctx, orgRefreshToken, p.refreshToken)
	p.content(ctx, p.blocked(ctx, held))
}

// content are the checks that ask Salesforce. Where blocked says why it cannot
// be asked, they are skipped.
func (p *patient) content(ctx context.Context, blocked string) {
	for _, c := range []struct {
		name string
		look func(context.Context) []verdict
	}{
		{orgIdentity, p.identity}, {orgClock, p.clockSkew}, {orgAPIVersion, p.apiVersion}, {orgAPIUse, p.apiUse},
		{orgUser, p.user}, {orgPassword, p.password}, {orgPermissions, p.permissions},
		{orgNames, p.named}, {orgSeats, p.seats}, {orgFields, p.fields}, {orgExternalID, p.externalID},
	} {
		look := c.look
		if blocked != "" && !p.free(c.name) {
			look = func(context.Context) []verdict { return skipped("%s", blocked) }
		}
		p.check(ctx, c.name, look)
	}
}

// free says whether a check can be done though the session is refused.
func (p *patient) free(check string) bool {
	switch check {
	case orgClock:
		return p.dates != nil && p.dates.seen()
	case orgAPIVersion:
		return p.client != nil && p.dates.seen()
	}
	return false
}

// blocked tries the session, and says why Salesforce cannot be asked.
func (p *patient) blocked(ctx context.Context, held bool) string {
	why := ""
	switch {
	case p.bus == nil:
		why = "the token cannot be read: NATS cannot be reached"
	case p.token.AccessToken == "" && held:
		why = "there is no token to ask Salesforce with: see org.token"
	case p.token.AccessToken == "":
		why = "there is no token to ask Salesforce with yet: see org.token"
	}
	if why != "" {
		p.check(ctx, orgSession, func(context.Context) []verdict { return skipped("%s", why) })
		return why
	}
	if p.check(ctx, orgSession, p.session) == Fail {
		return "Salesforce does not answer: see org.session"
	}
	return ""
}

// since says how long ago something was.
func (p *patient) since(t time.Time) time.Duration { return p.Now().Sub(t).Round(time.Second) }
