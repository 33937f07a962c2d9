package check

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

const userID = "005000000000001AAA"

func sampleConfig(modes map[string]string) Config {
	names := plan.Names{}
	names.Add("ps", "Base", "Extra")
	return Config{Org: "acme", Interval: time.Minute, Page: 10, Names: names, Modes: modes}
}

func someone(active bool) Person {
	return Person{
		Key: "a", Revision: 7, LinkSeq: 9,
		Desired: events.Desired{Key: "a", Active: active, Hash: "h", Fields: map[string]any{"Title": "Clerk"}, Assignments: map[string][]string{events.KeyPermissionSets: {"Base"}}},
		Link:    events.Link{Key: "a", UserID: userID, Active: active, AppliedHash: "h", Assigned: map[string]string{"ps/Base": "0Pa"}},
	}
}

// seen is the user as Rollcall left it, asked for by id.
func seen(active bool) Seen {
	return Seen{
		Asked:    map[string]bool{userID: true},
		Users:    map[string]*plan.User{userID: {ID: userID, Active: active, Fields: map[string]any{"title": "Clerk"}}},
		Frozen:   map[string]bool{userID: false},
		Assigned: map[string]map[string]Assignment{userID: {"ps/base": {ID: "0Pa"}}},
		Unread:   map[string]bool{},
	}
}

// TestWhatIsFound goes through everything that may be found of one person.
func TestWhatIsFound(t *testing.T) {
	t.Parallel()
	recent := Assignment{ID: "0Pb", Recent: true}
	for name, c := range map[string]struct {
		left         bool
		change       func(p *Person, s *Seen)
		repair, stay string
	}{
		"nothing":                    {change: func(*Person, *Seen) {}},
		"a leaver who is active":     {left: true, change: func(_ *Person, s *Seen) { s.Users[userID].Active = true }, repair: "active"},
		"a leaver who is not":        {left: true, change: func(_ *Person, s *Seen) { s.Users[userID].Fields["title"] = "Boss"; s.Frozen[userID] = true }},
		"deactivated":                {change: func(_ *Person, s *Seen) { s.Users[userID].Active = false }, repair: "deactivated"},
		"a field":                    {change: func(_ *Person, s *Seen) { s.Users[userID].Fields["title"] = "Boss" }, repair: "fields"},
		"a field that was not read":  {change: func(_ *Person, s *Seen) { delete(s.Users[userID].Fields, "title") }},
		"taken":                      {change: func(_ *Person, s *Seen) { delete(s.Assigned, userID) }, repair: "taken"},
		"taken, but nobody asked":    {change: func(_ *Person, s *Seen) { delete(s.Assigned, userID); delete(s.Asked, userID) }},
		"taken, but nobody answered": {change: func(_ *Person, s *Seen) { delete(s.Assigned, userID); s.Unread["ps"] = true }},
		"perhaps never given":        {change: func(p *Person, s *Seen) { delete(s.Assigned, userID); p.Link.Assigned["ps/Base"] = "" }},
		"given":                      {change: func(_ *Person, s *Seen) { s.Assigned[userID]["ps/extra"] = recent }, stay: "given"},
		"given long ago":             {change: func(_ *Person, s *Seen) { s.Assigned[userID]["ps/extra"] = Assignment{ID: "0Pb"} }},
		"given, told before": {change: func(p *Person, s *Seen) {
			s.Assigned[userID]["ps/extra"] = Assignment{ID: "0Pb"}
			p.Link.Drift = &events.Drift{Left: []string{events.DriftGiven}, Names: []string{"ps/extra"}}
		}},
		"had before Rollcall": {change: func(p *Person, s *Seen) {
			s.Assigned[userID]["ps/extra"] = recent
			p.Link.Assigned["ps/Extra"] = "found"
		}},
		"frozen by hand":     {change: func(_ *Person, s *Seen) { s.Frozen[userID] = true }, stay: "frozen"},
		"frozen by Rollcall": {change: func(p *Person, s *Seen) { s.Frozen[userID] = true; p.Link.Frozen = true }},
		"gone":               {change: func(_ *Person, s *Seen) { delete(s.Users, userID) }, repair: "gone"},
		"not asked for":      {change: func(_ *Person, s *Seen) { delete(s.Users, userID); delete(s.Asked, userID) }},
		"worked on":          {change: func(p *Person, s *Seen) { s.Users[userID].Active = false; p.Link.Claim = &events.Claim{} }},
		"in doubt":           {change: func(p *Person, s *Seen) { s.Users[userID].Active = false; p.Link.UnsureUntil = time.Unix(1, 0) }},
		"not applied":        {change: func(p *Person, s *Seen) { s.Users[userID].Active = false; p.Link.AppliedHash = "older" }},
		"being put right": {change: func(p *Person, s *Seen) {
			s.Users[userID].Active = false
			p.Link.Drift = &events.Drift{Repair: []string{events.DriftDeactivated}}
		}},
	} {
		p, s := someone(!c.left), seen(!c.left)
		c.change(&p, &s)
		f, found := sampleConfig(map[string]string{events.DriftGiven: "report"}).Decide(p, s, time.Unix(1000, 0))
		var repair, stay string
		if found && f.Drift != nil {
			repair, stay = strings.Join(f.Drift.Repair, " "), strings.Join(f.Drift.Left, " ")
		}
		if repair != c.repair || stay != c.stay || found != (c.repair != "" || c.stay != "") {
			t.Errorf("%s: repair %q, left %q, found %v; want %q, %q", name, repair, stay, found, c.repair, c.stay)
		}
	}
}

