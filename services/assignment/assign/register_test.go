package assign

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/inforce"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// soon is how often replicas of these tests look: somebody who is gone counts as
// gone in a quarter of a second.
const soon = 40 * time.Millisecond

// called gives everybody of a configuration this role, so that it can be seen
// under which one somebody was worked out.
func (r *rig) called(role string) {
	a := rulestest.Assign()
	a.Rules[0].Role = role
	r.file.Orgs = maps.Clone(r.file.Orgs)
	r.file.Orgs["sales"] = config.Org{Assign: a}
}

// replica runs a service with a configuration of its own.
func (r *rig) replica(role string) (s *Service, stop func()) {
	r.t.Helper()
	r.called(role)
	s = r.service(telemetry.Discard())
	return s, r.run(s)
}

func (r *rig) register() inforce.State {
	r.t.Helper()
	s, err := inforce.Read(r.ctx, r.bus)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func (r *rig) awaitTaking(s *Service) {
	r.t.Helper()
	r.until("the replica takes events", func() bool { return s.open.Load() })
}

func (r *rig) awaitStandingBy(s *Service) {
	r.t.Helper()
	r.until("the replica stands by", func() bool { return s.Remark() != "" && !s.open.Load() })
	if err := s.Ready(); err != nil {
		r.t.Errorf("a replica that stands by is not ready: %v", err)
	}
}

func (r *rig) awaitSwept() inforce.State {
	r.t.Helper()
	r.until("everybody is compared with the configuration", func() bool { s := r.register(); return s.Swept() })
	return r.register()
}

func (r *rig) awaitSweptBy(s *Service) {
	r.t.Helper()
	select {
	case <-s.swept:
	case <-r.ctx.Done():
		r.t.Fatal("the sweep never ended")
	}
}

func under(role string) func(events.Desired) bool {
	return func(d events.Desired) bool { return d.Role == role }
}

// TestARollingChangeEndsWithEverybodyOnTheNewConfiguration: replicas are
// replaced one by one while events come. From the first new one on nothing is
// worked out under the old configuration, and nobody waits for the last.
func TestARollingChangeEndsWithEverybodyOnTheNewConfiguration(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.beat = soon
	old1, stop1 := r.replica("Old")
	old2, stop2 := r.replica("Old")
	r.awaitTaking(old1)
	r.awaitTaking(old2)
	for n := range 40 {
		r.publish("hr", rulestest.Event(n))
	}
	r.awaitDesired(39, under("Old"))

	new1, _ := r.replica("New")
	r.awaitTaking(new1)
	r.awaitStandingBy(old1)
	r.awaitStandingBy(old2)
	leaver := r.publish("hr", rulestest.Event(0, active(false)))
	r.awaitDesired(0, func(d events.Desired) bool { return !d.Active })
	r.awaitFolded(0, leaver)
	for n := range 20 {
		r.publish("hr", rulestest.Event(n+100))
	}
	stop1()
	new2, _ := r.replica("New")
	r.awaitTaking(new2)
	stop2()

	for n := 1; n < 40; n++ {
		r.awaitDesired(n, under("New"))
	}
	for n := range 20 {
		r.awaitDesired(n+100, under("New"))
	}
	// The sweep or their event, whichever came first, has changed the leaver.
	if s := r.awaitSwept(); s.Generation != 2 || s.Sweep.Changed < 39 || s.Sweep.Changed > 40 {
		t.Errorf("generation %d, %d of %d people changed by the sweep", s.Generation, s.Sweep.Changed, s.Sweep.People)
	}
}

// TestRivalFilesDoNotTakeTurns: two files are in use at once, for ever. The one
// that came last stays.
func TestRivalFilesDoNotTakeTurns(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.beat = soon
	first, _ := r.replica("First")
	r.awaitTaking(first)
	second, stopSecond := r.replica("Second")
	r.awaitTaking(second)
	r.awaitStandingBy(first)
	looks := func() (n uint64) {
		for _, b := range r.register().Beats {
			if b.Generation == 0 {
				n = b.Seq
			}
		}
		return n
	}
	for range 12 {
		before := looks()
		r.until("who stands by looks again", func() bool { return looks() > before })
	}
	again, _ := r.replica("First") // and one more of the first
	r.awaitStandingBy(again)
	if s := r.register(); s.Generation != 2 || s.Hash != second.register.Hash() {
		t.Errorf("generation %d, %s in force", s.Generation, s.Hash)
	}

	stopSecond() // in order: it says so, and need not be missed
	for _, b := range r.register().Beats {
		if b.Replica != "" && b.Hash == second.register.Hash() && !b.Left {
			t.Error("a replica that has ended has not said so")
		}
	}
	r.until("somebody takes over from a configuration that is gone", func() bool { return first.open.Load() && again.open.Load() })
	if s := r.register(); s.Generation != 3 || s.Hash != first.register.Hash() {
		t.Errorf("generation %d, %s in force", s.Generation, s.Hash)
	}
	back, _ := r.replica("Second") // it has been in force before: it waits
	r.awaitStandingBy(back)
	if s := r.register(); s.Generation != 3 {
		t.Errorf("generation %d", s.Generation)
	}
}

// TestAnOlderConfigurationComesBackAtOnceUnderAnotherRevision is the way back
// from a configuration that was wrong.
func TestAnOlderConfigurationComesBackAtOnceUnderAnotherRevision(t *testing.T) {
	t.Parallel()
	r := newRig(t) // beats are seconds apart: nobody counts as gone within this test
	good, stop := r.replica("Good")
	r.awaitTaking(good)
	stop()
	bad, _ := r.replica("Bad")
	r.awaitTaking(bad)
	r.publish("hr", rulestest.Event(1))
	r.awaitDesired(1, under("Bad"))

	r.file.Revision = "back"
	r.replica("Good")
	r.awaitDesired(1, under("Good"))
	r.awaitStandingBy(bad)
}

// TestAReplicaThatStoodStillStoresNothing: it had read and worked out, and was
// about to store when the machine stopped it. Meanwhile another configuration
// came into force and changed nobody it had in hand.
func TestAReplicaThatStoodStillStoresNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.called("Old")
	old := r.service(telemetry.Discard())
	r.inForce(old)
	seqs := []uint64{r.publish("hr", rulestest.Event(1)), r.publish("hr", rulestest.Event(2)), r.publishRaw("rollcall.directory.hr.person", []byte("{}"), nil)}
	old.roster = &interposed{roster: old.roster, between: func() {
		r.called("New")
		r.inForce(r.service(telemetry.Discard()))
	}}
	for _, in := range r.handled(old, seqs...) {
		if in.verdict != verdictUndecided {
			t.Errorf("event %d is %s", in.entry.Seq, in.verdict)
		}
	}
	if have := r.roster(); len(have) != 0 {
		t.Errorf("it stored %v", have)
	}
	r.called("New")
	r.start()
	r.awaitDesired(1, under("New"))
	r.awaitDesired(2, under("New"))
	r.awaitRejection(seqs[2], func(events.Rejection) bool { return true })
}

