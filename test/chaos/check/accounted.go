package check

import (
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// accounted: every accepted event ends as exactly one of applied, superseded,
// parked, held, discarded, with a record.
func accounted(v *view) []Violation {
	var broken []Violation
	stored := map[uint64]bool{}
	for _, m := range v.d.Streams[events.StreamDirectory] {
		stored[m.Seq] = true
	}
	for _, s := range v.d.Said {
		if !stored[s.Seq] {
			broken = append(broken, Violation{What: fmt.Sprintf("event %d (%s) was acknowledged, and DIRECTORY does not have it", s.Seq, s.What)})
		}
	}
	broken = append(broken, v.peopleAccounted()...)
	for i, key := range v.d.Groups {
		name := []string{"Leads", "Night Shift"}[i]
		if have, want := v.groups[key].what.Origin.Seq, v.said.groups[name].by; have != want {
			broken = append(broken, Violation{What: fmt.Sprintf("group %d says what event %d said, and event %d is the one that counts", i, have, want)})
		}
	}
	for _, seq := range v.said.unreadable {
		key := events.EventKey(seq)
		where := place{events.NoOrg, key}
		_, parked := v.letters[where]
		given := v.audited(where, v.end(), events.VerbDiscarded)
		if _, known := v.rejected[key]; !known || parked == given {
			broken = append(broken, Violation{What: fmt.Sprintf("event %d cannot be read: rejected %t, parked %t, given up %t", seq, known, parked, given)})
		}
	}
	for where := range v.desired {
		broken = append(broken, v.ended(where)...)
	}
	return broken
}

// peopleAccounted: each person's state is by the event that counts, and so what
// supersedes all others.
func (v *view) peopleAccounted() []Violation {
	var broken []Violation
	for _, p := range v.d.People {
		word, spoken := v.said.people[p.Number]
		if !spoken {
			continue
		}
		state, known := v.persons[p.Key]
		have := state.what.Sources["hr"]
		if !known || have.Origin.Seq != word.by || have.Removed != word.removed {
			broken = append(broken, v.say(place{"every org", p.Key}, "the state is by event %d, removed %t; event %d counts, removed %t", have.Origin.Seq, have.Removed, word.by, word.removed))
		}
	}
	return broken
}

// ended: what is desired ended in exactly one way.
func (v *view) ended(where place) []Violation {
	d := v.desired[where]
	outcome, tried := v.outcomes[where]
	letter, parked := v.letters[where]
	mark, discarded := v.discarded[where]
	discarded = discarded && mark.what.Revision == d.seq
	applied := tried && outcome.what.Revision == d.seq && outcome.what.Result == events.ResultApplied
	ends := 0
	for _, end := range []bool{applied, parked && letter.what.Revision == d.seq, discarded} {
		if end {
			ends++
		}
	}
	if ends != 1 {
		return []Violation{v.say(where, "revision %d ended %d ways: applied %t, parked %t, discarded %t; the last outcome is %s of revision %d",
			d.seq, ends, applied, parked, discarded, outcome.what.Result, outcome.what.Revision)}
	}
	if applied && parked {
		return []Violation{v.say(where, "revision %d is applied, and a dead letter of revision %d is there", d.seq, letter.what.Revision)}
	}
	return nil
}
