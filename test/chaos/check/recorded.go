package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// recorded: nothing is acknowledged before it is committed; nothing is parked
// without its cause; no admin's action takes effect before it is in the audit log.
func recorded(v *view) []Violation {
	return slices.Concat(v.acked(), v.causes(), v.audit())
}

// end is when the dump was taken, or later.
func (v *view) end() time.Time { return v.d.Began.Add(24 * time.Hour) }

// acked: what a consumer has acknowledged has left its mark.
func (v *view) acked() []Violation {
	floor := map[string]uint64{}
	for _, c := range v.d.Consumers {
		floor[c.Name] = c.AckFloor
	}
	var broken []Violation
	for _, p := range v.d.People {
		word := v.said.people[p.Number]
		if state := v.persons[p.Key].what.Sources["hr"]; word.by > 0 && word.by <= floor[events.ConsumerAssignment] && state.Origin.Seq < word.by {
			broken = append(broken, v.say(place{"every org", p.Key}, "event %d is acknowledged, and the state knows events up to %d", word.by, state.Origin.Seq))
		}
	}
	for where, d := range v.desired {
		work := false
		for _, lane := range events.Lanes() {
			work = work || floor[events.WorkConsumer(where.org, lane)] > d.seq
		}
		if work && v.outcomes[where].what.Revision < d.seq {
			broken = append(broken, v.say(where, "the work of revision %d is acknowledged, and nothing came of it", d.seq))
		}
	}
	return broken
}

func (v *view) causes() []Violation {
	var broken []Violation
	for _, m := range v.d.Streams[events.StreamDead] {
		a, err := events.ParseSubject(m.Subject)
		l, lerr := events.Decode[events.DeadLetter](m.Body())
		switch f := l.Failure; {
		case err != nil || lerr != nil:
		case f.Cause != a.Cause || !slices.Contains(events.Causes(), f.Cause) || f.Cause.OrgWide() || f.Message == "" && f.Code == "":
			broken = append(broken, v.say(place{a.Org, a.Key}, "is parked under %s with cause %q, code %q and %d letters of text", a.Cause, f.Cause, f.Code, len(f.Message)))
		}
	}
	return broken
}

// audit: who is looked at again because an admin said so, whose revision is given
// up, and whose dead letter is gone, is in the audit log before.
func (v *view) audit() []Violation {
	var broken []Violation
	for where, mark := range v.discarded {
		if !v.audited(where, mark.time, events.VerbDiscarded) {
			broken = append(broken, v.say(where, "revision %d was given up before the audit log said so", mark.what.Revision))
		}
	}
	seen := map[place]bool{}
	for _, m := range v.d.Heard {
		a, err := events.ParseSubject(m.Subject)
		if err != nil {
			continue
		}
		where := place{a.Org, a.Key}
		switch a.Kind {
		case "work":
			w, err := events.Decode[events.Work](m.Body())
			if err == nil && w.Reason == events.ReasonReplay && !v.audited(where, m.Time, events.VerbRetried) {
				broken = append(broken, v.say(where, "was looked at again before the audit log said so"))
			}
		case "reconsider":
			if where.org = events.NoOrg; !v.audited(where, m.Time, events.VerbRetried) {
				broken = append(broken, v.say(where, "was read again before the audit log said so"))
			}
		case "dead":
			seen[where] = true
		}
	}
	for where := range seen {
		_, still := v.letters[where]
		if !still && !v.audited(where, v.end(), events.VerbClosed, events.VerbDiscarded) {
			broken = append(broken, v.say(where, "was parked and is not any more, and the audit log does not say why"))
		}
	}
	return broken
}

func (v *view) heardFirst(where place, revision uint64) (time.Time, error) {
	for _, m := range v.d.Heard {
		if m.Subject != events.OutcomeSubject(where.org, where.key) {
			continue
		}
		if o, err := events.Decode[events.Outcome](m.Body()); err == nil && o.Revision == revision && o.Result == events.ResultApplied {
			return m.Time, nil
		}
	}
	if o := v.outcomes[where]; o.what.Revision == revision && o.what.Result == events.ResultApplied {
		return o.time, nil
	}
	return time.Time{}, fmt.Errorf("revision %d was never applied", revision)
}