// sweeper counts sweeps, and may stop in the middle of one.
type sweeper struct {
	roster
	scans  atomic.Int64
	during func(ctx context.Context) error
}

func (s *sweeper) Scan(ctx context.Context, stream, filter string, from uint64, each func(bus.Entry) error) error {
	if filter == events.ThreesAll && from == 0 {
		s.scans.Add(1)
		if s.during != nil {
			if err := s.during(ctx); err != nil {
				return err
			}
		}
	}
	return s.roster.Scan(ctx, stream, filter, from, each)
}

// swept runs a replica whose sweeps are seen.
func (r *rig) sweeper(during func(ctx context.Context) error) (w *sweeper, stop func()) {
	r.t.Helper()
	s := r.service(telemetry.Discard())
	w = &sweeper{roster: s.roster, during: during}
	s.roster = w
	return w, r.run(s)
}

func TestOneSweepFollowsEachSwitch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.beat = soon
	var all []*sweeper
	var stops []func()
	start := func(role string, n int) {
		r.called(role)
		for range n {
			w, stop := r.sweeper(nil)
			all, stops = append(all, w), append(stops, stop)
		}
	}
	start("One", 4)
	r.awaitSwept()
	for n := range 10 {
		r.publish("hr", rulestest.Event(n))
	}
	r.awaitDesired(9, under("One"))
	start("Two", 4)
	r.until("the second configuration is swept", func() bool { s := r.register(); return s.Generation == 2 && s.Swept() })
	for n := range 10 {
		r.awaitDesired(n, under("Two"))
	}
	for _, stop := range stops {
		stop()
	}
	start("Two", 2) // with the configuration that is in force already
	more, _ := r.replica("Two")
	r.awaitSweptBy(more)
	var scans int64
	for _, w := range all {
		scans += w.scans.Load()
	}
	if s := r.register(); scans != 2 || s.Generation != 2 {
		t.Errorf("%d sweeps, generation %d", scans, s.Generation)
	}
}

