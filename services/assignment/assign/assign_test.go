package assign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

const patience = 20 * time.Second

// bench is one test's own NATS server, configuration and services.
type bench struct {
	t      testing.TB
	server *bustest.Server
	bus    *bus.Bus
	keyer  *events.Keyer
	file   config.File
	ctx    context.Context
}

func newBench(t testing.TB, orgs ...string) *bench {
	t.Helper()
	f := sampleFile(t)
	for _, org := range orgs {
		f.Orgs[org] = config.Org{Assign: sampleAssign()}
	}
	server := bustest.Start(t, bus.Topology{Orgs: []string{"sales"}})
	keyer, err := events.NewKeyer([]byte(strings.Repeat("k", events.MinDeploymentKeyBytes)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	t.Cleanup(cancel)
	return &bench{t: t, server: server, bus: server.Bus(t), keyer: keyer, file: f, ctx: ctx}
}

// service makes a service that does not run.
func (b *bench) service(tel *telemetry.Telemetry) *Service {
	b.t.Helper()
	cfg, err := ConfigFrom(b.file)
	if err != nil {
		b.t.Fatalf("config: %v", err)
	}
	s, err := New(cfg, b.server.Bus(b.t), tel)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// run runs a service until stop is called or the test ends.
func (b *bench) run(s *Service) (stop func()) {
	ctx, cancel := context.WithCancel(b.ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			b.t.Errorf("run: %v", err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	b.t.Cleanup(stop)
	return stop
}

func (b *bench) start() (stop func()) { return b.run(b.service(telemetry.Discard())) }

// publish stores an event and returns its sequence.
func (b *bench) publish(source string, e *events.Event) uint64 {
	b.t.Helper()
	return b.publishRaw(events.DirectorySubject(source, events.Kind(e.Type)), encoded(b.t, e), nil)
}

func (b *bench) publishRaw(subject string, data []byte, h bus.Header) uint64 {
	b.t.Helper()
	out, err := b.bus.Commit(b.ctx, events.StreamDirectory, []bus.Group{{{Subject: subject, Data: data, Header: h}}})
	if err != nil || out[0].Err != nil {
		b.t.Fatalf("publish: %v %v", err, out)
	}
	return out[0].Seqs[0]
}

// read returns the newest payload of a subject, if there is one.
func read[P events.Payload](b *bench, subject string) (P, uint64) {
	b.t.Helper()
	have, err := b.bus.Latest(b.ctx, events.StreamRoster, []string{subject})
	if err != nil {
		b.t.Fatalf("read %s: %v", subject, err)
	}
	var p P
	e, ok := have[subject]
	if !ok {
		return p, 0
	}
	if p, err = events.Decode[P](e.Data); err != nil {
		b.t.Fatal(err)
	}
	return p, e.Seq
}

// await waits until a subject's payload is as wanted.
func await[P events.Payload](b *bench, subject string, want func(P) bool) (P, uint64) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	var found P
	var seq uint64
	err := b.bus.Watch(ctx, events.StreamRoster, subject, func(e bus.Entry) {
		p, err := events.Decode[P](e.Data)
		if err == nil && want(p) {
			found, seq = p, e.Seq
			cancel()
		}
	})
	if seq == 0 {
		last, _ := read[P](b, subject)
		b.t.Fatalf("%s never became as wanted (%v); it is %+v", subject, err, last)
	}
	return found, seq
}

func (b *bench) key(n int) events.Key { return b.keyer.Person(fmt.Sprintf("W%05d", n)) }

func (b *bench) desired(n int) (events.Desired, uint64) {
	b.t.Helper()
	return read[events.Desired](b, events.DesiredSubject("sales", b.key(n)))
}

func (b *bench) awaitDesired(n int, want func(events.Desired) bool) (events.Desired, uint64) {
	b.t.Helper()
	return await(b, events.DesiredSubject("sales", b.key(n)), want)
}

// awaitFolded waits until an event of hr is what the person was last folded from.
func (b *bench) awaitFolded(n int, seq uint64) events.PersonState {
	b.t.Helper()
	p, _ := await(b, events.PersonSubject(b.key(n)), func(p events.PersonState) bool { return p.Sources["hr"].Origin.Seq >= seq })
	return p
}

func (b *bench) awaitRejection(seq uint64, want func(events.Rejection) bool) events.Rejection {
	b.t.Helper()
	r, _ := await(b, events.RejectionSubject(seq), want)
	return r
}

func (b *bench) workSeq(lane events.Lane, n int) uint64 {
	b.t.Helper()
	_, seq := read[events.Work](b, events.WorkSubject("sales", lane, b.key(n)))
	return seq
}

// awaitAcked waits until nothing is left to be handled.
func (b *bench) awaitAcked() {
	b.t.Helper()
	b.until("events are acked", func() bool {
		all, err := b.bus.Consumers(b.ctx, events.StreamDirectory)
		if err != nil {
			b.t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(c bus.ConsumerStatus) bool { return c.Name == events.ConsumerAssignment })
		return all[i].Pending == 0 && all[i].AckPending == 0
	})
}

// until looks again and again: for what nobody announces.
func (b *bench) until(what string, is func() bool) {
	b.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-b.ctx.Done():
			b.t.Fatalf("it never came to pass that %s", what)
		}
	}
}

func titled(title string) func(*events.Event) {
	return func(e *events.Event) { e.Person.Title = title }
}

func versioned(v string) func(*events.Event) {
	return func(e *events.Event) { e.SourceVersion = v }
}

func active(is bool) func(*events.Event) {
	return func(e *events.Event) { e.Person.Active = &is }
}

func TestANewPersonGetsDesiredAndWork(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	seq := b.publish("hr", sampleEvent(1))
	d, dseq := b.awaitDesired(1, func(d events.Desired) bool { return d.Active })
	if d.Lane != events.LaneChange || d.Fields["Title"] != "Consultant" || d.Origin.Seq != seq || d.Origin.EventID != "e-1" || d.Origin.Source != "hr" || d.Hash == "" {
		t.Errorf("desired = %+v", d)
	}
	if b.workSeq(events.LaneChange, 1) != dseq+1 {
		t.Error("no work beside the desired")
	}
	p := b.awaitFolded(1, seq)
	if p.CorrelationID != "W00001" || p.Key != b.key(1) || p.Sources["hr"].Person.Title != "Consultant" {
		t.Errorf("person = %+v", p)
	}
	b.awaitAcked()
}

func TestAnUnchangedRepublishMakesNoWork(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	b.publish("hr", sampleEvent(1))
	_, dseq := b.awaitDesired(1, func(d events.Desired) bool { return d.Active })
	wseq := b.workSeq(events.LaneChange, 1)
	b.awaitFolded(1, b.publish("hr", sampleEvent(1)))
	if _, now := b.desired(1); now != dseq || b.workSeq(events.LaneChange, 1) != wseq {
		t.Error("an unchanged person was published again")
	}
}

func TestABackfillWaitsAndALeaverDoesNot(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	backfill := func(e *events.Event) { e.Lane = events.LaneBackfill }
	b.publish("hr", sampleEvent(1, backfill))
	first, _ := b.awaitDesired(1, func(d events.Desired) bool { return d.Lane == events.LaneBackfill })
	b.publish("hr", sampleEvent(1, backfill, active(false)))
	d, dseq := b.awaitDesired(1, func(d events.Desired) bool { return !d.Active })
	if d.Lane != events.LaneLeaver || d.Match != first.Match || d.Fields != nil {
		t.Errorf("leaver = %+v", d)
	}
	if b.workSeq(events.LaneLeaver, 1) != dseq+1 {
		t.Error("no work on the leaver lane")
	}
}

func TestAnOlderVersionIsSuperseded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	b.publish("hr", sampleEvent(1, versioned("7"), titled("New")))
	_, dseq := b.awaitDesired(1, func(d events.Desired) bool { return d.Fields["Title"] == "New" })
	b.publish("hr", sampleEvent(1, versioned("6"), titled("Old")))
	b.awaitAcked()
	if _, now := b.desired(1); now != dseq {
		t.Error("an older export undid a newer one")
	}
}

func TestRemovalBySourceAndByAll(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	removed := func(e *events.Event) { e.Type = events.TypePersonRemoved }
	b.publish("hr", sampleEvent(1))
	b.publish("directory", sampleEvent(1))
	b.awaitFolded(1, 1)
	b.awaitAcked()
	b.awaitFolded(1, b.publish("hr", sampleEvent(1, removed)))
	if d, _ := b.desired(1); !d.Active {
		t.Fatal("one of two sources removed the person, and they left")
	}
	b.publish("directory", sampleEvent(1, removed))
	d, _ := b.awaitDesired(1, func(d events.Desired) bool { return !d.Active })
	if d.Match.Username == "" {
		t.Error("a leaver lost what they are recognised by")
	}
}

func TestAMappingFailureParksOnlyThatPerson(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for n := 1; n <= 3; n++ {
		b.publish("hr", sampleEvent(n, func(e *events.Event) {
			if n == 2 {
				e.Person.Name.FamilyName = ""
			}
		}))
	}
	b.start()
	for n := 1; n <= 3; n++ {
		d, dseq := b.awaitDesired(n, func(d events.Desired) bool { return d.Active })
		if (d.Problem != nil) != (n == 2) || b.workSeq(events.LaneChange, n) != dseq+1 {
			t.Errorf("person %d: %+v", n, d)
		}
	}
	b.publish("hr", sampleEvent(2))
	b.awaitDesired(2, func(d events.Desired) bool { return d.Problem == nil })
}

func groupEvent(name string, members ...int) *events.Event {
	g := &events.Group{ExternalID: "g1", DisplayName: name}
	for _, n := range members {
		g.Members = append(g.Members, events.Member{Value: fmt.Sprintf("W%05d", n)})
	}
	return &events.Event{SpecVersion: "1.0", ID: "g-" + name, Source: "dir", Type: events.TypeGroupUpserted, Group: g}
}

func TestGroupsJoinRenameLeaveAndGo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	hasLead := func(want bool) func(events.Desired) bool {
		return func(d events.Desired) bool { return slices.Contains(d.PermissionSets, "Lead") == want }
	}
	b.publish("directory", groupEvent("Leads", 1, 2)) // before anybody knows them
	b.awaitAcked()
	if _, seq := b.desired(1); seq != 0 {
		t.Error("somebody known only as a member got a desired state")
	}
	b.publish("hr", sampleEvent(1))
	b.publish("hr", sampleEvent(2))
	b.awaitDesired(1, hasLead(true))
	b.awaitDesired(2, hasLead(true))
	b.publish("directory", groupEvent("Leads", 2, 3)) // 1 leaves
	b.awaitDesired(1, hasLead(false))
	b.publish("directory", groupEvent("Followers", 2, 3)) // renamed
	b.awaitDesired(2, hasLead(false))
	b.publish("directory", groupEvent("Leads", 2, 3))
	b.awaitDesired(2, hasLead(true))
	gone := groupEvent("Leads", 2, 3)
	gone.Type = events.TypeGroupRemoved
	b.publish("directory", gone)
	b.awaitDesired(2, hasLead(false))
	b.awaitAcked()
	g, _ := read[events.GroupState](b, events.GroupSubject(b.keyer.Group("directory", "g1")))
	if !g.Removed {
		t.Errorf("group = %+v", g)
	}
}

