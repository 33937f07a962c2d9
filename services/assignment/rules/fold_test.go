package rules

import (
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// word is what an event of one source says of one person; its sequence in
// DIRECTORY is its place in a history, from 1.
type word struct {
	removed bool
	active  string // yes, no, or nothing said
	version string
}

func (w word) String() string {
	if w.removed {
		return "removed/" + w.version
	}
	return w.active + "/" + w.version
}

// history is what a source published, in this order.
type history []word

// event is what was published at a place of the history. Its title names the place.
func (h history) event(i int, source string, kind events.VersionKind) Event {
	seq := uint64(i + 1)
	e := &events.Event{Type: events.TypePersonUpserted, SourceVersion: h[i].version, Person: &events.Person{Title: fmt.Sprint(seq)}}
	if h[i].removed {
		e.Type = events.TypePersonRemoved
	}
	if h[i].active != "" {
		is := h[i].active == "yes"
		e.Person.Active = &is
	}
	return Event{Event: e, Versions: kind, CorrelationID: "W1",
		Origin: events.Origin{EventID: fmt.Sprint("e", seq), Source: source, Seq: seq}}
}

// read folds the history in some order.
func (h history) read(kind events.VersionKind, order []int) events.SourceState {
	state := &events.PersonState{Key: "k"}
	for _, i := range order {
		FoldPerson(state, h.event(i, "hr", kind))
	}
	return state.Sources["hr"]
}

// ends is the end of a history as the rules have it, worked out from all of it
// at once: the event whose fields count (negative for a removal), and whether
// the person is active.
func (h history) ends(kind events.VersionKind) (fields int, active bool) {
	start := -1
	for i, w := range h {
		if w.removed {
			start = i
		}
	}
	active = true
	newest, speaker := -1, -1
	for i := max(start, 0); i < len(h); i++ {
		newer := func(than int) bool {
			return than < 0 || kind.Compare(h[i].version, h[than].version) >= 0 // and the higher sequence
		}
		if newer(newest) {
			newest = i
		}
		if h[i].active != "" && !h[i].removed && newer(speaker) {
			speaker, active = i, h[i].active == "yes"
		}
	}
	if newest == start && start >= 0 {
		return -1, active
	}
	return newest + 1, active
}

// as is a source's view in the words of ends.
func as(s events.SourceState) (fields int, active bool) {
	active, said := s.IsActive()
	if s.Removed {
		return -1, active || !said
	}
	_, _ = fmt.Sscan(s.Person.Title, &fields)
	return fields, active || !said
}

// orders yields every order of n things.
func orders(n int) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		var swap func(int) bool
		swap = func(k int) bool {
			if k == n {
				return yield(all)
			}
			for i := k; i < n; i++ {
				all[k], all[i] = all[i], all[k]
				more := swap(k + 1)
				all[k], all[i] = all[i], all[k]
				if !more {
					return false
				}
			}
			return true
		}
		swap(0)
	}
}

// histories yields every history of n events with these versions.
func histories(n int, versions ...string) iter.Seq[history] {
	var words []word
	for _, v := range versions {
		words = append(words, word{removed: true, version: v})
		for _, active := range []string{"", "yes", "no"} {
			words = append(words, word{active: active, version: v})
		}
	}
	return func(yield func(history) bool) {
		h := make(history, n)
		var fill func(int) bool
		fill = func(i int) bool {
			if i == n {
				return yield(h)
			}
			for _, w := range words {
				if h[i] = w; !fill(i + 1) {
					return false
				}
			}
			return true
		}
		fill(0)
	}
}

// TestEveryOrderEndsAlike folds every small history in every order.
func TestEveryOrderEndsAlike(t *testing.T) {
	t.Parallel()
	const early, noon, late = "2026-01-01T00:00:00Z", "2026-01-01T12:00:00+01:00", "2026-01-02T00:00:00Z"
	for name, all := range map[string]struct {
		kind      events.VersionKind
		histories []iter.Seq[history]
	}{
		"none":   {events.VersionNone, []iter.Seq[history]{histories(2, ""), histories(3, ""), histories(4, "")}},
		"number": {events.VersionNumber, []iter.Seq[history]{histories(2, "1", "2", "3"), histories(3, "1", "2", "3"), histories(4, "1", "2")}},
		"time":   {events.VersionTime, []iter.Seq[history]{histories(3, early, noon, late)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen, differ := 0, 0
			for _, some := range all.histories {
				for h := range some {
					seen++
					if err := h.differs(all.kind); err != nil {
						if differ++; differ < 4 {
							t.Error(err)
						}
					}
				}
			}
			t.Logf("%d histories, %d end differently by the order they are read in", seen, differ)
		})
	}
}

// differs says in which order, if any, a history ends otherwise than it should.
func (h history) differs(kind events.VersionKind) error {
	fields, active := h.ends(kind)
	var first string
	for order := range orders(len(h)) {
		state := h.read(kind, order)
		stored, err := events.Encode(events.PersonState{Sources: map[string]events.SourceState{"hr": state}})
		if err != nil {
			return err
		}
		if gotFields, gotActive := as(state); gotFields != fields || gotActive != active {
			return fmt.Errorf("%v, read in the order %v, ends with the fields of %d, active %v; want %d, %v", h, order, gotFields, gotActive, fields, active)
		}
		if first == "" {
			first = string(stored)
		} else if first != string(stored) {
			return fmt.Errorf("%v, read in the order %v, ends as\n%s\nand in order as\n%s", h, order, stored, first)
		}
	}
	return nil
}

