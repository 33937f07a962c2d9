package check

import (
	"strconv"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/test/chaos/dump"
)

// spoken is one event about a person.
type spoken struct {
	seq     uint64
	version int
	removed bool
	active  *bool
	person  *events.Person
}

// newer orders events of one series.
func (s spoken) newer(than spoken) bool {
	return s.version > than.version || s.version == than.version && s.seq > than.seq
}

// word is what the events about one person come to.
type word struct {
	// by is the event that counts, in DIRECTORY.
	by      uint64
	removed bool
	active  bool
	person  *events.Person
}

// said is what DIRECTORY comes to, worked out from the events alone.
type said struct {
	people map[string]word // by number
	// groups are the members of each group by its name, by the event that counts.
	groups map[string]members
	// unreadable are the sequences of events that nobody can read.
	unreadable []uint64
}

type members struct {
	by      uint64
	numbers map[string]bool
}

// fold reads all events, as if they had come at once.
func fold(d *dump.Dump) said {
	out := said{people: map[string]word{}, groups: map[string]members{}}
	told := map[string][]spoken{}
	for _, m := range d.Streams[events.StreamDirectory] {
		e, err := events.DecodeEvent(m.Subject, m.Body())
		switch {
		case err != nil:
			out.unreadable = append(out.unreadable, m.Seq)
		case e.Group != nil:
			g := members{by: m.Seq, numbers: map[string]bool{}}
			for _, one := range e.Group.Members {
				g.numbers[one.Value] = true
			}
			out.groups[e.Group.DisplayName] = g // the directory says no version: the last counts
		default:
			version, _ := strconv.Atoi(e.SourceVersion) // the source says one always
			number := e.Person.Enterprise.EmployeeNumber
			told[number] = append(told[number], spoken{seq: m.Seq, version: version, removed: e.Removed(), active: e.Person.Active, person: e.Person})
		}
	}
	for number, list := range told {
		out.people[number] = wordOf(list)
	}
	return out
}

// wordOf is what the events about one person, by sequence, come to: a removal
// begins a series, and in that the highest version counts.
func wordOf(list []spoken) word {
	var removal *spoken
	for i := range list {
		if list[i].removed {
			removal = &list[i]
		}
	}
	var best, speaks *spoken
	for i := range list {
		s := &list[i]
		if s.removed || removal != nil && s.seq < removal.seq {
			continue
		}
		if best == nil || s.newer(*best) {
			best = s
		}
		if s.active != nil && (speaks == nil || s.newer(*speaks)) {
			speaks = s
		}
	}
	if best == nil || removal != nil && removal.version > best.version {
		return word{by: removal.seq, removed: true}
	}
	return word{by: best.seq, active: speaks == nil || *speaks.active, person: best.person}
}
