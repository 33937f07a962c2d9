package assign

import (
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
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

// incoming is the event at a place of the history. Its title names the place.
func (h history) incoming(i int, source string, kind events.VersionKind) *incoming {
	seq := uint64(i + 1)
	e := &events.Event{Type: events.TypePersonUpserted, SourceVersion: h[i].version, Person: &events.Person{Title: fmt.Sprint(seq)}}
	if h[i].removed {
		e.Type = events.TypePersonRemoved
	}
	if h[i].active != "" {
		is := h[i].active == "yes"
		e.Person.Active = &is
	}
	return &incoming{source: source, versions: kind, correlationID: "W1", event: e,
		entry: bus.Entry{Seq: seq}, origin: events.Origin{EventID: fmt.Sprint("e", seq), Source: source, Seq: seq}}
}

// read folds the history in some order.
func (h history) read(kind events.VersionKind, order []int) events.SourceState {
	state := &events.PersonState{Key: "k"}
	for _, i := range order {
		foldPerson(state, h.incoming(i, "hr", kind))
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
			foldPerson(state, test.said.incoming(i, "hr", kind))
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

// consumers draws an interleaving: every event is read by some consumer, and
// perhaps again, and each consumer has a batch of its own in hand.
func consumers(rt *rapid.T, total int) [][]int {
	deliveries := rapid.Permutation(slices.Concat(ascending(total), rapid.SliceOfN(rapid.IntRange(0, total-1), 0, total).Draw(rt, "again"))).Draw(rt, "deliveries")
	var batches [][]int
	for len(deliveries) > 0 {
		n := rapid.IntRange(1, len(deliveries)).Draw(rt, "batch")
		batches = append(batches, deliveries[:n])
		deliveries = deliveries[n:]
	}
	return batches
}

// TestAnyInterleavingEndsAlike: whatever consumers read what when, and however
// often, the sources' part of the person and what the orgs should have is the
// same. Of somebody who is not active, the desired state is not all in the
// sources: it keeps how the user was recognised, if ever there was one.
func TestAnyInterleavingEndsAlike(t *testing.T) {
	t.Parallel()
	cfg := sampleConfig(t)
	s := &Service{reader: cfg.reader, merger: cfg.merger, mappings: cfg.mappings}
	kinds := map[string]events.VersionKind{"contractors": events.VersionNone, "directory": events.VersionTime, "hr": events.VersionNumber}
	rapid.Check(t, func(rt *rapid.T) {
		var all []*incoming
		for i := range rapid.IntRange(1, 12).Draw(rt, "events") {
			all = append(all, drawn(rt, i, kinds))
		}
		sorted := all
		var want *events.PersonState
		var wish *events.Desired
		for _, batches := range [][][]int{{ascending(len(sorted))}, consumers(rt, len(sorted)), consumers(rt, len(sorted))} {
			state, desired := s.interleave(rt, all, batches)
			if want == nil {
				want, wish = state, desired
				continue
			}
			if !reflect.DeepEqual(state.Sources, want.Sources) {
				rt.Fatalf("%v ends as\n%+v\nand in order as\n%+v", batches, state.Sources, want.Sources)
			}
			is, should := desired != nil && desired.Active, wish != nil && wish.Active
			if is != should || is && desired.Hash != wish.Hash {
				rt.Fatalf("%v: desired is\n%+v\nand in order\n%+v", batches, desired, wish)
			}
		}
	})
}

// drawn is one event about one person, of some source.
func drawn(rt *rapid.T, i int, kinds map[string]events.VersionKind) *incoming {
	source := rapid.SampledFrom([]string{"contractors", "directory", "hr", "hr"}).Draw(rt, "source")
	w := word{
		removed: rapid.IntRange(0, 4).Draw(rt, "kind") == 0,
		active:  rapid.SampledFrom([]string{"", "yes", "no"}).Draw(rt, "active"),
	}
	switch n := rapid.IntRange(1, 3).Draw(rt, "version"); kinds[source] {
	case events.VersionNumber:
		w.version = fmt.Sprint(n)
	case events.VersionTime:
		w.version = fmt.Sprintf("2026-01-0%dT00:00:00Z", n)
	}
	h := make(history, i+1)
	h[i] = w
	in := h.incoming(i, source, kinds[source])
	person := samplePerson(1)
	person.Title, person.Active = in.event.Person.Title, in.event.Person.Active
	in.event.Person, in.key = person, "k"
	return in
}

// interleave takes batches of events one after the other, as the service does:
// each is folded into what is stored then, and what comes of it is stored.
func (s *Service) interleave(rt *rapid.T, all []*incoming, batches [][]int) (*events.PersonState, *events.Desired) {
	stored := map[string]bus.Entry{}
	for _, batch := range batches {
		var ins []*incoming
		for _, i := range slices.Sorted(slices.Values(batch)) {
			again := *all[i]
			again.context = rt.Context()
			ins = append(ins, &again)
		}
		c := &change{key: "k", context: rt.Context()}
		c.apply = func(state *events.PersonState) bool { return foldAll(c, state, ins) }
		for _, w := range s.build(c, stored) {
			stored[w.Subject] = bus.Entry{Subject: w.Subject, Seq: stored[w.Subject].Seq + 1, Data: w.Data}
		}
		if c.err != nil {
			rt.Fatal(c.err)
		}
	}
	state, err := events.Decode[events.PersonState](stored[events.PersonSubject("k")].Data)
	if err != nil {
		rt.Fatal(err)
	}
	entry, known := stored[events.DesiredSubject("sales", "k")]
	desired, err := decodeDesired(entry, known)
	if err != nil {
		rt.Fatal(err)
	}
	return &state, desired
}

// TestWhatIsSupersededMakesRoom: nobody's event is refused because of what is
// kept of older ones.
func TestWhatIsSupersededMakesRoom(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sends("hr", events.VersionNumber)
	r.sends("directory", events.VersionNumber)
	s := r.service(telemetry.Discard())
	big := func(version string) *events.Event {
		return sampleEvent(1, versioned(version), func(e *events.Event) {
			e.Person.Custom = map[string]string{"notes": strings.Repeat("x", 400<<10)}
		})
	}
	bigGroup := func(version string) *events.Event {
		members := make([]int, 40000)
		for i := range members {
			members[i] = i % 10
		}
		e := groupEvent("Leads", members...)
		e.SourceVersion = version
		return e
	}
	r.handled(s, r.publish("hr", big("9")))
	r.handled(s, r.publish("directory", bigGroup("9")))
	for _, seq := range []uint64{r.publish("hr", big("8")), r.publish("directory", bigGroup("8"))} {
		if in := r.handled(s, seq)[0]; in.verdict != verdictSuperseded {
			t.Errorf("event %d is %s: %v", seq, in.verdict, in.fault)
		}
	}
	p, _ := read[events.PersonState](r, events.PersonSubject(r.key(1)))
	if hr := p.Sources["hr"]; hr.SourceVersion != "9" || len(hr.Superseded) != 1 {
		t.Errorf("the person has version %q, and %d more", hr.SourceVersion, len(hr.Superseded))
	}
	if in := r.handled(s, r.publish("directory", big("1")))[0]; in.fault != nil {
		t.Errorf("another source's event is refused: %v", in.fault)
	}
	if g, _ := read[events.GroupState](r, events.GroupSubject(r.keyer.Group("directory", "g1"))); g.SourceVersion != "9" {
		t.Errorf("the group has version %q", g.SourceVersion)
	}
}
