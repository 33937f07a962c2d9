package refresh

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// retryMost is longer than anybody waits before an org is tried again.
const retryMost = 15 * time.Minute

// plausible bounds what a record says of times by when it was stored, which the
// server says: older versions took them from their own clocks, which may have been
// hours off. One hours ahead must not keep an org signed out for hours, and one
// behind must not have two replicas present one refresh token. stored is zero
// for a record of our own, which is by the server's time.
func (o *org) plausible(rec *events.TokenRecord, stored time.Time) {
	if stored.IsZero() {
		return
	}
	if l := rec.Lease; l != nil {
		bounded := *l
		if latest := stored.Add(o.cfg.LeaseFor); l.Until.After(latest) || !l.Until.After(stored) {
			bounded.Until = latest // nobody takes a lease for no time
		}
		rec.Lease = &bounded
	}
	rec.RetryAt = atMost(rec.RetryAt, stored.Add(retryMost))
	rec.At, rec.Since = atMost(rec.At, stored), atMost(rec.Since, stored)
}

func atMost(t, latest time.Time) time.Time {
	if t.After(latest) {
		return latest
	}
	return t
}
