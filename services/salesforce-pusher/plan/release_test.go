package plan

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

func TestReleaseCountsOnlyTheirOwnFailures(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	before := now.Add(-time.Hour)
	link := events.Link{AppliedHash: "old", AppliedRevision: 5, Attempts: 2, FailedRevision: 7, FirstFailedAt: before, Failures: 4,
		Claim: &events.Claim{Worker: "me"}}
	cases := map[string]struct {
		p                  Person
		attempts, failures int
		applied            string
		first              time.Time
	}{
		"applied":              {Person{fate: Applied}, 0, 4, "new", time.Time{}},
		"failed again":         {Person{fate: Failed}, 3, 5, "old", before},
		"failed half way":      {Person{fate: Failed, touched: true}, 3, 5, "", before},
		"failed, new revision": {Person{fate: Failed, State: State{Revision: 8}}, 1, 5, "old", now},
		"given back":           {Person{fate: Open}, 2, 4, "old", before},
		"given back half way":  {Person{fate: Open, touched: true}, 2, 4, "", before},
		"discarded":            {Person{fate: Discarded}, 2, 4, "old", before},
	}
	for name, c := range cases {
		p := c.p
		if p.Revision == 0 {
			p.Revision = 7
		}
		p.Link, p.Desired = link, events.Desired{Hash: "new"}
		l := p.Release(now)
		if l.Attempts != c.attempts || l.Failures != c.failures || l.AppliedHash != c.applied || !l.FirstFailedAt.Equal(c.first) || l.Claim != nil {
			t.Errorf("%s: %+v", name, l)
		}
		o := p.Outcome(l)
		if (o.Result == events.ResultFailed) != (p.Fate() == Failed) || o.Attempt != l.Attempts || o.Failures != l.Failures || o.Revision != p.Revision {
			t.Errorf("%s: outcome %+v", name, o)
		}
	}
}
