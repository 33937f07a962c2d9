package check

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/test/chaos/plan"
)

// within is how long a change of somebody who is well may take while somebody else,
// another org and a group are not. It is long: the machine may be busy.
const within = 15 * time.Second

// apart: a bad person delays only themselves, a bad org only itself, a bad group
// never a person.
func apart(v *view) []Violation {
	var broken []Violation
	for where, letter := range v.letters {
		if where.org != events.NoOrg && !v.protected(where) {
			broken = append(broken, v.say(where, "is parked for %s though all is well again: %s %s", letter.what.Failure.Cause, letter.what.Failure.Code, letter.what.Failure.Message))
		}
	}
	if v.d.Restless != "" {
		return broken // it may not have come to the others
	}
	for _, m := range v.d.Heard {
		h, err := events.Decode[events.Health](m.Body())
		if m.Subject == events.HealthSubject(plan.Acme) && err == nil && h.State == events.HealthHeld && m.Time.After(v.d.ProbeFrom) && m.Time.Before(v.d.ProbeTo) {
			broken = append(broken, Violation{What: "acme was held while one person of it, and another org, were in trouble"})
			break
		}
	}
	for _, p := range v.d.People {
		if !p.Steady {
			continue
		}
		where := place{plan.Acme, p.Key}
		d := v.desired[where]
		if d.what.Origin.Time.Before(v.d.ProbeFrom) {
			broken = append(broken, v.say(where, "was not changed while others were in trouble: the run judges nothing"))
			continue
		}
		done, err := v.heardFirst(where, d.seq)
		if took := done.Sub(d.what.Origin.Time); err != nil || took > within {
			broken = append(broken, v.say(where, "was well, and was changed only after %s while others were in trouble (%v)", took, err))
		}
	}
	return broken
}
