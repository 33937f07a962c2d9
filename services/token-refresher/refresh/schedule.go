package refresh

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// renewAt is when a token is renewed though nobody complains: before its
// session ends, and before the refresh token has been idle for too long. Zero
// for never.
func (o *org) renewAt(rec *events.TokenRecord) time.Time {
	if rec == nil || rec.State != events.TokenConnected {
		return time.Time{}
	}
	life := o.connect.SessionLifetime
	if idle := o.connect.RefreshIdleLimit; o.flow.refreshes && idle > 0 && (life == 0 || idle < life) {
		life = idle
	}
	if life <= 0 {
		return time.Time{}
	}
	return rec.At.Add(renewAfter(life, o.name, rec.Generation))
}

// renewAfter is 80 to 90 % of a lifetime. The jitter keeps orgs apart, and is
// the same on every replica and after every start.
func renewAfter(life time.Duration, org string, generation uint64) time.Duration {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s/%d", org, generation) // a hash takes everything
	const steps = 1000
	return life*8/10 + life/10*time.Duration(h.Sum64()%steps)/steps
}