func TestALargeGroupIsSpreadInParts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	members := make([]int, 2*batchSize+7)
	for i := range members {
		members[i] = i + 1
	}
	b.publish("directory", groupEvent("Leads", members...))
	b.awaitAcked()
	for _, n := range []int{1, batchSize, batchSize + 1, len(members)} {
		p, _ := read[events.PersonState](b, events.PersonSubject(b.key(n)))
		if len(p.Groups) != 1 {
			t.Errorf("person %d is in %d groups", n, len(p.Groups))
		}
	}
}

// TestAnInterruptedOlderGroupEventIsPutRight plays a replica that changed
// members for an older event and died: the older event, read again, must bring
// them in line with the newer one.
func TestAnInterruptedOlderGroupEventIsPutRight(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.service(telemetry.Discard())
	b.publish("directory", groupEvent("Leads", 1))
	older := b.publish("directory", groupEvent("Leads", 2))
	newer := b.publish("directory", groupEvent("Leads", 1))
	handle := func(seq uint64) verdict { return b.handled(s, seq)[0].verdict }
	handle(1)
	s.roster = &failing{roster: s.roster, fail: func(subject string) bool { return strings.HasPrefix(subject, "rollcall.group.") }}
	if v := handle(older); v != verdictUndecided {
		t.Fatalf("the interrupted event is %s", v)
	}
	s.roster = b.bus
	handle(newer)
	if v := handle(older); v != verdictSuperseded {
		t.Fatalf("the older event is %s", v)
	}
	for n, want := range map[int]bool{1: true, 2: false} {
		p, _ := read[events.PersonState](b, events.PersonSubject(b.key(n)))
		for _, m := range p.Groups {
			if !m.Left != want {
				t.Errorf("person %d: in the group = %v, want %v", n, !m.Left, want)
			}
		}
	}
}

