package assign

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// consume has several services handle the events at the same time, each in an
// order of its own; some are delivered more than once, and what a service leaves
// undecided comes again.
func (r *rig) consume(dice *rand.Rand, services []*Service, seqs []uint64) {
	r.t.Helper()
	deliveries := slices.Clone(seqs)
	for range len(seqs) / 2 {
		deliveries = append(deliveries, seqs[dice.IntN(len(seqs))])
	}
	hands := make([][]uint64, len(services))
	for _, at := range dice.Perm(len(deliveries)) {
		to := dice.IntN(len(services))
		hands[to] = append(hands[to], deliveries[at])
	}
	var all sync.WaitGroup
	for i, s := range services {
		r.inForce(s)
		sizes := make([]int, len(hands[i]))
		for j := range sizes {
			sizes[j] = 1 + dice.IntN(3)
		}
		all.Go(func() {
			if err := r.takeAll(s, hands[i], sizes); err != nil {
				r.t.Error(err)
			}
		})
	}
	all.Wait()
}

// takeAll takes events to their end in batches.
func (r *rig) takeAll(s *Service, seqs []uint64, sizes []int) error {
	for round := 0; len(seqs) > 0; round++ {
		n := min(sizes[round%len(sizes)], len(seqs))
		batch := make([]*incoming, n)
		for i, seq := range seqs[:n] {
			entry, err := r.bus.At(r.ctx, events.StreamDirectory, seq)
			if err != nil {
				return err
			}
			in, err := s.reader.read(entry)
			in.fault = err
			s.begin(telemetry.Extract(r.ctx, entry.Header), in)
			batch[i] = in
		}
		seqs = seqs[n:]
		s.handle(r.ctx, r.ctx, batch)
		for _, in := range batch {
			if in.verdict == verdictUndecided {
				seqs = append(seqs, in.entry.Seq)
			}
		}
	}
	return r.ctx.Err()
}

// inOrder is what a group's events come to, read one after the other.
func (r *rig) inOrder(s *Service, seqs []uint64) events.GroupState {
	r.t.Helper()
	var state events.GroupState
	for _, seq := range seqs {
		entry, err := r.bus.At(r.ctx, events.StreamDirectory, seq)
		if err != nil {
			r.t.Fatal(err)
		}
		in, err := s.reader.read(entry)
		if err != nil {
			r.t.Fatal(err)
		}
		rules.FoldGroup(&state, in.said())
	}
	return state
}

// memberships says of each person under which name they are in a group; those
// who are not are left out.
func (r *rig) memberships(group events.Key, people int) map[int]string {
	r.t.Helper()
	out := map[int]string{}
	for n := range people {
		p, _ := read[events.PersonState](r, events.PersonSubject(r.key(n)))
		if m, ok := p.Groups[group]; ok && !m.Left {
			out[n] = m.Name
		}
	}
	return out
}

// TestAnyInterleavingOfAGroupsEventsEndsAlike lets replicas handle the events of
// one group at once, as they come and again: in the end the group is what its
// events come to in order, and everybody's membership is in line with it.
func TestAnyInterleavingOfAGroupsEventsEndsAlike(t *testing.T) {
	t.Parallel()
	const people, groups = 6, 20
	r := newRig(t)
	r.sends("directory", events.VersionNumber)
	services := []*Service{r.service(telemetry.Discard()), r.service(telemetry.Discard()), r.service(telemetry.Discard())}
	seed := uint64(time.Now().UnixNano())
	dice := rand.New(rand.NewPCG(seed, 0))
	for g := range groups {
		id := fmt.Sprint("g", g)
		var seqs []uint64
		for range 2 + dice.IntN(5) {
			e := groupEvent([]string{"Leads", "Followers"}[dice.IntN(2)], dice.Perm(people)[:dice.IntN(people)]...)
			e.Group.ExternalID, e.SourceVersion = id, fmt.Sprint(1+dice.IntN(3))
			if dice.IntN(4) == 0 {
				e.Type = events.TypeGroupRemoved
			}
			seqs = append(seqs, r.publish("directory", e))
		}
		want := r.inOrder(services[0], seqs)
		r.consume(dice, services[:2+dice.IntN(2)], seqs)

		key := r.keyer.Group("directory", id)
		got, _ := read[events.GroupState](r, events.GroupSubject(key))
		if got.Origin.Seq != want.Origin.Seq || got.Removed != want.Removed || len(got.Superseded) != len(want.Superseded) {
			t.Errorf("group %d ended as event %d (removed %v), in order as %d (removed %v)", g, got.Origin.Seq, got.Removed, want.Origin.Seq, want.Removed)
		}
		members := map[int]string{}
		for n := range people {
			if memberSet(want.Group)[fmt.Sprintf("W%05d", n)] {
				members[n] = rules.GroupName(want.Group)
			}
		}
		if is := r.memberships(key, people); !reflect.DeepEqual(is, members) {
			t.Errorf("group %d: members are %v, want %v", g, is, members)
		}
	}
	if t.Failed() {
		t.Logf("seed %d", seed)
	}
}

