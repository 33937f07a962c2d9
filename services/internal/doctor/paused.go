package doctor

import (
	"context"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// pausedLong is when a pause looks forgotten; the alert RollcallPausedLong says
// so after the same time.
const pausedLong = 4 * time.Hour

// pauses says what an admin has paused: nothing is wrong then, and nothing goes on.
func (x *examination) pauses(ctx context.Context) []verdict {
	if x.bus == nil {
		return skipped("NATS cannot be reached")
	}
	limited, cancel := context.WithTimeout(ctx, unseenWait)
	defer cancel()
	have, err := x.bus.Latest(limited, events.StreamRoster, []string{events.PausesSubject()})
	if err != nil {
		return skipped("what is paused cannot be read with this account: rollcall status says it")
	}
	var table events.Pauses
	if e, there := have[events.PausesSubject()]; there {
		table, err = events.Decode[events.Pauses](e.Data)
	}
	if err != nil {
		return fail("Run the doctor of the newest version that is installed. Services of this one take nothing.", "what is paused cannot be understood: %s", err)
	}
	var found []verdict
	for _, p := range table.Paused {
		lasts := x.since(p.Since)
		say := warn
		if lasts >= pausedLong {
			say = fail
		}
		found = append(found, say("When it may go on: `rollcall resume` (docs/runbooks/paused.md).",
			"%s is paused for %s, by %s: %s. Nothing of it is worked on, and who leaves stays active", p.Scope, lasts, p.By, p.Reason)...)
	}
	if len(found) == 0 {
		return ok("nothing is paused")
	}
	return found
}
