package assign

import (
	"context"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry/telemetrytest"
)

// interposed does something once, between a service's read and its commit.
type interposed struct {
	roster
	between func()
}

func (r *interposed) Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error) {
	if do := r.between; do != nil {
		r.between = nil
		do()
	}
	return r.roster.Commit(ctx, stream, groups)
}

// handled takes stored events through one step of a service that does not run.
func (b *bundle) handled(s *Service, seqs ...uint64) []*incoming {
	b.t.Helper()
	batch := make([]*incoming, len(seqs))
	for i, seq := range seqs {
		entry, err := b.bus.At(b.ctx, events.StreamDirectory, seq)
		if err != nil {
			b.t.Fatal(err)
		}
		in, err := s.reader.read(entry)
		in.fault = err
		s.begin(telemetry.Extract(b.ctx, entry.Header), in)
		batch[i] = in
	}
	s.handle(b.ctx, b.ctx, batch)
	return batch
}

func TestAnotherReplicaBetweenReadAndCommit(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	one, other := b.service(telemetry.Discard()), b.service(telemetry.Discard())
	b.handled(one, b.publish("hr", sampleEvent(1)))
	b.handled(one, b.publish("directory", sampleEvent(1)))
	hr := b.publish("hr", sampleEvent(1, titled("Nobody sees it"))) // directory comes first
	dir := b.publish("directory", sampleEvent(1))
	one.roster = &interposed{roster: b.bus, between: func() { b.handled(other, dir) }}
	if in := b.handled(one, hr); in[0].verdict != verdictUnchanged {
		t.Errorf("the event is %s", in[0].verdict)
	}
	p, _ := read[events.PersonState](b, events.PersonSubject(b.key(1)))
	if p.Sources["hr"].Origin.Seq != hr || p.Sources["directory"].Origin.Seq != dir {
		t.Errorf("one replica undid the other: %+v", p.Sources)
	}
}

func TestAnotherReplicaChangesTheGroupMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	one, other := b.service(telemetry.Discard()), b.service(telemetry.Discard())
	b.handled(one, b.publish("directory", groupEvent("Leads", 1, 2)))
	older := b.publish("directory", groupEvent("Leads", 2, 3))
	newer := b.publish("directory", groupEvent("Leads", 1, 4))
	one.roster = &interposed{roster: b.bus, between: func() { b.handled(other, newer) }}
	if in := b.handled(one, older); in[0].verdict != verdictSuperseded {
		t.Errorf("the older event is %s", in[0].verdict)
	}
	for n, want := range map[int]bool{1: true, 2: false, 3: false, 4: true} {
		p, _ := read[events.PersonState](b, events.PersonSubject(b.key(n)))
		is := false
		for _, m := range p.Groups {
			is = !m.Left
		}
		if is != want {
			t.Errorf("person %d: in the group = %v, want %v", n, is, want)
		}
	}
}

// TestWhoWasChangedInVainIsLookedAtAgain: a removal that is read late brings an
// older list of members back, and before it is stored another replica has a
// newer one. Nobody but the first knows whom it made members.
func TestWhoWasChangedInVainIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.sends("directory", events.VersionNumber)
	one, other := b.service(telemetry.Discard()), b.service(telemetry.Discard())
	publish := func(version string, removed bool, members ...int) uint64 {
		e := groupEvent("Leads", members...)
		e.SourceVersion = version
		if removed {
			e.Type = events.TypeGroupRemoved
		}
		return b.publish("directory", e)
	}
	first, removal, stale, newest := publish("9", false, 1), publish("1", true), publish("5", false, 2), publish("9", false, 3)
	b.handled(one, first)
	b.handled(one, stale)
	one.roster = &interposed{roster: b.bus, between: func() { b.handled(other, newest) }}
	b.handled(one, removal)
	if is := b.memberships(b.keyer.Group("directory", "g1"), 5); len(is) != 1 || is[3] != "Leads" {
		t.Errorf("members are %v, want 3 alone", is)
	}
}

func TestAMembershipIsNotTakenBackByAnOlderStateOfTheGroup(t *testing.T) {
	t.Parallel()
	group := &events.GroupState{Key: "g", Source: "directory", Revision: 5,
		Group: &events.Group{ID: "g", DisplayName: "Leads", Members: []events.Member{{Value: "W1"}}}}
	sp := &spread{state: group, name: "Leads", members: memberSet(group.Group)}
	person := &events.PersonState{Groups: map[events.Key]events.Membership{"g": {Revision: 6, Left: true}}}
	if sp.apply(person, "W1") || !person.Groups["g"].Left {
		t.Errorf("membership = %+v", person.Groups["g"])
	}
	person.Groups["g"] = events.Membership{Revision: 4, Left: true}
	if !sp.apply(person, "W1") || person.Groups["g"].Left || person.Groups["g"].Revision != 5 {
		t.Errorf("membership = %+v", person.Groups["g"])
	}
	person.Groups["g"] = events.Membership{Revision: 4, Name: "Leads"}
	if !sp.apply(person, "W1") || person.Groups["g"].Revision != 5 {
		t.Errorf("what an older state still writes is not kept out: %+v", person.Groups["g"])
	}
}

func TestARequestToReconsiderIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	s := b.service(telemetry.Discard())
	seq := b.publishRaw(events.DirectorySubject("hr", events.KindPerson), []byte("{"), nil)
	b.handled(s, seq)
	b.reconsider(seq)
	have, err := b.bus.Latest(b.ctx, events.StreamRoster, []string{events.ReconsiderSubject(seq)})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.reconsider(b.ctx, b.ctx, have[events.ReconsiderSubject(seq)]); err != nil {
			t.Fatal(err)
		}
	}
	if r, _ := read[events.Rejection](b, events.RejectionSubject(seq)); r.Attempt != 2 {
		t.Errorf("one request made it attempt %d", r.Attempt)
	}
}

func TestAChangeIsInTheTraceOfTheEventThatMadeIt(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	s := b.service(telemetrytest.Recording(t).Telemetry)
	traced := func(id string) bus.Header {
		return bus.Header{events.HeaderTraceparent: {"00-" + id + "-" + spanID + "-01"}}
	}
	subject := events.DirectorySubject("hr", events.KindPerson)
	first := b.publishRaw(subject, encoded(t, sampleEvent(1, titled("A"))), traced(headerTrace))
	second := b.publishRaw(subject, encoded(t, sampleEvent(1, titled("B"))), traced(eventTrace))
	batch := b.handled(s, second, first)
	for _, in := range batch {
		if in.verdict != verdictApplied {
			t.Errorf("event %d is %s", in.entry.Seq, in.verdict)
		}
	}
	have, err := b.bus.Latest(b.ctx, events.StreamRoster, []string{events.WorkSubject("sales", events.LaneChange, b.key(1))})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range have {
		if h := e.Header[events.HeaderTraceparent]; len(h) != 1 || !strings.Contains(h[0], eventTrace) {
			t.Errorf("the work is in trace %q", h)
		}
	}
	if d, _ := b.desired(1); d.Fields["Title"] != "B" || !strings.Contains(d.Origin.Traceparent, eventTrace) {
		t.Errorf("desired = %+v", d)
	}
}
