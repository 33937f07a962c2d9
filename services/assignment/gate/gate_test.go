package gate

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

const (
	hr  = events.ChangeCause("source:hr")
	dir = events.ChangeCause("source:directory")
)

func noon() time.Time { return time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC) }

func usual() Limits {
	return Limits{People: 10, Percent: 5, Window: time.Hour, LongWindow: 24 * time.Hour, LongTimes: 2, TotalTimes: 2, Urgent: 5}
}

// worker is somebody with all that can be taken.
func worker(n int) *events.Desired {
	return &events.Desired{
		Org: "sales", Key: events.Key(fmt.Sprint("k", n)), Rule: "seller", Active: true, Profile: "Sales User",
		Match:       events.Match{Username: "ann@x.test", Email: "ann@x.test"},
		Fields:      map[string]any{"Username": "ann@x.test", "Email": "ann@x.test", "FederationIdentifier": "F1", "Title": "Clerk"},
		Assignments: map[string][]string{"permissionSets": {"Base", "Lead"}, "groups": {"All"}},
	}
}

func leaver(n int) *events.Desired { return &events.Desired{Org: "sales", Key: worker(n).Key} }

func by(cause events.ChangeCause) func(events.Aspect) events.ChangeCause {
	return func(events.Aspect) events.ChangeCause { return cause }
}

func TestWhatAWishTakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(d *events.Desired)
		want   string
	}{
		"nothing":                   {func(*events.Desired) {}, "map[]"},
		"a title":                   {func(d *events.Desired) { d.Fields["Title"] = "Chief" }, "map[]"},
		"more access":               {func(d *events.Desired) { d.Assignments["permissionSets"] = []string{"Base", "Lead", "More"} }, "map[]"},
		"a role":                    {func(d *events.Desired) { d.Role = "Seller" }, "map[]"},
		"the user":                  {func(d *events.Desired) { *d = *leaver(1) }, "map[active:[active]]"},
		"a permission set":          {func(d *events.Desired) { d.Assignments["permissionSets"] = []string{"Base"} }, "map[access:[permissionSets/Lead]]"},
		"a set for another":         {func(d *events.Desired) { d.Assignments["permissionSets"] = []string{"Base", "Laed"} }, "map[access:[permissionSets/Lead]]"},
		"all groups":                {func(d *events.Desired) { delete(d.Assignments, "groups") }, "map[access:[groups/All]]"},
		"the profile":               {func(d *events.Desired) { d.Profile = "Reader" }, "map[access:[profile]]"},
		"the address":               {func(d *events.Desired) { d.Fields["Email"] = "other@x.test" }, "map[identity:[Email]]"},
		"an address left out":       {func(d *events.Desired) { delete(d.Fields, "Email") }, "map[identity:[Email]]"},
		"an address blanked":        {func(d *events.Desired) { d.Fields["Email"] = nil }, "map[identity:[Email]]"},
		"the federation id":         {func(d *events.Desired) { d.Fields["FederationIdentifier"] = "F2" }, "map[identity:[FederationIdentifier]]"},
		"a federation id blanked":   {func(d *events.Desired) { d.Fields["FederationIdentifier"] = nil }, "map[identity:[FederationIdentifier]]"},
		"another case":              {func(d *events.Desired) { d.Fields["Email"] = "Ann@X.test" }, "map[]"},
		"username and set":          {func(d *events.Desired) { d.Fields["Username"], d.Assignments["groups"] = "b@x.test", nil }, "map[access:[groups/All] identity:[Username]]"},
		"what cannot be worked out": {func(d *events.Desired) { *d = events.Desired{Active: true, Problem: &events.Failure{}} }, "map[]"},
	} {
		wish := worker(1)
		c.change(wish)
		got := Takes(worker(1), wish)
		if got == nil {
			got = Takings{}
		}
		if fmt.Sprint(map[events.Aspect][]string(got)) != c.want {
			t.Errorf("%s: takes %v, want %s", name, got, c.want)
		}
	}
	for name, is := range map[string]*events.Desired{"nobody": nil, "a leaver": leaver(1)} {
		if got := Takes(is, worker(1)); len(got) > 0 {
			t.Errorf("of %s it takes %v", name, got)
		}
	}
}

