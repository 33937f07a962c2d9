package assign

import (
	"context"
	"log/slog"

	"github.com/rollcall-sync/rollcall/services/assignment/preview"
)

// announcedSweep says what a switch of the configuration changes before it changes
// it: as `rollcall plan` would have said.
func (s *Service) announcedSweep(ctx context.Context, before uint64) (seen, changed int, err error) {
	s.announce(ctx)
	return s.sweep(ctx, before)
}

// announce logs what the configuration changes, org by org. Whatever keeps it from
// that keeps nobody from their work.
func (s *Service) announce(ctx context.Context) {
	p, err := preview.New(s.roster, s.file, nil)
	var plan preview.Plan
	if err == nil {
		plan, err = p.Everybody(ctx)
	}
	if err != nil {
		if ctx.Err() == nil {
			s.log.WarnContext(ctx, "what the configuration changes cannot be said", "error", err)
		}
		return
	}
	if plan.People == 0 {
		return // an installation that is new
	}
	for i := range plan.Orgs {
		o := &plan.Orgs[i]
		level := slog.LevelInfo
		if o.Over() {
			level = slog.LevelWarn
		}
		s.log.Log(ctx, level, "what the configuration changes", "org", o.Org, "people", plan.People,
			"created", o.What[preview.Created], "reactivated", o.What[preview.Reactivated], "deactivated", o.What[preview.Deactivated],
			"updated", o.What[preview.Updated], "stuck", o.What[preview.Stuck], "unmatched", o.Unmatched, "over_limit", o.Over())
	}
}
