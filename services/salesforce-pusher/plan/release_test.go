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

// TestAReleaseSaysWhatIsTrueNow: the doubt goes only with a success after the
// last moment at which a call could be applied.
func TestAReleaseSaysWhatIsTrueNow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		fate    Fate
		until   time.Time
		unsure  bool
		forgets bool
	}{
		"applied, nothing can come":   {Applied, now, false, true},
		"applied, it may still come":  {Applied, now.Add(time.Hour), false, false},
		"failed, nothing can come":    {Failed, now, true, false},
		"given back":                  {Open, now, true, false},
		"nothing to do, but recorded": {Current, now, false, true},
		"to be done later":            {Later, now.Add(time.Hour), true, false},
	} {
		p := New(State{Key: "k", Revision: 7, At: now, Desired: events.Desired{Org: "acme", Hash: "new"},
			Link: events.Link{Unsure: true, UnsureUntil: c.until, SentUsername: "ann@x.test", AppliedRevision: 5}})
		p.fate = c.fate
		l := p.Release(now)
		if l.Unsure != c.unsure || l.UnsureUntil.IsZero() != c.forgets || (l.SentUsername == "") != c.forgets {
			t.Errorf("%s: %+v", name, l)
		}
		done := c.fate == Applied || c.fate == Current
		if (l.AppliedRevision == 7) != done || (l.AppliedHash == "new") != done || l.Org != "acme" || l.Key != "k" || !l.At.Equal(now) {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// TestAnOutcomeHasALane, so that whoever is retried keeps their place: that of
// the change, or of the work where the change says none.
func TestAnOutcomeHasALane(t *testing.T) {
	t.Parallel()
	p := New(State{Lane: events.LaneBackfill, Desired: events.Desired{Lane: events.LaneLeaver}})
	if o := p.Outcome(events.Link{}); o.Lane != events.LaneLeaver {
		t.Errorf("lane %q", o.Lane)
	}
	p = New(State{Lane: events.LaneBackfill})
	if o := p.Outcome(events.Link{}); o.Lane != events.LaneBackfill {
		t.Errorf("lane %q", o.Lane)
	}
}

// TestWhoAPersonIs, in an operator's words: by the value that is matched, by what
// is sent, or by the user found.
func TestWhoAPersonIs(t *testing.T) {
	t.Parallel()
	p := New(State{})
	if p.Username() != "" {
		t.Errorf("somebody is %s", p.Username())
	}
	p.lookup.user = &User{Username: "c"}
	if p.Username() != "c" {
		t.Errorf("found as %s", p.Username())
	}
	p.Desired.Fields = map[string]any{FieldUsername: "b"}
	if p.Username() != "b" {
		t.Errorf("sent as %s", p.Username())
	}
	p.Desired.Match.Username = "a"
	if p.Username() != "a" {
		t.Errorf("matched as %s", p.Username())
	}
}
