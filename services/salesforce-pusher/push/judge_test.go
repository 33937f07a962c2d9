package push

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

func TestSortSaysWhatAPersonNeeds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	claim := func(who string, in time.Duration) *events.Claim {
		return &events.Claim{Worker: who, Until: now.Add(in)}
	}
	cases := map[string]struct {
		link   events.Link
		absent bool
		want   fate
		unsure bool
	}{
		"nothing desired":                 {absent: true, want: idle},
		"new":                             {want: open},
		"applied":                         {link: events.Link{AppliedHash: "h", AppliedRevision: 7}, want: idle},
		"applied, newer revision":         {link: events.Link{AppliedHash: "h", AppliedRevision: 6}, want: current},
		"applied, failed in between":      {link: events.Link{AppliedHash: "h", AppliedRevision: 7, Attempts: 1}, want: current},
		"something else applied":          {link: events.Link{AppliedHash: "g", AppliedRevision: 6}, want: open},
		"applied, but unsure":             {link: events.Link{AppliedHash: "h", AppliedRevision: 7, Unsure: true}, want: open, unsure: true},
		"claimed by another":              {link: events.Link{Claim: claim("other", time.Second)}, want: busy},
		"claimed by another, ends now":    {link: events.Link{Claim: claim("other", -time.Second)}, want: busy},
		"claimed by another, ended":       {link: events.Link{Claim: claim("other", -time.Minute), AppliedHash: "h"}, want: open, unsure: true},
		"claimed by us, in a step undone": {link: events.Link{Claim: claim("me", time.Minute)}, want: open, unsure: true},
	}
	for name, c := range cases {
		p := &person{link: c.link, revision: 7, desired: events.Desired{Hash: "h"}}
		sort(p, !c.absent, "me", now, 2*time.Second)
		if p.fate != c.want || p.link.Unsure != c.unsure {
			t.Errorf("%s: %s, unsure %v; want %s, %v", name, p.fate, p.link.Unsure, c.want, c.unsure)
		}
		if p.link.Unsure && p.link.AppliedHash != "" {
			t.Errorf("%s: unsure, and yet something counts as applied", name)
		}
		if p.fate == busy && p.again <= 0 {
			t.Errorf("%s: busy without a time to come back", name)
		}
	}
}

func TestSettleCountsOnlyTheirOwnFailures(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	before := now.Add(-time.Hour)
	link := events.Link{AppliedHash: "old", AppliedRevision: 5, Attempts: 2, FailedRevision: 7, FirstFailedAt: before, Failures: 4,
		Claim: &events.Claim{Worker: "me"}}
	cases := map[string]struct {
		p                  person
		attempts, failures int
		applied            string
		first              time.Time
	}{
		"applied":              {person{fate: applied}, 0, 4, "new", time.Time{}},
		"failed again":         {person{fate: failed}, 3, 5, "old", before},
		"failed half way":      {person{fate: failed, touched: true}, 3, 5, "", before},
		"failed, new revision": {person{fate: failed, revision: 8}, 1, 5, "old", now},
		"given back":           {person{fate: open}, 2, 4, "old", before},
		"given back half way":  {person{fate: open, touched: true}, 2, 4, "", before},
		"discarded":            {person{fate: discarded}, 2, 4, "old", before},
	}
	for name, c := range cases {
		p := c.p
		if p.revision == 0 {
			p.revision = 7
		}
		p.link, p.desired = link, events.Desired{Hash: "new"}
		l := settle(&p, now)
		if l.Attempts != c.attempts || l.Failures != c.failures || l.AppliedHash != c.applied || !l.FirstFailedAt.Equal(c.first) || l.Claim != nil {
			t.Errorf("%s: %+v", name, l)
		}
		o := outcomeOf(&p, l)
		if (o.Result == events.ResultFailed) != (p.fate == failed) || o.Attempt != l.Attempts || o.Failures != l.Failures || o.Revision != p.revision {
			t.Errorf("%s: outcome %+v", name, o)
		}
	}
}
