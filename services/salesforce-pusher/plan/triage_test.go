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
		"applied, but a job is open":      {link: events.Link{AppliedHash: "h", AppliedRevision: 7, Job: "750"}, want: Open, unsure: true},
		"applied, a call may still come":  {link: events.Link{AppliedHash: "h", AppliedRevision: 7, UnsureUntil: now.Add(time.Minute)}, want: Open, unsure: true},
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

// TestADeadWorkersCallsMayStillCome: until when depends on its claim, or, of a
// link that says no more, on when that was written.
func TestADeadWorkersCallsMayStillCome(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	o := &Policy{LateFor: 10 * time.Minute}
	for name, c := range map[string]struct {
		link events.Link
		want time.Time
	}{
		"a claim":                  {events.Link{Claim: &events.Claim{Worker: "other", Until: now.Add(-time.Minute)}}, now.Add(9 * time.Minute)},
		"a claim, and known later": {events.Link{Claim: &events.Claim{Worker: "other", Until: now.Add(-time.Minute)}, UnsureUntil: now.Add(time.Hour)}, now.Add(time.Hour)},
		"unsure, and no more said": {events.Link{Unsure: true, At: now.Add(-time.Minute)}, now.Add(9 * time.Minute)},
		"unsure, until then":       {events.Link{Unsure: true, At: now, UnsureUntil: now.Add(time.Minute)}, now.Add(time.Minute)},
	} {
		p := New(State{Link: c.link, Revision: 7, Desired: events.Desired{Hash: "h"}})
		if p.Triage("me", now, 2*time.Second, o); !p.Link.UnsureUntil.Equal(c.want) || !p.late() {
			t.Errorf("%s: in doubt until %s, want %s", name, p.Link.UnsureUntil, c.want)
		}
	}
	p := New(State{})
	if p.Claimed(now, o); !p.lateUntil.Equal(now.Add(10 * time.Minute)) {
		t.Errorf("calls under a claim until now may come until %s", p.lateUntil)
	}
	l := Doubted(events.Link{AppliedHash: "h"}, now)
	if l.AppliedHash != "" || !l.Unsure || !l.UnsureUntil.Equal(now) {
		t.Errorf("another's link with our doubt: %+v", l)
	}
}

// TestADiscardIsOfOneRevision: an admin gave up what they saw, and nothing newer.
func TestADiscardIsOfOneRevision(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		revision, failed uint64
		attempts         int
		may              bool
	}{
		"failed at this one":    {7, 7, 1, true},
		"never failed":          {7, 0, 0, false},
		"failed at another":     {7, 6, 1, false},
		"applied since it did ": {7, 7, 0, false},
	} {
		p := New(State{Revision: c.revision, Link: events.Link{FailedRevision: c.failed, Attempts: c.attempts}})
		if p.MayBeGivenUp() != c.may {
			t.Errorf("%s: may have been given up %v", name, !c.may)
		}
		if p.Fence(); p.MayBeGivenUp() {
			t.Errorf("%s: given up although another worker has them", name)
		}
	}
	p := New(State{Revision: 7})
	for revision, want := range map[uint64]bool{6: false, 7: true, 8: false} {
		if p.GivenUp(events.Discarded{Revision: revision}) != want {
			t.Errorf("a discard of revision %d: %v", revision, !want)
		}
	}
	if p.GiveUp(); p.Fate() != Discarded {
		t.Errorf("fate %s", p.Fate())
	}
}

// TestAWishThatCouldNotBeWorkedOutFails, but nobody on whom another works.
func TestAWishThatCouldNotBeWorkedOutFails(t *testing.T) {
	t.Parallel()
	bad := events.Desired{Problem: &events.Failure{Message: "no such key"}}
	p := New(State{Revision: 7, Desired: bad})
	p.CheckDesired()
	wantCause(t, p, events.CauseMapping)
	if bad.Problem.Cause != "" {
		t.Error("desired was written to")
	}
	said := New(State{Revision: 7, Desired: events.Desired{Problem: &events.Failure{Cause: events.CauseInvalid}}})
	said.CheckDesired()
	wantCause(t, said, events.CauseInvalid)
	busy := New(State{Revision: 7, Desired: bad})
	busy.Wait(time.Second)
	if busy.CheckDesired(); busy.Fate() != Busy {
		t.Errorf("fate %s", busy.Fate())
	}
	good := New(State{Revision: 7})
	if good.CheckDesired(); !good.Open() {
		t.Errorf("fate %s", good.Fate())
	}
}
