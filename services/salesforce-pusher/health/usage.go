package health

import (
	"context"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// tellEvery bounds how often an org's health is written for nothing but the API
// calls that are used.
const tellEvery = 10 * time.Second

// Learn notes what Salesforce says of API calls.
func (h *Org) Learn(u salesforce.Usage) {
	h.usage.Store(&u)
	h.metrics.usage(u)
	select {
	case h.learnt <- struct{}{}:
	default:
	}
}

// TellUsage keeps the API calls in the health of an org that is well: every
// write of a held one says them too.
func (h *Org) TellUsage(ctx context.Context) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		select {
		case <-h.learnt:
		case <-ctx.Done():
			return
		}
		u := h.usage.Load()
		_, err := h.change(ctx, func(was *events.Health) bool {
			if was.State == events.HealthHeld || was.Used == int(u.Used) && was.Limit == int(u.Limit) {
				return false
			}
			if was.Since.IsZero() {
				was.Since = h.now(ctx)
			}
			return true
		})
		if err != nil {
			h.log.DebugContext(ctx, "API calls used are not told", "org", h.cfg.Org, "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
