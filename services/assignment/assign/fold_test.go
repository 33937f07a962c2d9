package assign

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/gate"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// consumers draws an interleaving: every event is read by some consumer, and
// perhaps again, and each consumer has a batch of its own in hand.
func consumers(rt *rapid.T, total int) [][]int {
	deliveries := rapid.Permutation(slices.Concat(inOrder(total), rapid.SliceOfN(rapid.IntRange(0, total-1), 0, total).Draw(rt, "again"))).Draw(rt, "deliveries")
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
	s := pure(t, func(f *config.File) {
		f.Sources["contractors"] = config.Source{Correlate: "externalId"}
		f.Authority = []string{"hr", "contractors"}
	})
	kinds := map[string]events.VersionKind{"contractors": events.VersionNone, "directory": events.VersionTime, "hr": events.VersionNumber}
	rapid.Check(t, func(rt *rapid.T) {
		var all []*incoming
		for i := range rapid.IntRange(1, 12).Draw(rt, "events") {
			all = append(all, drawn(rt, i, kinds))
		}
		var want *events.PersonState
		var wish *events.Desired
		for _, batches := range [][][]int{{inOrder(len(all))}, consumers(rt, len(all)), consumers(rt, len(all))} {
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

// drawn is one event about one person, of some source. Its title names its place.
func drawn(rt *rapid.T, i int, kinds map[string]events.VersionKind) *incoming {
	source := rapid.SampledFrom([]string{"contractors", "directory", "hr", "hr"}).Draw(rt, "source")
	seq := uint64(i + 1)
	e := rulestest.Event(1, titled(fmt.Sprint(seq)))
	if rapid.IntRange(0, 4).Draw(rt, "kind") == 0 {
		e.Type = events.TypePersonRemoved
	}
	if said := rapid.SampledFrom([]string{"", "yes", "no"}).Draw(rt, "active"); said != "" {
		active(said == "yes")(e)
	}
	switch n := rapid.IntRange(1, 3).Draw(rt, "version"); kinds[source] {
	case events.VersionNumber:
		e.SourceVersion = fmt.Sprint(n)
	case events.VersionTime:
		e.SourceVersion = fmt.Sprintf("2026-01-0%dT00:00:00Z", n)
	}
	return &incoming{source: source, versions: kinds[source], correlationID: "W1", key: "k", event: e,
		entry: bus.Entry{Seq: seq}, origin: events.Origin{EventID: fmt.Sprint("e", seq), Source: source, Seq: seq}}
}

// inOrder is the places of n events in the order of their sequence.
func inOrder(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
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
		for _, w := range s.unjudged(c, stored) {
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

// unjudged is the group of a change that nothing is held of.
func (s *Service) unjudged(c *change, have map[string]bus.Entry) bus.Group {
	d := s.draft(c, have)
	if d == nil {
		return nil
	}
	for _, w := range d.wishes {
		w.verdict = gate.Open(events.Guard{}, gate.Limits{Off: true}, time.Time{}).Judge(w.Case)
	}
	return s.build(d)
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
		return rulestest.Event(1, versioned(version), func(e *events.Event) {
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
