package assign

import (
	"context"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry/telemetrytest"
)

// interposed does something once, between a service's read and its commit.
type interposed struct {
	roster
	between func()
}

func (r *interposed) CommitSummed(ctx context.Context, stream string, groups []bus.Group, sum bus.Sum) ([]bus.Committed, error) {
	if do := r.between; do != nil {
		r.between = nil
		do()
	}
	return r.roster.CommitSummed(ctx, stream, groups, sum)
}

func (r *interposed) Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error) {
	if do := r.between; do != nil {
		r.between = nil
		do()
	}
	return r.roster.Commit(ctx, stream, groups)
}

// handled takes stored events through one step of a service that does not run.
func (r *rig) handled(s *Service, seqs ...uint64) []*incoming {
	r.t.Helper()
	r.inForce(s)
	batch := make([]*incoming, len(seqs))
	for i, seq := range seqs {
		entry, err := r.bus.At(r.ctx, events.StreamDirectory, seq)
		if err != nil {
			r.t.Fatal(err)
		}
		in, err := s.reader.read(entry)
		in.fault = err
		s.begin(telemetry.Extract(r.ctx, entry.Header), in)
		batch[i] = in
	}
	s.handle(r.ctx, r.ctx, batch)
	return batch
}

func TestAnotherReplicaBetweenReadAndCommit(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, other := r.service(telemetry.Discard()), r.service(telemetry.Discard())
	r.handled(one, r.publish("hr", rulestest.Event(1)))
	r.handled(one, r.publish("directory", rulestest.Event(1)))
	hr := r.publish("hr", rulestest.Event(1, titled("Nobody sees it"))) // directory comes first
	dir := r.publish("directory", rulestest.Event(1))
	one.roster = &interposed{roster: r.bus, between: func() { r.handled(other, dir) }}
	if in := r.handled(one, hr); in[0].verdict != verdictUnchanged {
		t.Errorf("the event is %s", in[0].verdict)
	}
	p, _ := read[events.PersonState](r, events.PersonSubject(r.key(1)))
	if p.Sources["hr"].Origin.Seq != hr || p.Sources["directory"].Origin.Seq != dir {
		t.Errorf("one replica undid the other: %+v", p.Sources)
	}
}

func TestAnotherReplicaChangesTheGroupMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, other := r.service(telemetry.Discard()), r.service(telemetry.Discard())
	r.handled(one, r.publish("directory", groupEvent("Leads", 1, 2)))
	older := r.publish("directory", groupEvent("Leads", 2, 3))
	newer := r.publish("directory", groupEvent("Leads", 1, 4))
	one.roster = &interposed{roster: r.bus, between: func() { r.handled(other, newer) }}
	if in := r.handled(one, older); in[0].verdict != verdictSuperseded {
		t.Errorf("the older event is %s", in[0].verdict)
	}
	for n, want := range map[int]bool{1: true, 2: false, 3: false, 4: true} {
		p, _ := read[events.PersonState](r, events.PersonSubject(r.key(n)))
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
	r := newRig(t)
	r.sends("directory", events.VersionNumber)
	one, other := r.service(telemetry.Discard()), r.service(telemetry.Discard())
	publish := func(version string, removed bool, members ...int) uint64 {
		e := groupEvent("Leads", members...)
		e.SourceVersion = version
		if removed {
			e.Type = events.TypeGroupRemoved
		}
		return r.publish("directory", e)
	}
	first, removal, stale, newest := publish("9", false, 1), publish("1", true), publish("5", false, 2), publish("9", false, 3)
	r.handled(one, first)
	r.handled(one, stale)
	one.roster = &interposed{roster: r.bus, between: func() { r.handled(other, newest) }}
	r.handled(one, removal)
	if is := r.memberships(r.keyer.Group("directory", "g1"), 5); len(is) != 1 || is[3] != "Leads" {
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
	r := newRig(t)
	s := r.service(telemetry.Discard())
	seq := r.publishRaw(events.DirectorySubject("hr", events.KindPerson), []byte("{"), nil)
	r.handled(s, seq)
	r.reconsider(seq)
	have, err := r.bus.Latest(r.ctx, events.StreamRoster, []string{events.ReconsiderSubject(seq)})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.reconsider(r.ctx, r.ctx, have[events.ReconsiderSubject(seq)]); err != nil {
			t.Fatal(err)
		}
	}
	if rejection, _ := read[events.Rejection](r, events.RejectionSubject(seq)); rejection.Attempt != 2 {
		t.Errorf("one request made it attempt %d", rejection.Attempt)
	}
}

func TestAChangeIsInTheTraceOfTheEventThatMadeIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.service(telemetrytest.Recording(t).Telemetry)
	traced := func(id string) bus.Header {
		return bus.Header{events.HeaderTraceparent: {"00-" + id + "-" + spanID + "-01"}}
	}
	subject := events.DirectorySubject("hr", events.KindPerson)
	first := r.publishRaw(subject, rulestest.Encoded(t, rulestest.Event(1, titled("A"))), traced(headerTrace))
	second := r.publishRaw(subject, rulestest.Encoded(t, rulestest.Event(1, titled("B"))), traced(eventTrace))
	batch := r.handled(s, second, first)
	for _, in := range batch {
		if in.verdict != verdictApplied {
			t.Errorf("event %d is %s", in.entry.Seq, in.verdict)
		}
	}
	have, err := r.bus.Latest(r.ctx, events.StreamRoster, []string{events.WorkSubject("sales", events.LaneChange, r.key(1))})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range have {
		if h := e.Header[events.HeaderTraceparent]; len(h) != 1 || !strings.Contains(h[0], eventTrace) {
			t.Errorf("the work is in trace %q", h)
		}
	}
	if d, _ := r.desired(1); d.Fields["Title"] != "B" || !strings.Contains(d.Origin.Traceparent, eventTrace) {
		t.Errorf("desired = %+v", d)
	}
}