// failing fails commits that write a subject; the bus is otherwise the real one.
type failing struct {
	roster
	fail  func(subject string) bool
	after bool // store first, then fail: the reply is lost
	count atomic.Int64
}

var errPlanned = errors.New("planned fault")

func (f *failing) Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error) {
	for _, g := range groups {
		for _, w := range g {
			if !f.fail(w.Subject) {
				continue
			}
			f.count.Add(1)
			if f.after {
				_, _ = f.roster.Commit(ctx, stream, groups)
			}
			return make([]bus.Committed, len(groups)), errPlanned
		}
	}
	return f.roster.Commit(ctx, stream, groups)
}

func TestAFailedCommitIsRepeated(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]bool{"nothing stored": false, "stored, reply lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			s := b.service(telemetry.Discard())
			var once atomic.Bool
			f := &failing{roster: s.roster, after: after, fail: func(string) bool { return once.CompareAndSwap(false, true) }}
			s.roster = f
			b.publish("hr", sampleEvent(1))
			b.publishRaw(events.DirectorySubject("hr", events.KindPerson), []byte("{"), nil)
			b.run(s)
			b.awaitDesired(1, func(d events.Desired) bool { return d.Active })
			b.awaitRejection(2, func(events.Rejection) bool { return true })
			b.awaitAcked()
			if f.count.Load() == 0 {
				t.Error("the planned fault never happened")
			}
			if p, _ := read[events.PersonState](b, events.PersonSubject(b.key(1))); p.Sources["hr"].Origin.Seq != 1 {
				t.Errorf("person = %+v", p)
			}
		})
	}
}

