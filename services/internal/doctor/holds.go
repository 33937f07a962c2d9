package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// holds looks at what waits for an operator, and at whether anything would.
func (x *examination) holds(ctx context.Context) []verdict {
	off := x.gateOff()
	if x.bus == nil {
		return append(skipped("NATS cannot be reached"), off...)
	}
	subject := events.GuardSubject(x.org)
	have, err := x.bus.Latest(ctx, events.StreamRoster, []string{subject})
	if err != nil {
		return append(fail("See nats.reachable.", "what is held cannot be read: %s", err), off...)
	}
	e, known := have[subject]
	if !known {
		return append(ok("nothing is held"), off...)
	}
	g, err := events.Decode[events.Guard](e.Data)
	if err != nil {
		return append(fail("Run this version of Rollcall everywhere. Until then whatever takes something away in this org waits.",
			"the counter of what is taken away cannot be read: %s", err), off...)
	}
	var waits []string
	for _, cause := range slices.Sorted(maps.Keys(g.Counts)) {
		for _, aspect := range slices.Sorted(maps.Keys(g.Counts[cause])) {
			if n := g.Counts[cause][aspect]; n.Held > 0 {
				waits = append(waits, fmt.Sprintf("%d people because of %s (%s), for %s", n.Held, cause, aspect, x.since(n.Since)))
			}
		}
	}
	if len(waits) == 0 {
		return append(ok("nothing is held"), off...)
	}
	return append(warn("Look at it with `rollcall hold list --org "+x.org+"`, and release or reject it: docs/runbooks/changes-held.md.",
		"changes wait for an operator: %s", strings.Join(waits, "; ")), off...)
}

// gateOff warns where nothing is ever held.
func (x *examination) gateOff() []verdict {
	if !x.File.Orgs[x.org].Gate.Off {
		return nil
	}
	return warn("Take orgs."+x.org+".gate.off out of the configuration, and set a limit instead.",
		"the gate is off: an export that says everybody left is believed")
}
