package auth

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

// CountLogin takes one login of a user, or refuses it: code [D iOS SDK], text
// [U].
func (s *Store) CountLogin(userID string, now time.Time) *Error {
	defer s.lock()()
	return s.countLogin(userID, now)
}

func (s *Store) countLogin(userID string, now time.Time) *Error {
	l := s.logins[userID]
	if l == nil {
		l = &loginRate{}
		s.logins[userID] = l
	}
	if !l.count(now, s.loginLimit) {
		return &Error{"rate_limit_exceeded", "login rate exceeded"}
	}
	return nil
}

// SetLoginLimit changes how often a user may sign in within an hour.
func (s *Store) SetLoginLimit(logins int) {
	defer s.lock()()
	s.loginLimit = logins
}