// TestTwoReplicasRace lets two services fold the same people: whatever the
// order, the newest event wins and everybody's desired state follows it.
func TestTwoReplicasRace(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const people, rounds = 20, 15
	b.start()
	b.start()
	for r := range rounds {
		for n := range people {
			b.publish("hr", sampleEvent(n, titled(fmt.Sprintf("T%d", r))))
		}
	}
	last := fmt.Sprintf("T%d", rounds-1)
	for n := range people {
		b.awaitDesired(n, func(d events.Desired) bool { return d.Fields["Title"] == last })
	}
	b.awaitAcked()
	for n := range people {
		d, _ := b.desired(n)
		p, _ := read[events.PersonState](b, events.PersonSubject(b.key(n)))
		if d.Fields["Title"] != last || p.Sources["hr"].Person.Title != last {
			t.Errorf("person %d ended as %v and %v", n, d.Fields["Title"], p.Sources["hr"].Person.Title)
		}
	}
}

func TestAnOlderEventReadLaterLoses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.service(telemetry.Discard())
	b.publish("hr", sampleEvent(1, titled("Old")))
	b.publish("hr", sampleEvent(1, titled("New")))
	b.handled(s, 2)
	b.handled(s, 1)
	if d, _ := b.desired(1); d.Fields["Title"] != "New" {
		t.Errorf("title = %v", d.Fields["Title"])
	}
}

func TestASecondServiceFoldsNothingTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stop := b.start()
	b.publish("hr", sampleEvent(1))
	b.awaitDesired(1, func(d events.Desired) bool { return d.Active })
	b.awaitAcked()
	stop()
	_, before := read[events.PersonState](b, events.PersonSubject(b.key(1)))
	s := b.service(telemetry.Discard())
	in := b.handled(s, 1)[0]
	_, after := read[events.PersonState](b, events.PersonSubject(b.key(1)))
	if in.verdict != verdictSuperseded || before != after {
		t.Errorf("a redelivered event is %s, person written at %d, then %d", in.verdict, before, after)
	}
}

