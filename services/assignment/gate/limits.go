package gate

import (
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// Limits say how much may be taken away in one org before the rest is held.
type Limits struct {
	// Off lets everything through, and counts nothing.
	Off bool
	// People and Percent are from how many people one cause may take something
	// within Window, in each aspect: whichever is more. Percent is of those active
	// at the window's start.
	People  int
	Percent float64
	Window  time.Duration
	// LongWindow has LongTimes as many: a trickle stays below every short limit.
	LongWindow time.Duration
	LongTimes  int
	// TotalTimes is how many times as many all causes together may take.
	TotalTimes int
	// Urgent is how many held people an operator may let through one by one within
	// Window.
	Urgent int
}

// Over the long window, and for all causes together, twice as many.
const (
	longTimes  = 2
	totalTimes = 2
)

// LimitsOf are an org's, as configured.
func LimitsOf(g config.Gate) Limits {
	return Limits{
		Off: g.Off, People: g.Limit, Percent: g.Percent, Window: g.Window,
		LongWindow: g.LongWindow, LongTimes: longTimes, TotalTimes: totalTimes, Urgent: g.Urgent,
	}
}

// One is how many people one cause may take something from within the short window,
// where so many are active.
func (l Limits) One(active int) int { return l.of(active, 1) }

// buckets and coarse are how finely time is kept: a taking counts up to a
// twelfth of the short window longer, and then up to a twenty-fourth of the long.
const (
	buckets = 12
	coarse  = 24
)

func (l Limits) of(active, times int) int {
	return times * max(l.People, int(float64(active)*l.Percent/100))
}

// window is one of those over which is counted.
type window struct {
	length time.Duration
	times  int
}

func (l Limits) windows() []window {
	return []window{{l.Window, 1}, {l.LongWindow, l.LongTimes}}
}
