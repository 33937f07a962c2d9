package gate

import (
	"maps"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// Counter is what is counted of one org while a batch is judged.
type Counter struct {
	guard  events.Guard
	limits Limits
	now    time.Time
	whole  map[Place]bool
}

// Place is where is counted.
type Place struct {
	Cause  events.ChangeCause
	Aspect events.Aspect
}

// NewGuard is what is stored of an org that has nothing stored yet: active are
// those who were there before anything was counted.
func NewGuard(org string, active int) events.Guard {
	return events.Guard{Org: org, Active: active, Before: []events.ActiveCount{{Active: active}}}
}

// Open returns a counter on what is stored, by now on the server's clock. What is
// stored is not changed.
func Open(g events.Guard, l Limits, now time.Time) *Counter {
	if now.Before(g.At) { // another server of the cluster
		now = g.At
	}
	c := &Counter{guard: g, limits: l, now: now.UTC(), whole: map[Place]bool{}}
	c.guard.Before = slices.Clone(g.Before)
	c.guard.Urgent = c.rolled(g.Urgent)
	c.guard.Counts = make(map[events.ChangeCause]map[events.Aspect]events.TakingCount, len(g.Counts))
	for cause, aspects := range g.Counts {
		kept := make(map[events.Aspect]events.TakingCount, len(aspects))
		for aspect, n := range aspects {
			if n.Taken = c.rolled(n.Taken); len(n.Taken) > 0 || n.Held > 0 {
				kept[aspect] = n
			}
		}
		if len(kept) > 0 {
			c.guard.Counts[cause] = kept
		}
	}
	return c
}

// Guard is what is to be stored.
func (c *Counter) Guard() events.Guard {
	c.guard.At = c.now
	return c.guard
}

// HoldWhole says that so much is about to come to a place that it is to be held
// from the first person on.
func (c *Counter) HoldWhole(at Place) { c.whole[at] = true }

// Fits says whether so many more people are within every limit.
func (c *Counter) Fits(at Place, more int) bool { return c.limits.Off || c.fits(at, more) }

// rolled drops what no window reaches any more, and puts together what only the
// long one does.
func (c *Counter) rolled(taken []events.Taken) []events.Taken {
	var out []events.Taken
	width := max(c.limits.LongWindow/coarse, 1)
	for _, t := range taken {
		if !t.At.After(c.now.Add(-c.limits.LongWindow)) {
			continue
		}
		if n := len(out); n > 0 && !t.At.After(c.now.Add(-c.limits.Window)) && out[n-1].At.Truncate(width).Equal(t.At.Truncate(width)) {
			out[n-1] = events.Taken{At: t.At, People: out[n-1].People + t.People}
			continue
		}
		out = append(out, t)
	}
	return out
}

// end is the end of the short stretch of time that now is in.
func (c *Counter) end() time.Time {
	width := max(c.limits.Window/buckets, 1)
	return c.now.Truncate(width).Add(width)
}

// add counts one person.
func (c *Counter) add(taken []events.Taken) []events.Taken {
	at := c.end()
	if n := len(taken); n > 0 && !taken[n-1].At.Before(at) {
		taken = slices.Clone(taken)
		taken[n-1].People++
		return taken
	}
	return append(slices.Clip(taken), events.Taken{At: at, People: 1})
}

func within(taken []events.Taken, from time.Time) (people int) {
	for _, t := range taken {
		if t.At.After(from) {
			people += t.People
		}
	}
	return people
}

// activate notes that so many more desired states are active.
func (c *Counter) activate(more int) {
	if more == 0 {
		return
	}
	g := &c.guard
	g.Active = max(0, g.Active+more)
	at := c.end()
	if n := len(g.Before); n > 0 && !g.Before[n-1].At.Before(at) {
		g.Before[n-1].Active = g.Active
		return
	}
	g.Before = append(g.Before, events.ActiveCount{At: at, Active: g.Active})
	g.Before = c.thinned(g.Before)
}

// thinned keeps one count for each stretch that only the long window reaches,
// and the newest of those before it.
func (c *Counter) thinned(before []events.ActiveCount) []events.ActiveCount {
	var out []events.ActiveCount
	width := max(c.limits.LongWindow/coarse, 1)
	for _, b := range before {
		n := len(out)
		old := !b.At.After(c.now.Add(-c.limits.LongWindow))
		stale := !b.At.After(c.now.Add(-c.limits.Window)) && n > 0 && out[n-1].At.Truncate(width).Equal(b.At.Truncate(width))
		if n > 0 && (old || stale) {
			out[n-1] = b
			continue
		}
		out = append(out, b)
	}
	return out
}

// activeAt is how many desired states were active at a time.
func (c *Counter) activeAt(at time.Time) int {
	active := 0
	for i, b := range c.guard.Before {
		if i > 0 && b.At.After(at) {
			break
		}
		active = b.Active
	}
	return active
}

// fits says whether so many more are within every limit.
func (c *Counter) fits(at Place, more int) bool {
	for _, w := range c.limits.windows() {
		from := c.now.Add(-w.length)
		limit := c.limits.of(c.activeAt(from), w.times)
		total := 0
		for _, aspects := range c.guard.Counts {
			total += within(aspects[at.Aspect].Taken, from)
		}
		if within(c.at(at).Taken, from)+more > limit || total+more > limit*c.limits.TotalTimes {
			return false
		}
	}
	return true
}

func (c *Counter) at(p Place) events.TakingCount { return c.guard.Counts[p.Cause][p.Aspect] }

func (c *Counter) set(p Place, n events.TakingCount) {
	aspects := maps.Clone(c.guard.Counts[p.Cause])
	if aspects == nil {
		aspects = map[events.Aspect]events.TakingCount{}
	}
	aspects[p.Aspect] = n
	c.guard.Counts[p.Cause] = aspects
}

// take says whether one more person may be taken something from, and counts
// them: as taken from, or as held.
func (c *Counter) take(p Place) bool {
	n := c.at(p)
	if n.Held == 0 && !c.whole[p] && c.fits(p, 1) {
		n.Taken = c.add(n.Taken)
		c.set(p, n)
		return true
	}
	if n.Held++; n.Held == 1 {
		n.Since = c.now
	}
	c.set(p, n)
	return false
}

// unhold notes that one fewer waits for an operator.
func (c *Counter) unhold(p Place) {
	n := c.at(p)
	if n.Held = max(0, n.Held-1); n.Held == 0 {
		n.Since = time.Time{}
	}
	c.set(p, n)
}

// urgent says whether one more person may be let through on their own, and
// counts them.
func (c *Counter) urgent() bool {
	if within(c.guard.Urgent, c.now.Add(-c.limits.Window)) >= c.limits.Urgent {
		return false
	}
	c.guard.Urgent = c.add(c.guard.Urgent)
	return true
}