// TestWhatIsUndoneEachTimeIsReported after three repairs in a day, and repaired
// again the day after; a leaver's user always is.
func TestWhatIsUndoneEachTimeIsReported(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	c := sampleConfig(nil)
	p, s := someone(true), seen(true)
	s.Users[userID].Fields["title"] = "Boss"
	for i := range 3 {
		f, _ := c.Decide(p, s, now)
		if !f.Repair {
			t.Fatalf("repair %d: %+v", i, f.Drift)
		}
		kept := *f.Drift
		kept.Repair = nil
		p.Link.Drift = &kept
	}
	f, found := c.Decide(p, s, now.Add(time.Hour))
	if !found || f.Repair || !slices.Equal(f.Drift.Left, []string{events.DriftFields}) {
		t.Errorf("the fourth time: %+v", f.Drift)
	}
	if f, _ := c.Decide(p, s, now.Add(25*time.Hour)); !f.Repair {
		t.Errorf("a day later: %+v", f.Drift)
	}
	left := someone(false)
	left.Link.Drift = &events.Drift{Repairs: 9, Since: now.UTC()}
	if f, _ := c.Decide(left, seen(true), now); !f.Repair {
		t.Errorf("a leaver: %+v", f.Drift)
	}
}

// TestModes: nothing is repaired that config has reported or accepted, and a
// report is withdrawn when what it was about is so no more.
func TestModes(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"report", "accept"} {
		c := sampleConfig(map[string]string{events.DriftDeactivated: mode, events.DriftFields: mode, events.DriftTaken: mode, events.DriftGiven: mode})
		if got := slices.Sorted(maps.Keys(c.Leave())); len(got) != 4 {
			t.Errorf("%s leaves %v", mode, got)
		}
		p, s := someone(true), seen(true)
		s.Users[userID].Active, s.Users[userID].Fields["title"] = false, "Boss"
		f, found := c.Decide(p, s, time.Unix(1, 0))
		if !found || f.Repair || f.Active || !slices.Equal(f.Drift.Left, []string{events.DriftDeactivated, events.DriftFields}) {
			t.Errorf("%s: %+v", mode, f.Drift)
		}
		p.Link.Drift = f.Drift
		if _, again := c.Decide(p, s, time.Unix(2, 0)); again {
			t.Errorf("%s: told twice", mode)
		}
		if f, found := c.Decide(p, seen(true), time.Unix(3, 0)); !found || f.Drift != nil {
			t.Errorf("%s: not withdrawn, %+v", mode, f.Drift)
		}
	}
}

// TestDue: a turn comes after an interval, never while another replica has it, and
// a clock that was wrong holds nobody up.
func TestDue(t *testing.T) {
	t.Parallel()
	now := time.Unix(100_000, 0)
	for name, c := range map[string]struct {
		reg  events.Check
		want time.Duration
	}{
		"just read":                   {events.Check{Watermark: now}, time.Minute},
		"half way":                    {events.Check{Watermark: now.Add(-30 * time.Second)}, 30 * time.Second},
		"overdue":                     {events.Check{Watermark: now.Add(-time.Hour)}, 0},
		"another has it":              {events.Check{Watermark: now.Add(-time.Hour), Until: now.Add(20 * time.Second)}, 20 * time.Second},
		"written by a clock far off":  {events.Check{Watermark: now.Add(6 * time.Hour)}, 0},
		"held until, by such a clock": {events.Check{Watermark: now.Add(-time.Hour), Until: now.Add(6 * time.Hour)}, 0},
	} {
		if got := due(c.reg, now, time.Minute, 40*time.Second); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestTheQuestions fit one call, and ask for what was changed or is in the page.
func TestTheQuestions(t *testing.T) {
	t.Parallel()
	c := sampleConfig(nil)
	c.Names.Add("psl", "Seat")
	c.Names.Add("group", "Team")
	c.Fields = []string{"Title", "profileid"}
	qs := c.questions(time.Unix(0, 0), []string{userID}, false)
	if len(qs) != 5 {
		t.Fatalf("%d questions, one call takes 5", len(qs))
	}
	for _, q := range qs {
		if !strings.Contains(q.soql, ">= 1970-01-01T00:00:00Z OR ") || !strings.Contains(q.soql, userID) {
			t.Errorf("%s", q.soql)
		}
	}
	if want := "SELECT Id,IsActive,Username,ProfileId,UserRoleId,Title FROM User WHERE (LastModifiedDate >= 1970-01-01T00:00:00Z OR Id IN ('" + userID + "'))"; qs[0].soql != want {
		t.Errorf("%s\nwant\n%s", qs[0].soql, want)
	}
	if strings.Contains(c.questions(time.Unix(0, 0), nil, true)[0].soql, "Title") {
		t.Error("a field that is not there is asked for again")
	}
}