func TestFold(t *testing.T) {
	t.Parallel()
	const none, number = events.VersionNone, events.VersionNumber
	for name, test := range map[string]struct {
		kind    events.VersionKind
		history history
		fields  int
		active  bool
	}{
		"the later wins":                              {none, history{{}, {}}, 2, true},
		"left stays left where nothing is said":       {none, history{{active: "yes"}, {active: "no"}, {}}, 3, false},
		"who is only hired is active":                 {none, history{{}}, 1, true},
		"removed, and back":                           {none, history{{active: "no"}, {removed: true}, {}}, 3, true},
		"removed":                                     {none, history{{active: "yes"}, {removed: true}}, -1, true},
		"the newer version wins":                      {number, history{{version: "2"}, {version: "1"}}, 1, true},
		"of equal versions the later wins":            {number, history{{version: "2"}, {version: "2"}}, 2, true},
		"superseded, and still says that they left":   {number, history{{version: "9"}, {active: "no", version: "8"}}, 1, false},
		"not where a newer one says otherwise":        {number, history{{active: "yes", version: "9"}, {active: "no", version: "8"}}, 1, true},
		"a removal counts whatever its version":       {number, history{{version: "9"}, {removed: true, version: "1"}}, -1, true},
		"and begins anew":                             {number, history{{active: "no", version: "9"}, {removed: true, version: "1"}, {version: "2"}}, 3, true},
		"an export older than the removal":            {number, history{{removed: true, version: "9"}, {active: "yes", version: "8"}}, -1, true},
		"what an older one said before a new removal": {number, history{{version: "9"}, {removed: true, version: "1"}, {version: "5"}, {version: "3"}}, 3, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if fields, active := test.history.ends(test.kind); fields != test.fields || active != test.active {
				t.Errorf("the rules say %d, active %v; want %d, %v", fields, active, test.fields, test.active)
			}
			if err := test.history.differs(test.kind); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAChangedKindOfVersionStartsFromWhatIsStored: what was stored under the
// configuration before is older than whatever comes.
func TestAChangedKindOfVersionStartsFromWhatIsStored(t *testing.T) {
	t.Parallel()
	const day = "2026-01-01T00:00:00Z"
	for name, test := range map[string]struct {
		kinds  []events.VersionKind
		said   history
		fields int
	}{
		"none, then number":   {[]events.VersionKind{events.VersionNone, events.VersionNumber, events.VersionNumber}, history{{}, {version: "-7"}, {version: "-8"}}, 2},
		"number, then time":   {[]events.VersionKind{events.VersionNumber, events.VersionTime}, history{{version: "9999"}, {version: day}}, 2},
		"number, then none":   {[]events.VersionKind{events.VersionNumber, events.VersionNone}, history{{version: "9999"}, {}}, 2},
		"removed, then times": {[]events.VersionKind{events.VersionNumber, events.VersionTime}, history{{removed: true, version: "9"}, {version: day}}, 2},
	} {
		state := &events.PersonState{Key: "k"}
		for i, kind := range test.kinds {
			FoldPerson(state, test.said.event(i, "hr", kind))
		}
		if fields, _ := as(state.Sources["hr"]); fields != test.fields {
			t.Errorf("%s: the fields are of %d, want %d", name, fields, test.fields)
		}
	}
}

// TestTooMuchThatMayComeToCountIsDropped: the limit holds, and what counts now
// is not touched by it.
func TestTooMuchThatMayComeToCountIsDropped(t *testing.T) {
	t.Parallel()
	const many = 3 * maxStanding
	var h history
	for i := range many {
		h = append(h, word{active: []string{"yes", "no"}[i%2], version: fmt.Sprint(many - i)})
	}
	for _, order := range [][]int{ascending(many), descending(many)} {
		s := h.read(events.VersionNumber, order)
		if fields, active := as(s); fields != 1 || !active || len(s.Superseded) != maxStanding-1 || len(s.Active) != maxStanding {
			t.Errorf("fields of %d, active %v, %d and %d more are kept", fields, active, len(s.Superseded), len(s.Active))
		}
	}
}

func ascending(n int) []int {
	var out []int
	for i := range n {
		out = append(out, i)
	}
	return out
}

func descending(n int) []int {
	out := ascending(n)
	slices.Reverse(out)
	return out
}

func TestAnEventFoldedTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	state := &events.PersonState{Key: "k"}
	in := history{{active: "yes"}}.event(0, "hr", events.VersionNone)
	if did := FoldPerson(state, in); did != FoldApplied {
		t.Errorf("an event did %v", did)
	}
	if did := FoldPerson(state, in); did != FoldSuperseded {
		t.Errorf("the same event did %v when it came again", did)
	}
}
