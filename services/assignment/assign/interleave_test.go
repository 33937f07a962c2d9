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
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// consume has several services handle the events at the same time, each in an
// order of its own; some are delivered more than once, and what a service leaves
// undecided comes again.
func (b *bundle) consume(r *rand.Rand, services []*Service, seqs []uint64) {
	b.t.Helper()
	deliveries := slices.Clone(seqs)
	for range len(seqs) / 2 {
		deliveries = append(deliveries, seqs[r.IntN(len(seqs))])
	}
	hands := make([][]uint64, len(services))
	for _, at := range r.Perm(len(deliveries)) {
		to := r.IntN(len(services))
		hands[to] = append(hands[to], deliveries[at])
	}
	var all sync.WaitGroup
	for i, s := range services {
		sizes := make([]int, len(hands[i]))
		for j := range sizes {
			sizes[j] = 1 + r.IntN(3)
		}
		all.Go(func() {
			if err := b.takeAll(s, hands[i], sizes); err != nil {
				b.t.Error(err)
			}
		})
	}
	all.Wait()
}

// takeAll takes events to their end in batches.
func (b *bundle) takeAll(s *Service, seqs []uint64, sizes []int) error {
	for round := 0; len(seqs) > 0; round++ {
		n := min(sizes[round%len(sizes)], len(seqs))
		batch := make([]*incoming, n)
		for i, seq := range seqs[:n] {
			entry, err := b.bus.At(b.ctx, events.StreamDirectory, seq)
			if err != nil {
				return err
			}
			in, err := s.reader.read(entry)
			in.fault = err
			s.begin(telemetry.Extract(b.ctx, entry.Header), in)
			batch[i] = in
		}
		seqs = seqs[n:]
		s.handle(b.ctx, b.ctx, batch)
		for _, in := range batch {
			if in.verdict == verdictUndecided {
				seqs = append(seqs, in.entry.Seq)
			}
		}
	}
	return b.ctx.Err()
}

// inOrder is what a group's events come to, read one after the other.
func (b *bundle) inOrder(s *Service, seqs []uint64) events.GroupState {
	b.t.Helper()
	var state events.GroupState
	for _, seq := range seqs {
		entry, err := b.bus.At(b.ctx, events.StreamDirectory, seq)
		if err != nil {
			b.t.Fatal(err)
		}
		in, err := s.reader.read(entry)
		if err != nil {
			b.t.Fatal(err)
		}
		foldGroup(&state, in)
	}
	return state
}

// memberships says of each person under which name they are in a group; those
// who are not are left out.
func (b *bundle) memberships(group events.Key, people int) map[int]string {
	b.t.Helper()
	out := map[int]string{}
	for n := range people {
		p, _ := read[events.PersonState](b, events.PersonSubject(b.key(n)))
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
	b := newBundle(t)
	b.sends("directory", events.VersionNumber)
	services := []*Service{b.service(telemetry.Discard()), b.service(telemetry.Discard()), b.service(telemetry.Discard())}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	for g := range groups {
		id := fmt.Sprint("g", g)
		var seqs []uint64
		for range 2 + r.IntN(5) {
			e := groupEvent([]string{"Leads", "Followers"}[r.IntN(2)], r.Perm(people)[:r.IntN(people)]...)
			e.Group.ExternalID, e.SourceVersion = id, fmt.Sprint(1+r.IntN(3))
			if r.IntN(4) == 0 {
				e.Type = events.TypeGroupRemoved
			}
			seqs = append(seqs, b.publish("directory", e))
		}
		want := b.inOrder(services[0], seqs)
		b.consume(r, services[:2+r.IntN(2)], seqs)

		key := b.keyer.Group("directory", id)
		got, _ := read[events.GroupState](b, events.GroupSubject(key))
		if got.Origin.Seq != want.Origin.Seq || got.Removed != want.Removed || len(got.Superseded) != len(want.Superseded) {
			t.Errorf("group %d ended as event %d (removed %v), in order as %d (removed %v)", g, got.Origin.Seq, got.Removed, want.Origin.Seq, want.Removed)
		}
		members := map[int]string{}
		for n := range people {
			if memberSet(want.Group)[fmt.Sprintf("W%05d", n)] {
				members[n] = groupName(want.Group)
			}
		}
		if is := b.memberships(key, people); !reflect.DeepEqual(is, members) {
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
	b := newBundle(t)
	b.sends("hr", events.VersionNumber)
	one, other := b.service(telemetry.Discard()), b.service(telemetry.Discard())
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	var seqs []uint64
	for range 12 * people {
		e := sampleEvent(r.IntN(people), titled(fmt.Sprint("T", r.IntN(1000))))
		source := []string{"hr", "directory"}[r.IntN(2)]
		if source == "hr" {
			e.SourceVersion = fmt.Sprint(1 + r.IntN(4))
		}
		switch r.IntN(6) {
		case 0:
			e.Type = events.TypePersonRemoved
		case 1, 2:
			active(r.IntN(2) == 0)(e)
		}
		seqs = append(seqs, b.publish(source, e))
	}
	want := b.foldInOrder(one, seqs)
	b.consume(r, []*Service{one, other}, seqs)
	for n := range people {
		got, _ := read[events.PersonState](b, events.PersonSubject(b.key(n)))
		if is, should := sourcesOf(t, got), sourcesOf(t, *want[b.key(n)]); is != should {
			t.Errorf("person %d ended as\n%s\nand in order as\n%s", n, is, should)
		}
		merged, isActive := one.merger.merge(&got)
		d, seq := b.desired(n)
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
	b := newBundle(t)
	badge := func(source string, round int) func(*events.Event) {
		return func(e *events.Event) { e.Person.Custom = map[string]string{source: fmt.Sprint(round)} }
	}
	b.start()
	b.start()
	newest := map[int]map[string]uint64{}
	for round := range rounds {
		for n := range people {
			newest[n] = map[string]uint64{}
			for _, source := range []string{"hr", "directory"} {
				newest[n][source] = b.publish(source, sampleEvent(n, badge(source, round)))
			}
		}
	}
	b.awaitAcked()
	for n := range people {
		p, _ := read[events.PersonState](b, events.PersonSubject(b.key(n)))
		for source, seq := range newest[n] {
			if s := p.Sources[source]; s.Origin.Seq != seq || s.Person.Custom[source] != fmt.Sprint(rounds-1) {
				t.Errorf("of person %d, %s said event %d; event %d is in the state", n, source, seq, s.Origin.Seq)
			}
		}
	}
}

func (b *bundle) foldInOrder(s *Service, seqs []uint64) map[events.Key]*events.PersonState {
	b.t.Helper()
	out := map[events.Key]*events.PersonState{}
	for _, seq := range seqs {
		entry, err := b.bus.At(b.ctx, events.StreamDirectory, seq)
		if err != nil {
			b.t.Fatal(err)
		}
		in, err := s.reader.read(entry)
		if err != nil {
			b.t.Fatal(err)
		}
		if out[in.key] == nil {
			out[in.key] = &events.PersonState{Key: in.key}
		}
		foldPerson(out[in.key], in)
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
