package plan

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// TestWhenSomebodyBusyIsLookedAtAgain: soon after the claim was made, seldom once
// it has stood for long, a leaver more often, and never later than the claim lasts.
func TestWhenSomebodyBusyIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		since, left time.Duration
		lane        events.Lane
		job         string
		want        time.Duration
	}{
		"just claimed":                  {0, time.Minute, events.LaneChange, "", TurnFirst},
		"by a clock that is ahead":      {-time.Hour, time.Minute, events.LaneChange, "", TurnFirst},
		"as long again":                 {time.Second, time.Minute, events.LaneChange, "", time.Second},
		"at the most":                   {time.Minute, time.Minute, events.LaneChange, "", 5 * time.Second},
		"a leaver":                      {time.Minute, time.Minute, events.LaneLeaver, "", 2 * time.Second},
		"in a job":                      {0, time.Minute, events.LaneBackfill, "750", 10 * time.Second},
		"a leaver in a job":             {0, time.Minute, events.LaneLeaver, "750", 2 * time.Second},
		"not after the claim has ended": {time.Minute, time.Second, events.LaneChange, "750", time.Second},
	} {
		p := New(State{Revision: 1, Lane: c.lane, LinkedAt: now.Add(-c.since),
			Link: events.Link{Job: c.job, Claim: &events.Claim{Worker: "another", Until: now.Add(c.left)}}})
		p.Triage("us", now, 0, &Policy{ClaimTTL: 30 * time.Second, ClaimMost: 2 * time.Hour})
		if p.Fate() != Busy || p.Again() != c.want {
			t.Errorf("%s: %v, again after %s; want busy, and %s", name, p.Fate(), p.Again(), c.want)
		}
	}
}
