package main

const inRefresh = "services/token-refresher/refresh/"

// refreshMutants break the login that token-refresher serves, and whose lease lasts
// for how long.
func refreshMutants() []mutant {
	refresh := func(name, file, old, mutated, why, run string) mutant {
		return mutant{name: "refresh: " + name, file: inRefresh + file, old: old, new: mutated, why: why, run: run}
	}
	return []mutant{
		refresh("the login is not served", "refresh.go", `if s.cfg.Callback.Listen != "" {`, `if s.cfg.Callback.Listen == "nowhere" {`, "nobody can authenticate an org", "TestServiceServesTheLogin"),
		refresh("a link works twice", "login.go", "if _, twice := used[id]; twice {", "if _, twice := used[id]; twice && false {", "whoever finds a link in a log can use it", "TestALoginNeedsALink"),
		refresh("a login needs no link", "link.go", "if l.access == config.AccessOpen {", "if l.access != config.AccessOpen {", "whoever reaches the page can connect an org of their own", "TestALoginNeedsALink"),
		refresh("a link lasts for ever", "link.go", `p.ID == "" || !l.now().Before(p.Until)`, `p.ID == ""`, "whoever finds an old link can use it", "TestALinkExpires"),
		refresh("a login may end in another browser", "login.go", "subtle.ConstantTimeCompare([]byte(p.State), []byte(state)) != 1", "subtle.ConstantTimeCompare([]byte(p.State), []byte(state)) > 1", "an admin can be made to connect somebody else's org", "TestAForgedCallbackEndsNobodysLogin"),
		refresh("leases by a clock that is hours off", "refresh.go", "s.now = func() time.Time { return s.bucket.Time() }", "s.now = time.Now", "two replicas present one refresh token, or an org is signed out for hours", "TestAClockThatIsHoursOff"),
		refresh("a lease ahead, of a clock that is hours off", "plausible.go", "l.Until.After(latest) || !l.Until", "!l.Until", "an org is signed out for hours after an upgrade", "TestALeaseOfAClockThatIsHoursOff"),
		refresh("a lease behind, of a clock that is hours off", "plausible.go", " || !l.Until.After(stored) {", " {", "two replicas present one refresh token", "TestALeaseOfAClockThatIsHoursOff"),
		refresh("the next try, of a clock that is hours off", "plausible.go", "rec.RetryAt = atMost(rec.RetryAt, stored.Add(retryMost))", "", "an org is signed out for hours after an upgrade", "TestTimesOfAClockThatIsHoursOff"),
	}
}