// leave judges n leavers, one after the other, and says how many pass.
func leave(c *Counter, cause events.ChangeCause, n int) (passed int) {
	for i := range n {
		v := c.Judge(Case{Is: worker(i), Wish: leaver(i), Cause: by(cause)})
		if !v.Desired.Active {
			passed++
		}
	}
	return passed
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		active int
		limits func(l *Limits)
		judge  func(c *Counter) int
		want   int
	}{
		"ten of few":               {40, nil, func(c *Counter) int { return leave(c, hr, 30) }, 10},
		"five per cent of many":    {1000, nil, func(c *Counter) int { return leave(c, hr, 90) }, 50},
		"all that are allowed":     {40, nil, func(c *Counter) int { return leave(c, hr, 10) }, 10},
		"each cause for itself":    {40, nil, func(c *Counter) int { return leave(c, hr, 30) + leave(c, dir, 9) }, 19},
		"all causes together":      {40, nil, func(c *Counter) int { return leave(c, hr, 9) + leave(c, dir, 9) + leave(c, events.CauseConfig, 9) }, 20},
		"nobody at a limit of 0":   {40, func(l *Limits) { l.People, l.Percent = 0, 0 }, func(c *Counter) int { return leave(c, hr, 3) }, 0},
		"everybody when it is off": {40, func(l *Limits) { l.Off = true }, func(c *Counter) int { return leave(c, hr, 30) }, 30},
		"nobody of what comes whole": {40, nil, func(c *Counter) int {
			c.HoldWhole(Place{hr, events.AspectActive})
			return leave(c, hr, 3) + leave(c, dir, 3)
		}, 3},
	} {
		l := usual()
		if c.limits != nil {
			c.limits(&l)
		}
		if got := c.judge(Open(NewGuard("sales", c.active), l, noon())); got != c.want {
			t.Errorf("%s: %d pass, want %d", name, got, c.want)
		}
	}
}

// TestAWindowIsNoLeak: what is held stays so when its window is over, and joins of
// later days are held with it; a trickle is seen over the long window.
func TestAWindowIsNoLeak(t *testing.T) {
	t.Parallel()
	g := NewGuard("sales", 40)
	at := func(after time.Duration, n int) int {
		c := Open(g, usual(), noon().Add(after))
		defer func() { g = c.Guard() }()
		return leave(c, hr, n)
	}
	if got := []int{at(0, 12), at(3*time.Hour, 1), at(30*time.Hour, 1)}; !slices.Equal(got, []int{10, 0, 0}) {
		t.Errorf("passed %v", got)
	}
	g = NewGuard("sales", 40)
	var got []int
	for hour := range 5 {
		got = append(got, at(time.Duration(hour)*2*time.Hour, 8))
	}
	if !slices.Equal(got, []int{8, 8, 4, 0, 0}) {
		t.Errorf("of a trickle passed %v", got)
	}
	g = NewGuard("sales", 40)
	if got := []int{at(0, 10), at(66*time.Minute, 9), at(27*time.Hour, 10)}; !slices.Equal(got, []int{10, 9, 10}) {
		t.Errorf("within the limits passed %v", got)
	}
}

// TestPercentagesAreOfTheWindowsStart: neither those who have just joined nor those
// who have just left move the limit.
func TestPercentagesAreOfTheWindowsStart(t *testing.T) {
	t.Parallel()
	c := Open(NewGuard("sales", 0), usual(), noon())
	for n := range 1000 {
		c.Judge(Case{Wish: worker(n), Cause: by(hr)})
	}
	if got := leave(c, hr, 100); got != 10 {
		t.Errorf("%d of those who have just joined may leave", got)
	}
	c = Open(NewGuard("sales", 0), usual(), noon())
	for n := range 1000 {
		c.Judge(Case{Wish: worker(n), Cause: by(hr)})
	}
	c = Open(c.Guard(), usual(), noon().Add(26*time.Hour))
	if got := leave(c, hr, 100); got != 50 {
		t.Errorf("%d may leave a day later", got)
	}
}

// TestACounterStaysSmall: a month of takings, by a cause after the other.
func TestACounterStaysSmall(t *testing.T) {
	t.Parallel()
	g := NewGuard("sales", 100_000)
	for minute := range 31 * 24 * 60 {
		c := Open(g, usual(), noon().Add(time.Duration(minute)*time.Minute))
		leave(c, hr, 1)
		c.Judge(Case{Wish: worker(1), Cause: by(hr)})
		g = c.Guard()
	}
	if n := len(g.Counts[hr][events.AspectActive].Taken); n > buckets+coarse+3 {
		t.Errorf("%d stretches of time are kept", n)
	}
	if n := len(g.Before); n > buckets+coarse+4 {
		t.Errorf("%d counts of who is active are kept", n)
	}
	data, err := events.Encode(Open(g, usual(), noon().Add(40*24*time.Hour)).Guard())
	if err != nil || len(data) > 3000 {
		t.Errorf("ten days later it has %d bytes, %v", len(data), err)
	}
}