func TestPoison(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	person := events.DirectorySubject("hr", events.KindPerson)
	good := string(encoded(t, sampleEvent(1)))
	tests := map[string]struct{ subject, data, reason string }{
		"empty":          {person, "", "is not valid JSON"},
		"not JSON":       {person, "hello", "is not valid JSON"},
		"not UTF-8":      {person, "{\"id\":\"\xff\"}", "is not UTF-8"},
		"duplicate key":  {person, strings.Replace(good, `"id":`, `"id":"x","id":`, 1), "stands twice"},
		"case variant":   {person, strings.Replace(good, `"id":`, `"ID":"x","id":`, 1), "in different case"},
		"unknown type":   {person, strings.Replace(good, "upserted.v1", "upserted.v9", 1), "is not a type Rollcall reads"},
		"wrong kind":     {events.DirectorySubject("hr", events.KindGroup), good, "published under a subject for"},
		"unknown source": {events.DirectorySubject("other", events.KindPerson), good, "source that is not in the configuration"},
		"no number":      {person, strings.Replace(good, `"employeeNumber":"W00001",`, "", 1), "lacks the attribute that names the person"},
		"unknown member": {person, strings.Replace(good, `"title"`, `"titel"`, 1), "is not an attribute Rollcall knows"},
		"nameless member": {events.DirectorySubject("directory", events.KindGroup),
			strings.Replace(string(encoded(t, groupEvent("Leads", 1))), `"value":"W00001"`, `"display":"x"`, 1), "/data/members/0/value: is missing"},
	}
	seqs := map[string]uint64{}
	for name, test := range tests {
		seqs[name] = b.publishRaw(test.subject, []byte(test.data), nil)
	}
	for name, test := range tests {
		r := b.awaitRejection(seqs[name], func(events.Rejection) bool { return true })
		if r.Failure.Cause != events.CausePoison || !strings.Contains(r.Failure.Message, test.reason) || r.Subject != test.subject ||
			r.Origin.Seq != seqs[name] || r.Attempt != 1 || r.Resolved {
			t.Errorf("%s: %+v %+v", name, r, r.Failure)
		}
	}
	b.awaitAcked()
}

func (b *bench) reconsider(seq uint64) {
	b.t.Helper()
	_, err := b.bus.Commit(b.ctx, events.StreamRoster, []bus.Group{{{Subject: events.ReconsiderSubject(seq), Data: []byte("{}")}}})
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestReconsider(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stop := b.start()
	from := func(n int, title string) uint64 {
		return b.publishRaw(events.DirectorySubject("payroll", events.KindPerson), encoded(t, sampleEvent(n, titled(title))), nil)
	}
	first, second := from(1, "First"), from(2, "Second")
	bad := b.publishRaw(events.DirectorySubject("hr", events.KindPerson), []byte("{"), nil)
	for _, seq := range []uint64{first, second, bad} {
		b.awaitRejection(seq, func(r events.Rejection) bool { return r.Attempt == 1 })
	}
	b.reconsider(first)
	b.awaitRejection(first, func(r events.Rejection) bool { return r.Attempt == 2 && !r.Resolved })
	stop()

	b.file.Sources["payroll"] = config.Source{Correlate: "enterprise.employeeNumber"}
	b.start()
	later := from(2, "Later")
	b.awaitDesired(2, func(d events.Desired) bool { return d.Fields["Title"] == "Later" })
	for _, seq := range []uint64{first, second, bad} {
		b.reconsider(seq)
	}
	r := b.awaitRejection(first, func(r events.Rejection) bool { return r.Resolved })
	if r.Failure != nil || r.Origin.EventID != "e-1" {
		t.Errorf("resolved = %+v", r)
	}
	b.awaitDesired(1, func(d events.Desired) bool { return d.Fields["Title"] == "First" })
	b.awaitRejection(second, func(r events.Rejection) bool { return r.Resolved })
	b.awaitRejection(bad, func(r events.Rejection) bool { return r.Attempt == 2 })
	if d, _ := b.desired(2); d.Fields["Title"] != "Later" || d.Origin.Seq != later {
		t.Errorf("an older event read again won: %+v", d)
	}
}

func TestASweepRevisesOnlyWhatTheConfigurationChanges(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stop := b.start()
	b.publish("hr", sampleEvent(1))
	b.publish("hr", sampleEvent(2, func(e *events.Event) { e.Person.UserType = "Contractor" }))
	b.publish("hr", sampleEvent(3, func(e *events.Event) { e.Person.UserType = "Guest" }))
	_, one := b.awaitDesired(1, func(d events.Desired) bool { return d.Active })
	b.awaitDesired(2, func(d events.Desired) bool { return d.Active })
	b.awaitDesired(3, func(d events.Desired) bool { return d.Active })
	b.awaitAcked()
	stop()

	a := sampleAssign()
	a.Fields["Title"] = `person.?userType.orValue("") == "Contractor" ? "External" : person.?title.orValue("")`
	a.Rules[0].When += ` && person.?userType.orValue("") != "Guest"`
	b.file.Orgs["sales"] = config.Org{Assign: a}
	s := b.service(telemetry.Discard())
	b.run(s)
	select {
	case <-s.swept:
	case <-b.ctx.Done():
		t.Fatal("the sweep never ended")
	}
	if _, now := b.desired(1); now != one {
		t.Error("somebody whom the change does not concern got a new revision")
	}
	d, dseq := b.desired(2)
	if d.Fields["Title"] != "External" || d.Lane != events.LaneBackfill || b.workSeq(events.LaneBackfill, 2) != dseq+1 || d.Origin.EventID != "e-2" {
		t.Errorf("desired = %+v", d)
	}
	if d, _ := b.desired(3); d.Active || d.Lane != events.LaneLeaver || d.Match.Username == "" {
		t.Errorf("somebody no rule matches any more: %+v", d)
	}
}

func TestATooLargePersonIsRejected(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	big := func(e *events.Event) { e.Person.Custom = map[string]string{"notes": strings.Repeat("x", 600<<10)} }
	b.publish("hr", sampleEvent(1, big))
	b.awaitDesired(1, func(d events.Desired) bool { return d.Active })
	seq := b.publish("directory", sampleEvent(1, big))
	r := b.awaitRejection(seq, func(events.Rejection) bool { return true })
	if !strings.Contains(r.Failure.Message, "is too big") {
		t.Errorf("rejection = %+v", r.Failure)
	}
	b.awaitAcked()
}

func TestNATSRestartLosesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	b.publish("hr", sampleEvent(1))
	b.awaitDesired(1, func(d events.Desired) bool { return d.Active })
	b.server.Kill()
	b.server.Restart(t)
	b.until("NATS is back", func() bool { return b.bus.Ready() == nil })
	b.publish("hr", sampleEvent(2))
	b.awaitDesired(2, func(d events.Desired) bool { return d.Active })
}

