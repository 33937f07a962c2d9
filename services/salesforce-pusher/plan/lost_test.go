package plan

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// TestALostUpdateIsJudgedByTheUser as read since.
func TestALostUpdateIsJudgedByTheUser(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		title string // of the user read, none where it is gone
		sent  map[string]any
		fate  Fate
		need  Need
		cause events.Cause
	}{
		"applied":                      {title: "a", sent: map[string]any{"Title": "a"}, need: NeedNothing, fate: Applied},
		"not applied":                  {title: "b", sent: map[string]any{"Title": "a"}, fate: Failed, cause: events.CauseTimeout},
		"gone":                         {sent: map[string]any{"Title": "a"}, fate: Failed, cause: events.CauseTimeout},
		"applied, and more is to come": {title: "a", sent: map[string]any{FieldProfile: "00e", "Title": "a"}, need: NeedNothing, fate: Applied},
	} {
		p, o := somebody("005")
		p.Desired.Fields = map[string]any{"Title": "a"}
		p.Desired.Assignments = nil
		p.names.ids = IDs{Profile: "00e"}
		p.planned, p.change.Update = true, maps.Clone(c.sent)
		p.Account().UpdateLost(unanswered())
		if n := p.Next(o); n != NeedReadBack || !p.Link.UnsureUntil.Equal(p.lateUntil) {
			t.Fatalf("%s: needs %d, in doubt until %s", name, n, p.Link.UnsureUntil)
		}
		users := o.users()
		if c.title != "" {
			users = o.users(&User{ID: "005", Active: true, Fields: map[string]any{"title": c.title, "profileid": "00e"}})
		}
		p.Account().ReadBack(users, o)
		if n := p.Next(o); n != c.need || p.Fate() != c.fate {
			t.Errorf("%s: needs %d, fate %s; want %d, %s", name, n, p.Fate(), c.need, c.fate)
		}
		if c.cause != "" {
			wantCause(t, p, c.cause)
		}
		if (c.fate == Failed) != p.Link.Unsure {
			t.Errorf("%s: unsure %v", name, p.Link.Unsure)
		}
		if c.fate == Applied && !slices.Equal(p.actions, []string{actUpdated}) {
			t.Errorf("%s: actions %v", name, p.actions)
		}
	}
}

// TestARoleThatWasPerhapsGivenIsOurs: it is cleared when nobody wants it any
// more, although no answer ever said that it was set.
func TestARoleThatWasPerhapsGivenIsOurs(t *testing.T) {
	t.Parallel()
	p, _ := somebody("005")
	p.change.Update = map[string]any{FieldRole: "00E"}
	p.Account().UpdateLost(unanswered())
	p.Desired.Role = ""
	if c := planExisting(p.Desired, p.Link, nil, IDs{}, false); c.Update[FieldRole] != nil || len(c.Update) == 0 {
		t.Errorf("the role stays: %+v", c.Update)
	} else if _, cleared := c.Update[FieldRole]; !cleared {
		t.Errorf("the role stays: %+v", c.Update)
	}
	other, _ := somebody("005")
	other.change.Update = map[string]any{"Title": "a"}
	other.Account().UpdateLost(unanswered())
	if _, ours := other.Link.FieldHashes[FieldRole]; ours {
		t.Error("a role counts as ours that no call of ours named")
	}
}