// TestWhoGoesBackAndForthIsOnePerson in the count, and to do again what was undone
// a day later is a taking.
func TestWhoGoesBackAndForthIsOnePerson(t *testing.T) {
	t.Parallel()
	g, is := NewGuard("sales", 40), worker(1)
	step := func(after time.Duration, wish *events.Desired) int {
		c := Open(g, usual(), noon().Add(after))
		v := c.Judge(Case{Is: is, IsAt: noon().Add(after - time.Minute), Wish: wish, Cause: by(hr)})
		g, is = c.Guard(), v.Desired
		return within(g.Counts[hr][events.AspectIdentity].Taken, noon().Add(-time.Hour)) + within(g.Counts[hr][events.AspectActive].Taken, noon().Add(-time.Hour))
	}
	other := worker(1)
	other.Fields = map[string]any{"Username": "bea@x.test", "Email": "ann@x.test"}
	var got []int
	for i := range 6 {
		got = append(got, step(time.Duration(i)*time.Minute, []*events.Desired{other, worker(1)}[i%2]))
	}
	for i := range 6 {
		got = append(got, step(time.Duration(10+i)*time.Minute, []*events.Desired{leaver(1), worker(1)}[i%2]))
	}
	if !slices.Equal(got, []int{1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2}) {
		t.Errorf("counted %v", got)
	}
	if got := step(3*time.Hour, other); got != 3 {
		t.Errorf("three hours later counted %d", got)
	}
}

// model is one org under the gate: what is desired of everybody, and the counter.
type model struct {
	guard events.Guard
	is    map[int]*events.Desired
	now   time.Time
}

const folk = 40

// TestTheGateHolds draws whatever may happen, and looks at all that has to hold
// after each step.
func TestTheGateHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &model{guard: NewGuard("sales", folk), is: map[int]*events.Desired{}, now: noon()}
		for n := range folk {
			m.is[n] = worker(n)
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			m.now = m.now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "minutes")) * time.Minute)
			m.step(t)
			m.check(t)
		}
	})
}

func (m *model) step(t *rapid.T) {
	wish := rapid.SampledFrom([]func(n int) *events.Desired{
		worker, leaver,
		func(n int) *events.Desired { d := worker(n); d.Assignments = nil; return d },
		func(n int) *events.Desired {
			d := worker(n)
			d.Profile, d.Fields = "Reader", map[string]any{"Username": "b@x.test"}
			return d
		},
		func(n int) *events.Desired { return &events.Desired{Active: true, Problem: &events.Failure{}} },
	}).Draw(t, "wish")
	cause := rapid.SampledFrom([]events.ChangeCause{hr, dir, events.CauseConfig}).Draw(t, "cause")
	decide := rapid.SampledFrom([]string{"", "", "release", "reject", "urgent"}).Draw(t, "decision")
	from, count := rapid.IntRange(0, folk-1).Draw(t, "from"), rapid.IntRange(1, folk).Draw(t, "people")
	c := Open(m.guard, usual(), m.now)
	for i := range count {
		n := (from + i) % folk
		k := Case{Is: m.is[n], IsAt: m.now, Wish: wish(n), Kept: worker(n), Cause: by(cause)}
		if decide != "" {
			k.Release = &events.Release{}
			for _, h := range k.Is.Held {
				k.Release.Wishes = append(k.Release.Wishes, events.Wish{Aspect: h.Aspect, Wish: h.Wish, Since: h.Since, Reject: decide == "reject", Urgent: decide == "urgent"})
			}
		}
		before := c.Guard()
		v := c.Judge(k)
		m.judged(t, k, v, before)
		m.is[n] = v.Desired
	}
	m.guard = c.Guard()
}

// judged looks at one verdict: what is held is as before, what is not is as wished.
func (m *model) judged(t *rapid.T, k Case, v Verdict, before events.Guard) {
	if k.Wish.Problem != nil {
		return
	}
	held := map[events.Aspect]bool{}
	for _, h := range v.Desired.Held {
		held[h.Aspect] = true
	}
	takes := Takes(k.Is, v.Desired)
	for aspect := range held {
		if len(takes[aspect]) > 0 {
			t.Fatalf("%s is held, and taken: %v", aspect, takes)
		}
	}
	wish := k.Wish
	if held[events.AspectActive] {
		wish = k.Kept
	} else if v.Desired.Active != wish.Active {
		t.Fatalf("active is %v, wished for %v, held %v", v.Desired.Active, wish.Active, v.Desired.Held)
	}
	for _, aspect := range []events.Aspect{events.AspectAccess, events.AspectIdentity} {
		if !held[aspect] && WishOf(v.Desired, aspect) != WishOf(wish, aspect) {
			t.Fatalf("%s is neither held nor as wished", aspect)
		}
	}
}

