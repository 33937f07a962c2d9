package check

// newest: no older revision is ever the final state; nobody is active after a newer
// deactivation.
func newest(v *view) []Violation {
	var broken []Violation
	for where, d := range v.desired {
		_, parked := v.letters[where]
		if link := v.links[where].what; !parked && link.AppliedRevision != d.seq {
			broken = append(broken, v.say(where, "revision %d is applied, and %d is desired", link.AppliedRevision, d.seq))
		}
		if o := v.outcomes[where].what; o.Revision > d.seq {
			broken = append(broken, v.say(where, "revision %d was tried, and only %d is desired", o.Revision, d.seq))
		}
	}
	for _, p := range v.d.People {
		for org := range v.d.Orgs {
			where := place{org, p.Key}
			want := v.said.wanted(p, org)
			if u := v.user(where); u != nil && u.IsActive && !want.active && !v.protected(where) {
				broken = append(broken, v.say(where, "should not be active by event %d, and is", v.said.people[p.Number].by))
			}
			if d, known := v.desired[where]; known && d.what.Active != want.active && d.what.Problem == nil {
				broken = append(broken, v.say(where, "desired is active %t, should be %t by event %d", d.what.Active, want.active, v.said.people[p.Number].by))
			}
		}
	}
	return broken
}
