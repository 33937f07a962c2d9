package plan

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

func anything() *Policy {
	return &Policy{Create: true, Update: true, Deactivate: true, LateFor: 10 * time.Minute, Match: Matcher{Order: []string{MatchUsername}}}
}

// lateOne is somebody of whom a call may still be applied.
func lateOne(d events.Desired, l events.Link) *Person {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l.UserID, l.UnsureUntil = "005", now.Add(5*time.Minute)
	return New(State{Key: "k", Revision: 5, At: now, Desired: d, Link: l})
}

// TestAGiveThatMayStillComeIsKept: whatever a repeat of it comes to.
func TestAGiveThatMayStillComeIsKept(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]func(a Assignments){
		"not sent":      func(a Assignments) { a.NotGiven("ps/A") },
		"refused":       func(a Assignments) { a.GiveRefused("ps/A", refused(salesforce.Locked)) },
		"made and gone": func(a Assignments) { a.Given("ps/A", "0Pa1"); a.Taken("ps/A") },
		"not seen":      func(a Assignments) { a.Missing("ps/A") },
		"read, and not there": func(a Assignments) {
			a.Saw(map[string]string{}, func(string) bool { return true })
		},
	} {
		p := lateOne(events.Desired{Active: true}, events.Link{})
		p.Assignments().Intend("ps/A")
		then(p.Assignments())
		if id, kept := p.Link.Assigned["ps/A"]; !kept || id != perhaps {
			t.Errorf("%s: the link says %v", name, p.Link.Assigned)
		}
		p.Link.UnsureUntil = p.At
		p.Assignments().Intend("ps/A")
		if name != "read, and not there" {
			then(p.Assignments())
			if _, kept := p.Link.Assigned["ps/A"]; kept {
				t.Errorf("%s, and sure: the link still says %v", name, p.Link.Assigned)
			}
		}
	}
}

// TestAnUnsureLeaverIsNotDoneUnfrozen: a step that ends before the freeze gives
// them back.
func TestAnUnsureLeaverIsNotDoneUnfrozen(t *testing.T) {
	t.Parallel()
	leaver := func(o *Policy) *Person {
		p := lateOne(events.Desired{}, events.Link{Unsure: true})
		p.Account().Found(NewUsers(o.Match, []*User{{ID: "005", Fields: map[string]any{}}}))
		p.Account().Own(&events.Owner{Key: "k"})
		return p
	}
	o := anything()
	p := leaver(o)
	if n := p.Next(o); n != NeedFreeze {
		t.Fatalf("needs %d, want the freeze", n)
	}
	if p.Stop(o); p.Fate() != Open {
		t.Errorf("the step ends, and they are %s", p.Fate())
	}
	p = leaver(o)
	p.Next(o)
	p.Account().NotFrozen(refused(salesforce.Locked))
	if p.Next(o); p.Fate() != Failed || p.Failure().Cause != events.CauseLocked {
		t.Errorf("refused: %s %+v", p.Fate(), p.Failure())
	}
	o.Deactivate = false
	p = leaver(o)
	if n := p.Next(o); n == NeedFreeze {
		t.Error("frozen, though config forbids to take access away")
	}
}

// TestAFreezeWithoutAnAnswerIsNotReliedOn: it is lifted with the return all the same.
func TestAFreezeWithoutAnAnswerIsNotReliedOn(t *testing.T) {
	t.Parallel()
	p := lateOne(events.Desired{}, events.Link{Active: true})
	p.call.kept = refused(salesforce.Invalid)
	p.Account().NotFrozen(&salesforce.Error{Class: salesforce.Timeout, Outcome: salesforce.MaybeApplied})
	if p.Link.Frozen || !p.Link.FreezeLost {
		t.Fatalf("link %+v", p.Link)
	}
	again := lateOne(events.Desired{}, p.Link)
	again.call.kept = refused(salesforce.Invalid)
	if v := again.Decide(anything()); v.Need != NeedFreeze {
		t.Errorf("tried again, who is kept active needs %+v", v)
	}
	if c := planExisting(events.Desired{Active: true}, p.Link, nil, IDs{}, false); !c.Unfreeze {
		t.Error("whoever comes back is not let in")
	}
}

// TestARefusedRemovalBlocksNothing: everything else of the person is done.
func TestARefusedRemovalBlocksNothing(t *testing.T) {
	t.Parallel()
	o := anything()
	p := New(State{Key: "k", Revision: 1, Desired: events.Desired{Active: true}, Link: events.Link{UserID: "005", Assigned: map[string]string{"ps/Old": "0Pa"}}})
	p.names.done, p.planned = true, true
	p.change = Change{Take: []string{"ps/Old"}, Update: map[string]any{FieldActive: true}, Unfreeze: true, Give: []string{"ps/New"}}
	p.Assignments().TakeRefused("ps/Old", refused(salesforce.Locked))
	for _, want := range []struct {
		need Need
		done func()
	}{
		{NeedUpdate, func() { p.Account().Updated() }},
		{NeedUnfreeze, func() { p.Account().FrozenIs(false, true) }},
		{NeedGive, func() { p.Assignments().Given("ps/New", "0Pa2") }},
	} {
		if n := p.Next(o); n != want.need {
			t.Fatalf("needs %d, want %d", n, want.need)
		}
		want.done()
	}
	if p.Next(o); p.Fate() != Failed || p.Failure().Cause != events.CauseLocked {
		t.Errorf("ends %s %+v", p.Fate(), p.Failure())
	}
}

// TestTheFirstRefusalCounts: what another kind needs is given before it.
func TestTheFirstRefusalCounts(t *testing.T) {
	t.Parallel()
	p := New(State{Key: "k", Desired: events.Desired{Active: true}, Link: events.Link{UserID: "005"}})
	p.names.done, p.planned = true, true
	p.Assignments().GiveRefused("psl/A", refused(salesforce.Licence))
	p.Assignments().GiveRefused("ps/A", refused(salesforce.Misconfigured))
	if p.Next(anything()); p.Failure() == nil || p.Failure().Cause != events.CauseLicence {
		t.Errorf("%+v", p.Failure())
	}
}

// TestADoubtedNameStaysDoubted: also when names are resolved again because of
// another one.
func TestADoubtedNameStaysDoubted(t *testing.T) {
	t.Parallel()
	o := anything()
	p := New(State{Key: "k", Desired: events.Desired{Active: true, Profile: "P", Assignments: map[string][]string{"permissionSets": {"Misspelt"}}},
		Link: events.Link{UserID: "005", Active: true, Assigned: map[string]string{"ps/Old": "0Pa"}}})
	c := NewCatalogue(nil)
	wanted := Names{}
	p.Naming().Add(wanted)
	learn := func(profile string) {
		queries := c.Queries(wanted, time.Unix(1, 0))
		answers := make([][]salesforce.Record, len(queries))
		answers[0] = []salesforce.Record{{"Id": profile, "Name": "P"}}
		answers[len(answers)-1] = []salesforce.Record{{"Id": "0PS", "Name": "Old"}}
		c.Learn(wanted, queries, answers, time.Now())
	}
	learn("00e1")
	p.Naming().Resolved(c, holding())
	p.reconcile(o)
	p.Account().UpdateRefused(refused(salesforce.Reference))
	used := p.Naming().Forget(c)
	learn("00e2")
	p.Naming().ResolvedAgain(c, holding(), used)
	if p.planned {
		t.Fatal("the profile has another id, and nothing is planned anew")
	}
	if p.reconcile(o); len(p.change.Take) != 0 || !p.names.withheld {
		t.Errorf("takes %v after names were resolved again", p.change.Take)
	}
}
