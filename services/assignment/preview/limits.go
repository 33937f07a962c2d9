package preview

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/gate"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// gates judge what is taken away as assignment's gate does, but for one thing: in a
// plan whatever is new passes, and is counted, and afterwards it is asked whether so
// much would have passed at once.
type gates struct {
	limits map[string]gate.Limits
	guards map[string]events.Guard
	now    time.Time
}

func newGates(f config.File) *gates {
	g := &gates{limits: map[string]gate.Limits{}, guards: map[string]events.Guard{}, now: time.Now()}
	for name, org := range f.Orgs {
		own := org.Gate
		if own == (config.Gate{}) { // a file made by a program
			own = config.DefaultOrg().Gate
		}
		g.limits[name] = gate.LimitsOf(own)
	}
	return g
}

// read reads what has been counted by now.
func (g *gates) read(ctx context.Context, r Roster) error {
	var subjects []string
	for org := range g.limits {
		subjects = append(subjects, events.GuardSubject(org))
	}
	have, err := r.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return fmt.Errorf("read what was taken away: %w", err)
	}
	for org := range g.limits {
		e, ok := have[events.GuardSubject(org)]
		if !ok {
			continue
		}
		if g.guards[org], err = events.Decode[events.Guard](e.Data); err != nil {
			return fmt.Errorf("read what was taken away in %s: %w", org, err)
		}
	}
	return nil
}

// judge says what a wish comes to: what is held already stays so, the rest passes.
func (g *gates) judge(org string, k gate.Case) gate.Verdict {
	if !k.Counts() {
		return k.Uncounted()
	}
	wide := g.limits[org]
	wide.People = math.MaxInt32
	return gate.Open(events.Guard{}, wide, g.now).Judge(k)
}

// over says whether so many more are more than passes at once, before being those
// who are active by now; limit is how many one cause may take from.
func (g *gates) over(org string, before int, at gate.Place, people int) (limit int, over bool) {
	limits := g.limits[org]
	guard, known := g.guards[org]
	if !known {
		guard = gate.NewGuard(org, before)
	}
	if limit = limits.One(before); limits.Off || people == 0 {
		return limit, false
	}
	return limit, guard.Counts[at.Cause][at.Aspect].Held > 0 || !gate.Open(guard, limits, g.now).Fits(at, people)
}
