package plan

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

func TestTriageSaysWhatAPersonNeeds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	claim := func(who string, in time.Duration) *events.Claim {
		return &events.Claim{Worker: who, Until: now.Add(in)}
	}
	cases := map[string]struct {
		link   events.Link
		absent bool
		want   Fate
		unsure bool
	}{
		"nothing desired":                 {absent: true, want: Idle},
		"new":                             {want: Open},
		"applied":                         {link: events.Link{AppliedHash: "h", AppliedRevision: 7}, want: Idle},
		"applied, newer revision":         {link: events.Link{AppliedHash: "h", AppliedRevision: 6}, want: Current},
		"applied, failed in between":      {link: events.Link{AppliedHash: "h", AppliedRevision: 7, Attempts: 1}, want: Current},
		"something else applied":          {link: events.Link{AppliedHash: "g", AppliedRevision: 6}, want: Open},
		"applied, but unsure":             {link: events.Link{AppliedHash: "h", AppliedRevision: 7, Unsure: true}, want: Open, unsure: true},
		"claimed by another":              {link: events.Link{Claim: claim("other", time.Second)}, want: Busy},
		"claimed by another, ends now":    {link: events.Link{Claim: claim("other", -time.Second)}, want: Busy},
		"claimed by another, ended":       {link: events.Link{Claim: claim("other", -time.Minute), AppliedHash: "h"}, want: Open, unsure: true},
		"claimed by us, in a step undone": {link: events.Link{Claim: claim("me", time.Minute)}, want: Open, unsure: true},
	}
	for name, c := range cases {
		p := New(State{Link: c.link, Revision: 7, Desired: events.Desired{Hash: "h"}})
		if c.absent {
			p.Revision = 0
		}
		p.Triage("me", now, 2*time.Second, &Policy{LateFor: 10 * time.Minute})
		if p.Fate() != c.want || p.Link.Unsure != c.unsure {
			t.Errorf("%s: %s, unsure %v; want %s, %v", name, p.Fate(), p.Link.Unsure, c.want, c.unsure)
		}
		if p.Link.Unsure && p.Link.AppliedHash != "" {
			t.Errorf("%s: unsure, and yet something counts as applied", name)
		}
		if p.Fate() == Busy && p.Again() <= 0 {
			t.Errorf("%s: busy without a time to come back", name)
		}
	}
}