// splits counts reads that ask for a person without their desired states.
type splits struct {
	roster
	split atomic.Int64
	reads atomic.Int64
}

func (r *splits) Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error) {
	r.reads.Add(1)
	asked := map[events.Key]int{}
	for _, s := range subjects {
		if a, err := events.ParseSubject(s); err == nil && (a.Kind == "person" || a.Kind == "desired") {
			asked[a.Key]++
		}
	}
	for _, n := range asked {
		if n != 7 {
			r.split.Add(1)
		}
	}
	if len(subjects) > readMax {
		r.split.Add(1)
	}
	return r.roster.Latest(ctx, stream, subjects)
}

func TestAPersonIsReadAsOfOneMoment(t *testing.T) {
	t.Parallel()
	b := newBench(t, "o1", "o2", "o3", "o4", "o5") // with sales, six
	s := b.service(telemetry.Discard())
	r := &splits{roster: s.roster}
	s.roster = r
	changes := make([]*change, batchSize)
	for i := range changes {
		changes[i] = &change{key: b.key(i), context: b.ctx, apply: func(*events.PersonState) bool { return false }}
	}
	if err := s.revise(b.ctx, changes); err != nil {
		t.Fatal(err)
	}
	if r.split.Load() != 0 || r.reads.Load() != (batchSize+141)/142 {
		t.Errorf("%d reads, %d of them split somebody", r.reads.Load(), r.split.Load())
	}
}

// BenchmarkService is assignment on a real server that syncs every write:
// events of new people, from DIRECTORY to their desired state and work.
func BenchmarkService(b *testing.B) {
	h := newBench(b)
	const batch = 1000
	for start := 0; start < b.N; start += batch {
		var groups []bus.Group
		for n := start; n < min(b.N, start+batch); n++ {
			groups = append(groups, bus.Group{{Subject: events.DirectorySubject("hr", events.KindPerson), Data: encoded(b, sampleEvent(n))}})
		}
		if _, err := h.bus.Commit(h.ctx, events.StreamDirectory, groups); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	stop := h.start()
	h.awaitAcked()
	b.StopTimer()
	stop()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