// check compares the counter with what is desired of everybody.
func (m *model) check(t *rapid.T) {
	active, held := 0, map[Place]int{}
	for _, d := range m.is {
		active += count(d)
		for _, h := range d.Held {
			if !h.Rejected {
				held[Place{h.Cause, h.Aspect}]++
			}
		}
	}
	if m.guard.Active != active {
		t.Fatalf("%d are active, counted %d", active, m.guard.Active)
	}
	counted := map[Place]int{}
	c := Open(m.guard, usual(), m.now)
	total := map[events.Aspect]int{}
	for cause, aspects := range c.guard.Counts {
		for aspect, n := range aspects {
			if n.Held > 0 {
				counted[Place{cause, aspect}] = n.Held
			}
			hour := within(n.Taken, m.now.Add(-time.Hour))
			total[aspect] += hour
			if hour > 10 || within(n.Taken, m.now.Add(-24*time.Hour)) > 20 {
				t.Fatalf("%s took from too many in %s: %+v", cause, aspect, n)
			}
		}
	}
	if !maps.Equal(held, counted) {
		t.Fatalf("held %v, counted %v", held, counted)
	}
	for aspect, n := range total {
		if n > 20 {
			t.Fatalf("%d in %s over all causes", n, aspect)
		}
	}
	if n := within(m.guard.Urgent, m.now.Add(-time.Hour)); n > 5 {
		t.Fatalf("%d were let through on their own", n)
	}
}

// TestJudgedTwiceIsCountedOnce: the same batch again finds nothing to do.
func TestJudgedTwiceIsCountedOnce(t *testing.T) {
	t.Parallel()
	c := Open(NewGuard("sales", folk), usual(), noon())
	var after []*events.Desired
	for n := range 15 {
		after = append(after, c.Judge(Case{Is: worker(n), Wish: leaver(n), Kept: worker(n), Cause: by(hr)}).Desired)
	}
	first := c.Guard()
	for n, is := range after {
		v := c.Judge(Case{Is: is, Wish: leaver(n), Kept: worker(n), Cause: by(dir)})
		if v.Changed || v.Desired.Active != is.Active || !slices.Equal(v.Desired.Held, is.Held) {
			t.Errorf("person %d: %+v, was %+v", n, v.Desired, is)
		}
	}
	if got := c.Guard(); got.Counts[hr][events.AspectActive].Held != first.Counts[hr][events.AspectActive].Held || len(got.Counts) != 1 || got.Active != first.Active {
		t.Errorf("counted %+v, before %+v", got, first)
	}
}

// TestAReleaseIsOfOneWish of one hold, and of no other.
func TestAReleaseIsOfOneWish(t *testing.T) {
	t.Parallel()
	less, none := worker(1), worker(1)
	less.Assignments["permissionSets"], none.Assignments = []string{"Base"}, nil
	for name, k := range map[string]struct {
		wish   *events.Desired
		name   string
		after  time.Duration
		passes bool
	}{
		"as it was seen":     {less, WishOf(less, events.AspectAccess), 0, true},
		"a worse wish":       {none, WishOf(less, events.AspectAccess), 0, false},
		"of an earlier hold": {less, WishOf(less, events.AspectAccess), -time.Minute, false},
		"of another wish":    {less, WishOf(none, events.AspectAccess), 0, false},
	} {
		c := Open(NewGuard("sales", folk), usual(), noon())
		c.HoldWhole(Place{hr, events.AspectAccess})
		is := c.Judge(Case{Is: worker(1), Wish: less, Cause: by(hr)}).Desired
		v := c.Judge(Case{Is: is, Wish: k.wish, Cause: by(hr), Release: &events.Release{Wishes: []events.Wish{{
			Aspect: events.AspectAccess, Wish: k.name, Since: is.Held[0].Since.Add(k.after),
		}}}})
		if passes := len(v.Desired.Held) == 0; passes != k.passes {
			t.Errorf("%s: passes is %v", name, passes)
		}
	}
}

// TestAProblemForgetsNothing: somebody of whom nothing can be worked out for a
// while is compared with what they had before.
func TestAProblemForgetsNothing(t *testing.T) {
	t.Parallel()
	c := Open(NewGuard("sales", folk), usual(), noon())
	c.HoldWhole(Place{hr, events.AspectAccess})
	less := worker(1)
	less.Assignments = nil
	is := c.Judge(Case{Is: worker(1), Wish: less, Cause: by(hr)}).Desired
	stuck := c.Judge(Case{Is: is, Wish: &events.Desired{Active: true, Problem: &events.Failure{}}, Cause: by(hr)}).Desired
	if !slices.Equal(stuck.Held, is.Held) || len(Takes(stuck, less)) == 0 {
		t.Fatalf("with a problem: %+v", stuck)
	}
	again := c.Judge(Case{Is: stuck, Wish: less, Cause: by(dir)}).Desired
	if !slices.Equal(again.Held, is.Held) || c.Guard().Counts[hr][events.AspectAccess].Held != 1 {
		t.Errorf("after it: %+v", again.Held)
	}
}
