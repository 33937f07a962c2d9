package push

import (
	"context"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/tokens"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// askSelfEvery is how often Salesforce is asked who the session acts as, where
// neither the token nor the last answer said so.
const askSelfEvery = time.Minute

// self is who the integration user is, as far as that is known.
type self struct {
	asked  tokens.Identity // whose token was looked at, and what it said
	userID string          // what Salesforce answered where it said nothing
	last   time.Time
}

// integrationUser is the id of the user that the session acts as; empty where neither
// the token nor Salesforce says, which takes the scope id.
func (o *org) integrationUser(ctx context.Context) string {
	is := o.reader.Identity()
	if is != o.self.asked {
		o.self = self{asked: is}
	}
	if is.UserID != "" || is.Generation == 0 {
		return is.UserID
	}
	if o.self.userID == "" && (o.self.last.IsZero() || time.Since(o.self.last) >= askSelfEvery) {
		o.self.last = time.Now()
		o.self.userID = o.askSelf(ctx)
	}
	return o.self.userID
}

func (o *org) askSelf(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, o.cfg.CallTimeout)
	defer cancel()
	info, err := o.client.UserInfo(ctx)
	o.metrics.call(ctx, plan.OpLookup, err)
	if err != nil {
		o.log.WarnContext(ctx, "it is not known which user Rollcall signs in as: give the app the scope id", "org", o.cfg.Name, "error", err)
		return ""
	}
	return info.UserID
}
