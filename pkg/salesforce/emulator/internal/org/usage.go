package org

import "time"

// Usage counts API calls over a rolling 24 hours, in hours.
type Usage struct {
	hours [24]int
	last  int64 // the newest hour, since the epoch
}

// turn forgets the hours that left the window.
func (u *Usage) turn(now time.Time) {
	hour := now.Unix() / 3600
	for steps := 0; u.last < hour && steps < 24; steps++ {
		u.last = max(u.last+1, hour-23)
		u.hours[u.last%24] = 0
	}
}

// Count takes one call, or refuses it when the limit is reached.
func (u *Usage) Count(now time.Time, limit int) bool {
	u.turn(now)
	if u.sum() >= limit {
		return false
	}
	u.hours[u.last%24]++
	return true
}

// Used are the calls of the last 24 hours.
func (u *Usage) Used() int { return u.sum() }

func (u *Usage) sum() int {
	n := 0
	for _, h := range u.hours {
		n += h
	}
	return n
}
