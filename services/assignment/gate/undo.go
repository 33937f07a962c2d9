package gate

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// last is what is remembered of the last taking in an aspect.
func (k Case) last(aspect events.Aspect) (events.Past, bool) {
	was, had := k.Is.Was[aspect]
	if had && was.At.IsZero() {
		was.At = k.IsAt
	}
	return was, had
}

// free says of a taking that it counts nothing. One only gives back what was taken
// within the long window: what came in its place goes again, from no more people
// than were let through before. The other is of somebody who was counted within
// the short one, or of the very wish that an operator let through: a person who
// goes back and forth is one person.
func (c *Counter) free(k Case, aspect events.Aspect, wish string) bool {
	was, had := k.last(aspect)
	since := func(d time.Duration) bool { return was.At.After(c.now.Add(-d)) }
	switch {
	case !had:
		return false
	case was.Wish != "" && was.Wish == wish:
		return since(c.limits.LongWindow)
	}
	return (was.Counted || was.To == wish) && since(c.limits.Window)
}

// remember notes in next what was taken. What is undone is so once.
func (k Case) remember(v *Verdict) {
	next := v.Desired
	next.Was = nil
	if k.Is == nil {
		return
	}
	takes := Takes(k.Is, next)
	for _, aspect := range events.Aspects() {
		was, had := k.last(aspect)
		now := WishOf(next, aspect)
		switch counted := v.counted(aspect); {
		case had && was.Wish == now && k.Is.Active && next.Active:
			was.Wish = ""
		case len(takes[aspect]) == 0 && !had:
			continue
		case len(takes[aspect]) == 0:
		case counted || v.released[aspect] || !had:
			was = events.Past{Wish: WishOf(k.Is, aspect), To: now, Counted: counted}
		default:
			was.To = now
			if was.Wish == "" {
				was.Wish = WishOf(k.Is, aspect)
			}
		}
		if next.Was == nil {
			next.Was = map[events.Aspect]events.Past{}
		}
		next.Was[aspect] = was
	}
}

func (v *Verdict) counted(aspect events.Aspect) bool {
	for _, at := range v.Taken {
		if at.Aspect == aspect {
			return true
		}
	}
	return false
}
