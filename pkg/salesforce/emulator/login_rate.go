package emulator

import "time"

// defaultLogins is how often a user may sign in within an hour. [R restforce
// PR #744]
const defaultLogins = 3600

// loginRate counts one user's logins over a rolling hour, in minutes.
type loginRate struct {
	minutes [60]int
	last    int64
}

func (l *loginRate) count(now time.Time, limit int) bool {
	minute := now.Unix() / 60
	for steps := 0; l.last < minute && steps < 60; steps++ {
		l.last = max(l.last+1, minute-59)
		l.minutes[l.last%60] = 0
	}
	n := 0
	for _, m := range l.minutes {
		n += m
	}
	if n >= limit {
		return false
	}
	l.minutes[l.last%60]++
	return true
}

// countLogin takes one login of a user, or refuses it: code [D iOS SDK], text
// [U]. The lock is held.
func (a *authStore) countLogin(userID string, now time.Time) *oauthError {
	l := a.logins[userID]
	if l == nil {
		l = &loginRate{}
		a.logins[userID] = l
	}
	if !l.count(now, a.loginLimit) {
		return &oauthError{"rate_limit_exceeded", "login rate exceeded"}
	}
	return nil
}

// SetLoginLimit changes how often a user may sign in within an hour.
func (o *Org) SetLoginLimit(logins int) {
	defer o.auth.lock()()
	o.auth.loginLimit = logins
}
