package plan

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// How long somebody is left alone at whom another worker is, at the least and at
// the most; a leaver is not left alone for long, and who is in a Bulk job for longer:
// jobs take minutes or hours, and their people may be many.
const (
	TurnFirst  = 250 * time.Millisecond // as fine as the server keeps a schedule
	turnLeaver = 2 * time.Second
	turnMost   = 5 * time.Second
	turnJob    = 10 * time.Second
)

// turn is how long to leave somebody alone whom another worker has claimed until
// end: as long again as the claim has stood. Most are given up after a moment, and
// one that is old will be older still.
func (p *Person) turn(now, end time.Time) time.Duration {
	most, again := turnMost, max(now.Sub(p.LinkedAt), TurnFirst)
	if p.Link.Job != "" {
		most, again = turnJob, turnJob
	}
	if p.Lane == events.LaneLeaver {
		most = turnLeaver
	}
	return min(end.Sub(now), again, most)
}
