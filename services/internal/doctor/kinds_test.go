package doctor

import (
	"fmt"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// TestEveryKindIsLookedAt goes through the table of assignment kinds: a name that
// is not in the org is told, and so are the last seats, by what the row says.
func TestEveryKindIsLookedAt(t *testing.T) {
	t.Parallel()
	for _, k := range events.AssignmentKinds() {
		t.Run(k.ID, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.assign(func(a *config.Assign) { a.Rules[0].Assignments[k.Key] = []string{"Nowhere_To_Be_Found"} })
			if s := k.Seats; s != nil {
				r.canned["FROM "+k.Targets[0].Object+" WHERE"] = rows(fmt.Sprintf(`{%q:"Seldom",%q:9,%q:8}`, s.Label, s.Total, s.Used))
			}
			rep := r.examine()
			r.found(rep, planted{check: orgNames, level: Fail, message: "no " + k.One + ` named "Nowhere_To_Be_Found"`})
			if k.Seats != nil {
				r.found(rep, planted{check: orgSeats, level: Warn, message: "licence Seldom: 8 of 9 seats used, 1 left"})
			}
		})
	}
}