// TestReplicasFoldSeveralSourcesAlike is the same for people, of whom several
// sources speak: nothing is lost between replicas that work on one person.
func TestReplicasFoldSeveralSourcesAlike(t *testing.T) {
	t.Parallel()
	const people = 25
	r := newRig(t)
	r.file.Orgs["sales"] = config.Org{Assign: rulestest.Assign(), Gate: config.Gate{Off: true}} // whoever leaves here leaves
	r.sends("hr", events.VersionNumber)
	r.file.Sources["contractors"] = config.Source{Correlate: "externalId"}
	r.file.Authority = []string{"hr", "contractors"}
	one, other := r.service(telemetry.Discard()), r.service(telemetry.Discard())
	seed := uint64(time.Now().UnixNano())
	dice := rand.New(rand.NewPCG(seed, 0))
	var seqs []uint64
	for range 12 * people {
		e := rulestest.Event(dice.IntN(people), titled(fmt.Sprint("T", dice.IntN(1000))))
		source := []string{"hr", "contractors", "directory"}[dice.IntN(3)]
		if source == "hr" {
			e.SourceVersion = fmt.Sprint(1 + dice.IntN(4))
		}
		switch dice.IntN(6) {
		case 0:
			e.Type = events.TypePersonRemoved
		case 1, 2:
			active(dice.IntN(2) == 0)(e)
		}
		seqs = append(seqs, r.publish(source, e))
	}
	want := r.foldInOrder(one, seqs)
	r.consume(dice, []*Service{one, other}, seqs)
	for n := range people {
		got, _ := read[events.PersonState](r, events.PersonSubject(r.key(n)))
		if is, should := sourcesOf(t, got), sourcesOf(t, *want[r.key(n)]); is != should {
			t.Errorf("person %d ended as\n%s\nand in order as\n%s", n, is, should)
		}
		merged, isActive := one.rules.Merge(&got)
		d, seq := r.desired(n)
		if d.Active != isActive || seq > 0 && isActive && d.Fields["Title"] != merged.Title {
			t.Errorf("person %d: active %v, title %v; the sources say active %v, %+v", n, d.Active, d.Fields["Title"], isActive, merged)
		}
	}
	if t.Failed() {
		t.Logf("seed %d", seed)
	}
}

// TestReplicasLoseNothingOfTwoSources lets two replicas work on the same people
// at once, each having an event of another source in hand. What changes shows in
// no desired state, so nothing but the guard on the person keeps them apart.
func TestReplicasLoseNothingOfTwoSources(t *testing.T) {
	t.Parallel()
	const people, rounds = 40, 6
	r := newRig(t)
	badge := func(source string, round int) func(*events.Event) {
		return func(e *events.Event) { e.Person.Custom = map[string]string{source: fmt.Sprint(round)} }
	}
	r.start()
	r.start()
	newest := map[int]map[string]uint64{}
	for round := range rounds {
		for n := range people {
			newest[n] = map[string]uint64{}
			for _, source := range []string{"hr", "directory"} {
				newest[n][source] = r.publish(source, rulestest.Event(n, badge(source, round)))
			}
		}
	}
	r.awaitAcked()
	for n := range people {
		p, _ := read[events.PersonState](r, events.PersonSubject(r.key(n)))
		for source, seq := range newest[n] {
			if s := p.Sources[source]; s.Origin.Seq != seq || s.Person.Custom[source] != fmt.Sprint(rounds-1) {
				t.Errorf("of person %d, %s said event %d; event %d is in the state", n, source, seq, s.Origin.Seq)
			}
		}
	}
}

func (r *rig) foldInOrder(s *Service, seqs []uint64) map[events.Key]*events.PersonState {
	r.t.Helper()
	out := map[events.Key]*events.PersonState{}
	for _, seq := range seqs {
		entry, err := r.bus.At(r.ctx, events.StreamDirectory, seq)
		if err != nil {
			r.t.Fatal(err)
		}
		in, err := s.reader.read(entry)
		if err != nil {
			r.t.Fatal(err)
		}
		if out[in.key] == nil {
			out[in.key] = &events.PersonState{Key: in.key}
		}
		rules.FoldPerson(out[in.key], in.said())
	}
	return out
}

// sourcesOf is what the sources said of a person, but for whose trace an event
// was handled in.
func sourcesOf(t *testing.T, p events.PersonState) string {
	t.Helper()
	untraced := func(o *events.Origin) { o.Traceparent = "" }
	for name, s := range p.Sources {
		untraced(&s.Origin)
		if s.Series != nil {
			untraced(&s.Series.Origin)
		}
		for i := range s.Superseded {
			untraced(&s.Superseded[i].Origin)
		}
		p.Sources[name] = s
	}
	data, err := events.Encode(events.PersonState{Sources: p.Sources})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
