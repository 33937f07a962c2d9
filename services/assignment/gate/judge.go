package gate

import (
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// Case is what is to be judged of one person in one org.
type Case struct {
	// Is is what is desired by now, nil for nothing, and Wish what would be. Neither
	// is changed.
	Is, Wish *events.Desired
	// IsAt is when Is was stored, by the server's clock.
	IsAt time.Time
	// Kept is what would be wished for if the person went on having a user. It is
	// asked for where a deactivation is held: all else of them flows on.
	Kept *events.Desired
	// Cause says by what an aspect is taken.
	Cause func(events.Aspect) events.ChangeCause
	// Release is an operator's decision, nil for none.
	Release *events.Release
	// Config is a hash of the configuration.
	Config string
	// Origin is the event that led to the wish.
	Origin events.Origin
}

// Verdict is what becomes of a case.
type Verdict struct {
	// Desired is the wish, with what is held as before.
	Desired *events.Desired
	// Held says what is held, for operators. Changed says that it is not what was
	// held before.
	Held    []events.HeldAspect
	Changed bool
	// Taken and Waits say, of what was judged for the first time, where it counts.
	Taken, Waits []Place
	released     map[events.Aspect]bool
	// Capped says that the operator's release was not followed, because enough
	// people were let through one by one.
	Capped bool
}

// Alone says where a case would newly count, whatever else there is.
func Alone(k Case) []Place {
	c := Open(events.Guard{}, Limits{}, k.IsAt)
	return c.Judge(k).Waits
}

// Same says whether two verdicts on one case come to the same.
func (v Verdict) Same(other Verdict) bool {
	return slices.EqualFunc(v.Desired.Held, other.Desired.Held, func(a, b events.Hold) bool {
		a.Since = b.Since // both are the old one, or both now
		return a == b
	})
}

// Counts says whether a wish has to be judged: it takes something, something is
// held, or there is one more or less who is active.
func (k Case) Counts() bool { return k.Takes() || count(k.Is) != count(k.Wish) }

// Takes says whether the wish takes something, or something is held already.
func (k Case) Takes() bool { return len(heldOf(k.Is)) > 0 || len(Takes(k.Is, k.Wish)) > 0 }

// Uncounted is the verdict on a case in which nothing counts.
func (k Case) Uncounted() Verdict {
	v := Verdict{Desired: clone(k.Wish)}
	Baseline(k.Is, v.Desired)
	k.remember(&v)
	return v
}

// Judge decides about a case, and counts it. The wish is complete where nothing
// is held.
func (c *Counter) Judge(k Case) Verdict {
	v := Verdict{Desired: clone(k.Wish)}
	switch {
	case k.Wish.Problem != nil: // nothing is sent: what was held is still as before
		Baseline(k.Is, v.Desired)
	default:
		c.judge(k, &v)
	}
	had := heldOf(k.Is)
	if k.Wish.Problem == nil {
		for _, h := range had {
			if _, still := holdOf(v.Desired.Held, h.Aspect); !still && !h.Rejected {
				c.unhold(Place{h.Cause, h.Aspect})
			}
		}
	}
	v.Changed = !slices.Equal(had, v.Desired.Held)
	k.remember(&v)
	c.activate(count(v.Desired) - count(k.Is))
	return v
}

// judge goes through the aspects. Where a deactivation is held, the others are
// judged of what the person would have beside it.
func (c *Counter) judge(k Case, v *Verdict) {
	wish := k.Wish
	if takes := Takes(k.Is, wish)[events.AspectActive]; len(takes) > 0 {
		if h, held := c.hold(k, wish, events.AspectActive, v); held {
			if wish = k.Kept; wish == nil {
				wish = k.Is
			}
			v.Desired = clone(wish)
			v.Desired.Sought = k.Is.Sought
			v.add(k, h, takes, k.Wish)
		}
	}
	takes := Takes(k.Is, wish)
	for _, aspect := range []events.Aspect{events.AspectAccess, events.AspectIdentity} {
		if len(takes[aspect]) == 0 {
			continue
		}
		if h, held := c.hold(k, wish, aspect, v); held {
			keep(aspect, k.Is, v.Desired)
			v.add(k, h, takes[aspect], wish)
		}
	}
}

func (v *Verdict) add(k Case, h events.Hold, takes []string, wish *events.Desired) {
	v.Desired.Held = append(v.Desired.Held, h)
	held := events.HeldAspect{Hold: h, Takes: takes, Rule: k.Is.Rule, Next: wish.Rule, Origin: k.Origin}
	if h.Cause == events.CauseConfig {
		held.Config = k.Config
	}
	v.Held = append(v.Held, held)
}

// hold says whether a taking is held, and as what.
func (c *Counter) hold(k Case, wish *events.Desired, aspect events.Aspect, v *Verdict) (events.Hold, bool) {
	if c.limits.Off {
		return events.Hold{}, false
	}
	now := WishOf(wish, aspect)
	h, had := holdOf(heldOf(k.Is), aspect)
	switch {
	case c.free(k, aspect, now):
		return h, false
	case had && h.Wish == now:
		return c.decided(k, h, v)
	case had && !h.Rejected: // another wish in the place of one that waits: it waits too
		h.Wish = now
		return h, true
	}
	h = events.Hold{Aspect: aspect, Cause: k.Cause(aspect), Wish: now, Since: c.now}
	at := Place{h.Cause, aspect}
	if c.take(at) {
		v.Taken = append(v.Taken, at)
		return h, false
	}
	v.Waits = append(v.Waits, at)
	return h, true
}

// decided is a hold as an operator's decision leaves it, if there is one.
func (c *Counter) decided(k Case, h events.Hold, v *Verdict) (events.Hold, bool) {
	if k.Release == nil {
		return h, true
	}
	i := slices.IndexFunc(k.Release.Wishes, func(w events.Wish) bool {
		return w.Aspect == h.Aspect && w.Wish == h.Wish && w.Since.Equal(h.Since)
	})
	if i < 0 {
		return h, true
	}
	switch r := k.Release.Wishes[i]; {
	case r.Reject && !h.Rejected:
		h.Rejected = true
		c.unhold(Place{h.Cause, h.Aspect})
		return h, true
	case r.Reject:
		return h, true
	case r.Urgent && !c.urgent():
		v.Capped = true
		return h, true
	}
	if v.released == nil {
		v.released = map[events.Aspect]bool{}
	}
	v.released[h.Aspect] = true
	return h, false
}

func heldOf(d *events.Desired) []events.Hold {
	if d == nil {
		return nil
	}
	return d.Held
}

func holdOf(list []events.Hold, aspect events.Aspect) (events.Hold, bool) {
	i := slices.IndexFunc(list, func(h events.Hold) bool { return h.Aspect == aspect })
	if i < 0 {
		return events.Hold{}, false
	}
	return list[i], true
}

func count(d *events.Desired) int {
	if d != nil && d.Active {
		return 1
	}
	return 0
}

func clone(d *events.Desired) *events.Desired {
	out := *d
	out.Held = nil
	return &out
}