// TestALostAssignmentIsJudgedByWhatIsThere: absence says something only of what
// was asked for.
func TestALostAssignmentIsJudgedByWhatIsThere(t *testing.T) {
	t.Parallel()
	const name = "ps/A"
	for title, c := range map[string]struct {
		operation  string
		has, asked bool
		cause      events.Cause
		assigned   map[string]string
		actions    []string
	}{
		"given":                             {OpAssign, true, true, "", map[string]string{name: "0Pa"}, []string{actAssigned}},
		"not given":                         {OpAssign, false, true, events.CauseTimeout, map[string]string{name: perhaps}, nil},
		"taken, and may be given late":      {OpUnassign, false, true, "", map[string]string{name: perhaps}, []string{actUnassigned}},
		"not taken":                         {OpUnassign, true, true, events.CauseTimeout, map[string]string{name: perhaps}, nil},
		"perhaps taken, and cannot be seen": {OpUnassign, false, false, events.CauseTimeout, map[string]string{name: perhaps}, nil},
	} {
		p, o := somebody("005")
		p.planned = true
		p.change = Change{Give: []string{name}, Take: []string{name}}
		p.Assignments().Intend(name)
		p.Assignments().Lost(name, c.operation, unanswered())
		if n := p.Next(o); n != NeedAssignmentsBack || !p.Link.Unsure || !p.Link.UnsureUntil.Equal(p.lateUntil) {
			t.Fatalf("%s: needs %d, link %+v", title, n, p.Link)
		}
		have := map[string]string{}
		if c.has {
			have[name] = "0Pa"
		}
		p.Assignments().Back(have, func(string) bool { return c.asked })
		if !maps.Equal(p.Link.Assigned, c.assigned) || !slices.Equal(p.actions, c.actions) || p.Link.Unsure {
			t.Errorf("%s: assigned %v, actions %v, unsure %v", title, p.Link.Assigned, p.actions, p.Link.Unsure)
		}
		f := p.call.fault
		if c.operation == OpUnassign {
			f = p.call.untaken // for which nothing else waits
		}
		if (c.cause == "") != (f == nil) || f != nil && f.Cause != c.cause {
			t.Errorf("%s: %+v, want %q", title, f, c.cause)
		}
		if len(p.call.assignments) != 0 {
			t.Errorf("%s: read back for ever", title)
		}
	}
	p, o := somebody("005")
	p.planned = true
	p.Assignments().Lost(name, OpAssign, unanswered())
	p.Assignments().NotBack()
	if p.Next(o); p.Failure() == nil || !p.Link.Unsure {
		t.Errorf("could not be read back: %+v, unsure %v", p.Failure(), p.Link.Unsure)
	}
}

// TestALostCallIsTheirsAlone: the org answers others, so it is not held for it.
func TestALostCallIsTheirsAlone(t *testing.T) {
	t.Parallel()
	gone := &salesforce.Error{Class: salesforce.Unavailable, Outcome: salesforce.MaybeApplied, Message: "502"}
	if f := judged(gone, OpUpdate); f.Cause != events.CauseTimeout {
		t.Errorf("a lost call: %+v", f)
	}
	if f := judged(refused(salesforce.Unavailable), OpUpdate); f.Cause != events.CauseUnavailable {
		t.Errorf("a call that was refused: %+v", f)
	}
}

// TestWhatIsLateIsLookedFor: a user whom a lost create makes after all, under the
// name that was sent, although the person has another by now.
func TestWhatIsLateIsLookedFor(t *testing.T) {
	t.Parallel()
	p, o := somebody("")
	p.Link.SentUsername, p.Link.UnsureUntil = "Before@x.test", p.At.Add(time.Minute)
	p.lookup.done = true
	if v := p.Decide(o); !v.Later {
		t.Errorf("a second user may be made: %+v", v)
	}
	p.At = p.Link.UnsureUntil
	if v := p.Decide(o); v.Later || !v.Plan {
		t.Errorf("nothing can come any more: %+v", v)
	}
	p.Account().Found(o.users(&User{ID: "005", Username: "before@x.test"}))
	if u := p.User(); u == nil || u.ID != "005" {
		t.Errorf("found %+v", u)
	}
	p.Desired.Match.FederationID = "fed"
	p.Account().Found(o.users(&User{ID: "005", Username: "before@x.test", Federation: "other"}))
	if p.User() != nil || p.lookup.unclear == nil {
		t.Errorf("found %+v, who has another federation id", p.User())
	}
	p.Account().Found(o.users(&User{ID: "006", Username: "elsewhere@x.test", Federation: "fed"}))
	if p.User() != nil {
		t.Errorf("found %+v, whom nothing names", p.User())
	}
}
