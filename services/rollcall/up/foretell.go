package up

import (
	"context"
	"fmt"

	"github.com/rollcall-sync/rollcall/services/internal/inforce"
	"github.com/rollcall-sync/rollcall/services/rollcall/plan"
)

// foretellWidth is how wide the plan is printed: nobody is asked how wide the
// terminal is.
const foretellWidth = 100

// foretell shows what a changed configuration changes before the services begin.
// It keeps nothing from starting: whoever wants to look first has `rollcall plan`.
func (s *stack) foretell(ctx context.Context) {
	is, err := inforce.Read(ctx, s.bus)
	if err == nil && (is.Generation == 0 || is.Hash == s.file.Hash()) {
		return
	}
	var r plan.Report
	if err == nil {
		r, err = plan.Make(ctx, plan.Options{File: s.file, Bus: s.bus})
	}
	switch {
	case err != nil && ctx.Err() == nil:
		s.tel.Log.WarnContext(ctx, "what the changed configuration changes cannot be said", "error", err)
	case err == nil && r.Plan.People > 0:
		_, _ = fmt.Fprintln(s.o.Stderr, "The configuration has changed. What that changes:")
		plan.Print(s.o.Stderr, r, foretellWidth)
		_, _ = fmt.Fprintln(s.o.Stderr)
	}
}
