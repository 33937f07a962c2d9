package check

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// callTimeout is how long a call of the run may last: what takes longer has no
// answer, and may be overtaken.
const callTimeout = 1200 * time.Millisecond

// single: one Salesforce user per person and org; two changing calls for one person
// never overlap from live workers.
func single(v *view) []Violation {
	var broken []Violation
	for _, org := range slices.Sorted(maps.Keys(v.d.Orgs)) {
		owners := map[string][]events.Key{}
		for where, link := range v.links {
			if where.org == org && link.what.UserID != "" {
				owners[link.what.UserID] = append(owners[link.what.UserID], where.key)
			}
		}
		for _, u := range v.d.Orgs[org].Users {
			if keys := owners[u.ID]; len(keys) > 1 {
				broken = append(broken, v.say(place{org, keys[0]}, "has one user together with %s", v.who(keys[1])))
			}
		}
		for _, p := range v.d.People {
			n := 0
			for _, u := range v.d.Orgs[org].Users {
				if u.FederationIdentifier == p.Number || u.EmployeeNumber == p.Number {
					n++
				}
			}
			if n > 1 {
				broken = append(broken, v.say(place{org, p.Key}, "has %d users", n))
			}
		}
		broken = append(broken, v.overlaps(org)...)
	}
	return broken
}

// answered says whether an entry is a changing call whose caller waited for its end.
func answered(e emulator.JournalEntry) bool {
	return e.Mutating && !e.Dropped && e.Late == "" && e.Status > 0 && lasted(e) < callTimeout
}

func lasted(e emulator.JournalEntry) time.Duration { return time.Duration(e.Micros) * time.Microsecond }

// overlaps finds two calls that changed one user at one time.
func (v *view) overlaps(org string) []Violation {
	last := map[string]emulator.JournalEntry{}
	calls := slices.DeleteFunc(slices.Clone(v.d.Orgs[org].Journal), func(e emulator.JournalEntry) bool { return !answered(e) })
	slices.SortFunc(calls, func(a, b emulator.JournalEntry) int { return a.Time.Compare(b.Time) })
	users := map[string]events.Key{}
	for where, link := range v.links {
		if where.org == org {
			users[link.what.UserID] = where.key
		}
	}
	var broken []Violation
	for _, e := range calls {
		for _, id := range e.Touched {
			key, ours := users[id]
			if !ours {
				continue
			}
			if before, ok := last[id]; ok && before.Seq != e.Seq && e.Time.Before(before.Time.Add(lasted(before))) {
				broken = append(broken, v.say(place{org, key}, "calls %d and %d changed the user at one time", before.Seq, e.Seq))
			}
			if before := last[id]; e.Time.Add(lasted(e)).After(before.Time.Add(lasted(before))) {
				last[id] = e
			}
		}
	}
	if len(broken) > 5 {
		broken = append(broken[:5], Violation{What: fmt.Sprintf("and %d more calls overlap in %s", len(broken)-5, org)})
	}
	return broken
}
