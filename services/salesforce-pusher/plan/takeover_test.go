package plan

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

func says(removed bool, active ...bool) events.SourceState {
	s := events.SourceState{Removed: removed, Person: &events.Person{UserName: "ann"}}
	for _, a := range active {
		s.Active = append(s.Active, events.Activity{Active: a})
	}
	return s
}

func TestWhoHasLeftForGood(t *testing.T) {
	t.Parallel()
	left := &events.Desired{}
	people := func(s ...events.SourceState) *events.PersonState {
		p := &events.PersonState{Sources: map[string]events.SourceState{}}
		for i, one := range s {
			p.Sources[string(rune('a'+i))] = one
		}
		return p
	}
	for name, c := range map[string]struct {
		old  Predecessor
		want bool
	}{
		"nobody ever spoke of them":            {Predecessor{}, true},
		"inactive, and left":                   {Predecessor{Desired: left, Person: people(says(false, false))}, true},
		"removed by all":                       {Predecessor{Desired: left, Person: people(says(true))}, true},
		"left, and merely listed elsewhere":    {Predecessor{Desired: left, Person: people(says(false, false), says(false))}, true},
		"desired to be active":                 {Predecessor{Desired: &events.Desired{Active: true}}, false},
		"active, and no rule matches":          {Predecessor{Desired: left, Person: people(says(false, true))}, false},
		"merely listed, and no rule matches":   {Predecessor{Desired: left, Person: people(says(false))}, false},
		"active in one source, left in others": {Predecessor{Desired: left, Person: people(says(false, false), says(false, true))}, false},
		"was active before one removed them":   {Predecessor{Desired: left, Person: people(says(true, true))}, true},
	} {
		if got := c.old.gone(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestAUserIsAgreedOnByWhatIsGivenOnce(t *testing.T) {
	t.Parallel()
	m := Matcher{Order: []string{MatchFederationID, MatchUsername}, ExternalField: "Number__c"}
	u := &User{Username: "ann@x.test", Federation: "F1", External: "N1", Email: "ann@x.test"}
	for name, c := range map[string]struct {
		match events.Match
		want  bool
	}{
		"federation id":                   {events.Match{FederationID: "f1"}, true},
		"external id":                     {events.Match{ExternalID: "n1"}, true},
		"another federation id":           {events.Match{FederationID: "F2", Username: "ann@x.test"}, false},
		"username, and an id of the kind": {events.Match{ExternalID: "N2", Username: "ann@x.test"}, false},
		"username, and they have no id":   {events.Match{Username: "Ann@x.test"}, false},
		"e-mail address":                  {events.Match{Email: "ann@x.test"}, false},
		"nothing":                         {events.Match{}, false},
	} {
		if got := m.agreed(events.Desired{Match: c.match}, u); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	byName := events.Desired{Match: events.Match{Username: "Ann@x.test"}}
	for name, c := range map[string]struct {
		m    Matcher
		user User
		want bool
	}{
		"neither has an id":                 {m, User{Username: "ann@x.test"}, true},
		"the user has a federation id":      {m, User{Username: "ann@x.test", Federation: "F1"}, false},
		"of which no rule speaks":           {Matcher{Order: []string{MatchUsername}}, User{Username: "ann@x.test", Federation: "F1"}, true},
		"the user has the number of others": {m, User{Username: "ann@x.test", External: "N1"}, false},
	} {
		if got := c.m.agreed(byName, &c.user); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestWhoWasLetGoMayHaveAUserSince: a create without an answer, or a job, may have
// made one, whom nobody but they can be looked up for.
func TestWhoWasLetGoMayHaveAUserSince(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		link events.Link
		want bool
	}{
		"nothing was sent":          {events.Link{}, true},
		"a create without answer":   {events.Link{SentUsername: "ann@x.test"}, false},
		"a job may still run":       {events.Link{Job: "750"}, false},
		"a user of their own since": {events.Link{UserID: "006"}, false},
	} {
		c.link.Moved = &events.Moved{UserID: "005"}
		if got := New(State{Revision: 1, Link: c.link}).moved(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestATakeoverWaitsOrFails(t *testing.T) {
	t.Parallel()
	hour := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		old   Predecessor
		as    func(p *Person)
		cause events.Cause // empty: it is taken
	}{
		"gone":                    {},
		"gone, claim over":        {old: Predecessor{Link: events.Link{Claim: &events.Claim{Until: time.Now().Add(-time.Hour)}}}},
		"in hand":                 {old: Predecessor{Link: events.Link{Claim: &events.Claim{Until: hour}}}, cause: events.CauseWaiting},
		"a job may make a user":   {old: Predecessor{Link: events.Link{Job: "750"}}, cause: events.CauseWaiting},
		"active, first attempt":   {old: Predecessor{Desired: &events.Desired{Active: true}}, cause: events.CauseWaiting},
		"active, after some time": {old: Predecessor{Desired: &events.Desired{Active: true}}, as: func(p *Person) { p.Link.FailedRevision, p.Link.Attempts = p.Revision, patience }, cause: events.CauseDuplicate},
		"another federation id":   {as: func(p *Person) { p.Desired.Match.FederationID = "other" }, cause: events.CauseDuplicate},
		"for a leaver":            {as: func(p *Person) { p.Desired.Active = false }, cause: events.CauseDuplicate},
	} {
		p, o := somebody("")
		p.At, p.Desired.Match.FederationID = time.Now(), "F1"
		if c.as != nil {
			c.as(p)
		}
		p.lookup = lookup{done: true, user: &User{ID: "005", Federation: "F1"}}
		c.old.Key = "old"
		if took := p.Account().Takes(c.old, time.Second, o); took != (c.cause == "") {
			t.Errorf("%s: taken %v", name, took)
			continue
		}
		if c.cause != "" {
			wantCause(t, p, c.cause)
		}
	}
}

func TestAllThatIsKnownGoesWithTheUser(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC()
	had := events.Link{Key: "old", UserID: "005", Active: true, Frozen: true, FreezeLost: true, FieldHashes: map[string]string{"Title": "h"},
		Assigned: map[string]string{"permission_set/A": "0Pa"}, Unsure: true, UnsureUntil: now.Add(time.Minute), Failures: 2, Attempts: 1}
	old := Predecessor{Key: "old", Link: had, Revision: 7, Desired: &events.Desired{Hash: "x"}}
	next, rest := Succeed(events.Link{Key: "new"}, old, "005", "req", now, time.Hour)
	if next.UserID != "005" || !next.Active || !next.Frozen || !next.FreezeLost || next.FieldHashes["Title"] != "h" || next.Assigned["permission_set/A"] != "0Pa" ||
		!next.Unsure || !next.UnsureUntil.Equal(had.UnsureUntil) {
		t.Errorf("what goes: %+v", next)
	}
	if rest.UserID != "" || rest.Assigned != nil || rest.Unsure || !rest.UnsureUntil.IsZero() || rest.AppliedHash != "x" || rest.AppliedRevision != 7 || rest.Attempts != 0 || rest.Failures != 2 ||
		rest.Moved == nil || rest.Moved.To != "new" || rest.Moved.UserID != "005" || rest.Moved.Request != "req" {
		t.Errorf("what stays: %+v, moved %+v", rest, rest.Moved)
	}
	old.Link.Claim = &events.Claim{Until: now.Add(-time.Minute)}
	if next, rest = Succeed(events.Link{Key: "new"}, old, "005", "", now, time.Hour); !next.UnsureUntil.Equal(now.Add(59*time.Minute)) || rest.Claim != nil {
		t.Errorf("after a dead worker's claim: %+v", next)
	}
	old.Link.UserID = "other"
	if next, rest = Succeed(events.Link{Key: "new"}, old, "005", "", now, time.Hour); next.Frozen || rest.UserID != "other" || rest.Moved != nil {
		t.Errorf("of another user: %+v, %+v", next, rest)
	}
}

func TestAnInsertIsNotMadeForWhoseUserMoved(t *testing.T) {
	t.Parallel()
	for to, want := range map[events.Key]bool{"new": false, "": true} {
		p, o := somebody("")
		p.Link.Moved = &events.Moved{UserID: "005", To: to}
		if got := p.MayInsert(o); got != want {
			t.Errorf("moved to %q: insert %v, want %v", to, got, want)
		}
	}
}
