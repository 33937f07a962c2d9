package plan

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// applied is somebody of whom everything is applied.
func applied(active bool) State {
	d := events.Desired{Org: "o", Key: "k", Active: active, Hash: "h", Fields: map[string]any{"Title": "Clerk"}}
	l := events.Link{UserID: "005", Active: active, AppliedRevision: 7, AppliedHash: "h", FieldHashes: map[string]string{"Title": hashValue("Clerk")}}
	return State{Key: "k", Lane: events.LaneChange, Desired: d, Revision: 7, Link: l}
}

// TestTheLaneCheckReads whatever the link says, and so does a link of which
// something is to be put right, in whatever lane.
func TestTheLaneCheckReads(t *testing.T) {
	t.Parallel()
	o := &Policy{Update: true, Deactivate: true}
	for name, c := range map[string]struct {
		lane  events.Lane
		drift *events.Drift
		need  Need
	}{
		"an ordinary look":   {events.LaneChange, nil, NeedNothing},
		"the lane check":     {events.LaneCheck, nil, NeedUser},
		"a drift to mend":    {events.LaneLeaver, &events.Drift{Repair: []string{events.DriftActive}}, NeedUser},
		"a drift to be left": {events.LaneChange, &events.Drift{Left: []string{events.DriftFrozen}}, NeedNothing},
	} {
		s := applied(false)
		s.Lane, s.Link.Drift = c.lane, c.drift
		p := New(s)
		p.Triage("me", time.Unix(1000, 0), 0, o)
		if got := p.Next(o); got != c.need {
			t.Errorf("%s: needs %v, want %v", name, got, c.need)
		}
		if c.need == NeedUser && (p.Link.AppliedHash != "" || p.Link.Unsure) {
			t.Errorf("%s: given back now, nobody would look again, or they would be in doubt: %+v", name, p.Link)
		}
	}
}

// TestWhatSomebodyDidByHandIsLeftAlone where config says so, and only that: what
// Rollcall is yet to apply is sent.
func TestWhatSomebodyDidByHandIsLeftAlone(t *testing.T) {
	t.Parallel()
	u := &User{ID: "005", Active: false, Fields: map[string]any{"title": "Boss", "firstname": "Old"}}
	for name, c := range map[string]struct {
		leave map[string]bool
		drift *events.Drift
		back  bool
		want  []string
	}{
		"repaired": {nil, nil, false, []string{"FirstName", "IsActive", "Title"}},
		"left":     {map[string]bool{events.DriftDeactivated: true, events.DriftFields: true}, nil, false, []string{"FirstName"}},
		"left before, and read by now": {map[string]bool{events.DriftDeactivated: true, events.DriftFields: true},
			&events.Drift{Left: []string{events.DriftDeactivated}}, true, []string{"FirstName"}},
		"a returner": {map[string]bool{events.DriftDeactivated: true, events.DriftFields: true}, nil, true, []string{"FirstName", "IsActive"}},
	} {
		s := applied(true)
		s.Lane, s.Link.Drift, s.Link.Active = events.LaneCheck, c.drift, !c.back
		s.Desired.Fields["FirstName"] = "New"
		o := &Policy{Update: true, Leave: c.leave}
		p := New(s)
		p.Triage("me", time.Unix(1000, 0), 0, o)
		p.lookup, p.ownership.linked, p.Link.Active = lookup{done: true, user: u}, true, u.Active
		p.reconcile(o)
		if got := slices.Sorted(maps.Keys(p.change.Update)); !slices.Equal(got, c.want) {
			t.Errorf("%s: sends %v, want %v", name, got, c.want)
		}
		if left := p.Link.Drift.Leaves(events.DriftDeactivated); left != (c.leave != nil && !slices.Contains(c.want, FieldActive)) {
			t.Errorf("%s: noted as left %v", name, left)
		}
	}
}

// TestAnUpdateOfAnUnreadUserSaysTheyAreActive, in the same call, and an outcome does
// not say that they came back.
func TestAnUpdateOfAnUnreadUserSaysTheyAreActive(t *testing.T) {
	t.Parallel()
	s := applied(true)
	s.Desired.Fields["Title"], s.Desired.Hash = "Boss", "h2"
	o := &Policy{Update: true}
	p := New(s)
	p.Triage("me", time.Unix(1000, 0), 0, o)
	p.reconcile(o)
	if sent := p.Account().Sending(); sent["Title"] != "Boss" || sent[FieldActive] != true || len(sent) != 2 {
		t.Fatalf("sends %v", sent)
	}
	p.Account().Updated()
	if !slices.Equal(p.actions, []string{actUpdated}) || len(p.change.Update) > 0 || p.Link.Seen.IsZero() {
		t.Errorf("actions %v, left %v, seen %s", p.actions, p.change.Update, p.Link.Seen)
	}
}

// TestAFreezeThatWasThereIsNotOurs, unless a call of ours may have set it.
func TestAFreezeThatWasThereIsNotOurs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set, inherited, lost, want bool
	}{
		"set by us": {set: true, want: true}, "there already": {}, "a worker died before": {inherited: true, want: true}, "ours without an answer": {lost: true, want: true},
	} {
		p := New(applied(false))
		p.inherited, p.Link.FreezeLost = c.inherited, c.lost
		p.Account().FrozenIs(true, c.set)
		if p.Link.Frozen != c.want {
			t.Errorf("%s: ours %v, want %v", name, p.Link.Frozen, c.want)
		}
	}
}

// TestMostBeingGoneIsAnotherOrg: then nobody is made anew; a few are.
func TestMostBeingGoneIsAnotherOrg(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		people, gone int
		held         bool
	}{
		"one of many": {100, 1, false}, "five, and all there are": {5, 5, false}, "six, and all there are": {6, 6, true},
		"half": {20, 10, false}, "more than half": {20, 11, true},
	} {
		var all []*Person
		for i := range c.people {
			p := New(State{Key: events.Key(fmt.Sprint(i)), Desired: events.Desired{Active: i != 0}, Link: events.Link{UserID: fmt.Sprint(i)}})
			if i < c.gone {
				p.gone, p.Link.UserID = p.Link.UserID, ""
			}
			all = append(all, p)
		}
		HoldGone(all)
		for i, p := range all {
			want := c.held && i < c.gone && i != 0 // the leaver has no user, which is as desired
			if f := p.Failure(); want != (f != nil && f.Cause == events.CauseUserGone) {
				t.Errorf("%s: person %d: %+v", name, i, f)
			}
		}
	}
}

// TestWhatDiffersIsTold but for what is spelt in another case where Salesforce
// makes the case its own.
func TestWhatDiffersIsTold(t *testing.T) {
	t.Parallel()
	d := events.Desired{Fields: map[string]any{"Username": "Pat@X.example", "Email": "Pat@X.example", "Title": "Clerk", "Phone": nil, "Other": "x"}}
	l := events.Link{FieldHashes: map[string]string{FieldProfile: hashValue("00e1"), FieldRole: "?"}}
	u := &User{Fields: map[string]any{"username": "pat@x.example", "email": "pat@x.example", "title": "clerk", "phone": "1", "profileid": "00e2", "userroleid": "00E2"}}
	if got := Differing(d, l, u); !slices.Equal(got, []string{"Phone", "ProfileId", "Title"}) {
		t.Errorf("differ: %v", got)
	}
}
