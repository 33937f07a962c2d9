package health

import (
	"context"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// Report says that the org is in trouble: once per trouble, whichever replica
// comes first.
func (h *Org) Report(ctx context.Context, f *events.Failure) error {
	generation := h.generation()
	now := h.now(ctx)
	changed, err := h.change(ctx, func(was *events.Health) bool {
		if covers(*was, f, generation) {
			return false
		}
		next := events.Health{State: events.HealthHeld, Failure: f, Since: now, TokenGeneration: generation}
		if was.State == events.HealthHeld {
			next.Since = was.Since
		}
		next.NextProbe = now.Add(h.delay(f, 0))
		*was = next
		return true
	})
	if changed {
		h.log.WarnContext(ctx, "org held", "org", h.cfg.Org, "cause", f.Cause, "code", f.Code, "operation", f.Operation)
	}
	return err
}

// covers says whether a health tells of a trouble already: of a failed change,
// only if it tells of one, for a probe tries what failed.
func covers(was events.Health, f *events.Failure, generation uint64) bool {
	return was.State == events.HealthHeld && was.Failure != nil && was.Failure.Cause == f.Cause &&
		(f.Cause != events.CauseCredentials || was.TokenGeneration >= generation) && (writes(was.Failure) || !writes(f))
}

// refused asks token-refresher for a successor of a session that Salesforce
// does not accept any more. That is everyday life, so it is no warning.
func (h *Org) refused(ctx context.Context, generation uint64) {
	now := h.now(ctx)
	f := &events.Failure{Cause: events.CauseCredentials, Code: "INVALID_SESSION_ID", Message: "Session expired or invalid"}
	changed, err := h.change(ctx, func(was *events.Health) bool {
		if covers(*was, f, generation) {
			return false
		}
		*was = events.Health{State: events.HealthHeld, Failure: f, Since: now, TokenGeneration: generation,
			NextProbe: now.Add(h.delay(f, 0))}
		return true
	})
	if err != nil {
		h.log.WarnContext(ctx, "refused session not reported", "org", h.cfg.Org, "error", err)
	}
	if changed {
		h.log.InfoContext(ctx, "session refused, a new one is asked for", "org", h.cfg.Org)
	}
}

// renewed takes the report of a refused session back.
func (h *Org) renewed(ctx context.Context, generation uint64) {
	_, err := h.change(ctx, func(was *events.Health) bool {
		if was.State != events.HealthHeld || was.Failure == nil || was.Failure.Cause != events.CauseCredentials || was.TokenGeneration > generation {
			return false
		}
		*was = events.Health{State: events.HealthOK, Since: h.now(ctx)}
		return true
	})
	if err != nil {
		h.log.WarnContext(ctx, "renewed session not reported", "org", h.cfg.Org, "error", err)
	}
}