// TestASweepIsFinishedByAnotherReplica: who made the switch dies in the sweep.
func TestASweepIsFinishedByAnotherReplica(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.beat = soon
	_, stop := r.replica("Old")
	for n := range 10 {
		r.publish("hr", rulestest.Event(n))
	}
	r.awaitDesired(9, under("Old"))
	stop()

	r.called("New")
	sweeping := make(chan struct{})
	_, die := r.sweeper(func(ctx context.Context) error {
		close(sweeping)
		<-ctx.Done()
		return ctx.Err()
	})
	<-sweeping
	other, _ := r.sweeper(nil)
	if s := r.register(); s.Generation != 2 || s.Swept() {
		t.Fatalf("generation %d, swept %v", s.Generation, s.Swept())
	}
	before := other.scans.Load()
	die()
	if s := r.awaitSwept(); before != 0 || s.Generation != 2 || s.Sweep.Changed != 10 {
		t.Errorf("%d sweeps beside the first, generation %d, %d changed", before, s.Generation, s.Sweep.Changed)
	}
	for n := range 10 {
		r.awaitDesired(n, under("New"))
	}
}

// behind is a server of a cluster that lacks what came last.
type behind struct {
	roster
	times atomic.Int64
}

func (b *behind) Scan(ctx context.Context, stream, filter string, from uint64, each func(bus.Entry) error) error {
	if b.times.Add(-1) >= 0 {
		return nil
	}
	return b.roster.Scan(ctx, stream, filter, from, each)
}

func TestASweepIsNotEndedByAServerThatIsBehind(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, stop := r.replica("Old")
	for n := range 5 {
		r.publish("hr", rulestest.Event(n))
	}
	r.awaitDesired(4, under("Old"))
	r.awaitAcked()
	stop()
	r.called("New")
	s := r.service(telemetry.Discard())
	b := &behind{roster: s.roster}
	b.times.Store(3)
	s.roster = b
	r.run(s)
	r.awaitSweptBy(s)
	if s := r.register(); s.Sweep.People != 5 || s.Sweep.Changed != 5 {
		t.Errorf("%d people, %d changed", s.Sweep.People, s.Sweep.Changed)
	}
}

// TestASwitchInTheMiddleOfMuch: many events, several replicas, and three switches
// between configurations while they are handled. Each is handled once more or
// less, but everybody ends under the last configuration.
func TestASwitchInTheMiddleOfMuch(t *testing.T) {
	t.Parallel()
	const people = 300
	r := newRig(t)
	r.beat = soon
	var groups []bus.Group
	for n := range people {
		groups = append(groups, bus.Group{{Subject: events.DirectorySubject("hr", events.KindPerson), Data: rulestest.Encoded(t, rulestest.Event(n))}})
	}
	publish := func(part []bus.Group) {
		if _, err := r.bus.Commit(r.ctx, events.StreamDirectory, part); err != nil {
			t.Fatal(err)
		}
	}
	var stops []func()
	for i, part := range slices.Collect(slices.Chunk(groups, people/3)) {
		publish(part)
		for range 2 {
			_, stop := r.replica(fmt.Sprint("C", i))
			stops = append(stops, stop)
		}
		r.until("the configuration is in force", func() bool { return r.register().Generation == uint64(i+1) })
	}
	for _, stop := range stops[:4] {
		stop()
	}
	r.awaitAcked()
	r.until("the last configuration is swept", func() bool { s := r.register(); return s.Generation == 3 && s.Swept() })
	for n := range people {
		if d, _ := r.desired(n); d.Role != "C2" {
			t.Fatalf("person %d has role %q", n, d.Role)
		}
	}
}
