package assign

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// pause writes the table as retry-scheduler does, and waits until the services
// have heard.
func (r *rig) pause(sources []string, services ...*Service) {
	r.t.Helper()
	table := events.Pauses{At: time.Now()}
	for _, source := range sources {
		table.Add(events.Pause{Scope: events.Scope{Source: source}, By: "grete", Reason: "audit", Since: table.At, Request: "r1"})
	}
	data, err := events.Encode(table)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.bus.Commit(r.ctx, events.StreamRoster, []bus.Group{{{Subject: events.PausesSubject(), Data: data}}}); err != nil {
		r.t.Fatal(err)
	}
	for _, s := range services {
		r.until("a replica hears of the pauses", func() bool { return s.pauses.Source("hr") == table.Source("hr") })
	}
}

// hears has a service that does not run know what is paused.
func (r *rig) hears(services ...*Service) {
	r.t.Helper()
	for _, s := range services {
		r.inForce(s)
		if err := s.pauses.Read(r.ctx); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *rig) aside() events.Aside {
	r.t.Helper()
	a, _ := read[events.Aside](r, events.AsideSubject("hr"))
	return a
}

func (r *rig) knows(n int) bool {
	r.t.Helper()
	_, seq := read[events.PersonState](r, events.PersonSubject(r.key(n)))
	return seq > 0
}

// A paused source waits, on every replica and over a kill -9; others go on, and
// nothing of it is lost. More wait than the consumer would hold.
func TestAPausedSourceWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.service(telemetry.Discard()), r.service(telemetry.Discard())
	stopOne, stopTwo := r.run(one), r.run(two)
	r.awaitFolded(1, r.publish("hr", rulestest.Event(1)))
	r.pause([]string{"hr"}, one, two)

	const many = 4100
	groups := make([]bus.Group, many)
	for i := range groups {
		groups[i] = bus.Group{{Subject: events.DirectorySubject("hr", events.KindPerson), Data: rulestest.Encoded(t, rulestest.Event(i+1, titled("Later")))}}
	}
	if _, err := r.bus.Commit(r.ctx, events.StreamDirectory, groups); err != nil {
		t.Fatal(err)
	}
	group := r.publish("hr", groupEvent("Leads", 1, 2))
	dir := r.publish("directory", rulestest.Event(1))
	await(r, events.PersonSubject(r.key(1)), func(p events.PersonState) bool { return p.Sources["directory"].Origin.Seq == dir })
	r.awaitAcked()
	if a := r.aside(); r.knows(2) || r.knows(many) || a.From != 2 || a.To != group || a.Passed < many {
		t.Fatalf("a paused source was read, or this waits of it: %+v", a)
	}

	stopOne()
	three := r.service(telemetry.Discard())
	r.run(three) // has heard of nothing
	stopTwo()
	r.server.Crash(t)
	r.server.Restart(t)
	r.until("the server is back", func() bool { return three.Ready() == nil })
	last := r.publish("hr", rulestest.Event(many+1))
	r.until("the last event is set aside", func() bool { return r.aside().To == last })
	if r.knows(2) || r.knows(many+1) {
		t.Error("a replica that started later read a paused source")
	}

	r.pause(nil, three)
	r.until("nothing waits", func() bool { return r.aside().To == 0 })
	for _, n := range []int{1, 2, 333, many, many + 1} {
		if !r.knows(n) {
			t.Errorf("person %d was lost", n)
		}
	}
	if p, _ := read[events.PersonState](r, events.PersonSubject(r.key(1))); p.Sources["hr"].Person.Title != "Later" || len(p.Groups) != 1 {
		t.Errorf("the first person is %+v", p)
	}
}

// What came after the source went on stands, though what waited is read later.
func TestLiveEventsComeBeforeWhatWaited(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.service(telemetry.Discard())
	r.pause([]string{"hr"})
	stop := r.run(s)
	r.publish("hr", rulestest.Event(1, titled("Older")))
	r.publish("hr", rulestest.Event(2, titled("Older")))
	r.until("both wait", func() bool { return r.aside().To == 2 })
	stop()
	other := r.service(telemetry.Discard())
	r.handled(other, r.publish("hr", rulestest.Event(1, titled("Newer"))))
	r.pause(nil)
	r.start()
	r.until("nothing waits", func() bool { return r.aside().To == 0 })
	p, _ := read[events.PersonState](r, events.PersonSubject(r.key(1)))
	if p.Sources["hr"].Person.Title != "Newer" || !r.knows(2) {
		t.Errorf("person 1 is %+v", p)
	}
}

// brittle dies at one of its commits, before or after it is stored.
type brittle struct {
	roster
	left  int
	after bool
}

var errDied = errors.New("killed")

// dying stores what is committed, unless this is where it dies.
func (b *brittle) dying(store func() ([]bus.Committed, error)) ([]bus.Committed, error) {
	b.left--
	if b.left != 0 {
		return store()
	}
	if b.after {
		if _, err := store(); err != nil {
			return nil, err
		}
	}
	return nil, errDied
}

func (b *brittle) Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error) {
	return b.dying(func() ([]bus.Committed, error) { return b.roster.Commit(ctx, stream, groups) })
}

func (b *brittle) CommitSummed(ctx context.Context, stream string, groups []bus.Group, sum bus.Sum) ([]bus.Committed, error) {
	return b.dying(func() ([]bus.Committed, error) { return b.roster.CommitSummed(ctx, stream, groups, sum) })
}

// Killed at any commit while it catches up, what is left is read by another.
func TestCatchingUpSurvivesADeath(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for at := range 4 {
			t.Run(fmt.Sprintf("commit %d, stored %v", at+1, after), func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				r.pause(nil)
				s, other := r.service(telemetry.Discard()), r.service(telemetry.Discard())
				r.hears(s, other)
				var last uint64
				for n := range batchSize + 5 {
					last = r.publish("hr", rulestest.Event(n+1))
				}
				waits := events.Aside{Source: "hr", From: 1, To: last, Passed: int(last)}
				if err := s.changeAside(r.ctx, "hr", func(a *events.Aside) bool { *a = waits; return true }); err != nil {
					t.Fatal(err)
				}
				s.roster = &brittle{roster: s.roster, left: at + 1, after: after}
				if err := s.catchUp(r.ctx, waits, map[string]uint64{}); err == nil {
					t.Fatal("nobody was killed")
				}
				if a := r.aside(); a.To == 0 && !(after && at == 3) {
					t.Fatal("nothing waits any more")
				}
				if a := r.aside(); a.To > 0 {
					if err := other.catchUp(r.ctx, a, map[string]uint64{}); err != nil {
						t.Fatal(err)
					}
				}
				if a := r.aside(); a.To != 0 || a.Passed != 0 {
					t.Errorf("%+v waits", a)
				}
				for n := range int(last) {
					if !r.knows(n + 1) {
						t.Fatalf("person %d was lost", n+1)
					}
				}
			})
		}
	}
}

// An older event that is set aside while somebody catches up waits still.
func TestWhatIsSetAsideMeanwhileWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.pause(nil)
	s, other := r.service(telemetry.Discard()), r.service(telemetry.Discard())
	r.hears(s, other)
	r.publish("hr", rulestest.Event(1))
	second := r.publish("hr", rulestest.Event(2))
	put := func(from, to uint64) {
		if err := other.changeAside(r.ctx, "hr", func(a *events.Aside) bool { a.From, a.To = from, max(a.To, to); return true }); err != nil {
			t.Fatal(err)
		}
	}
	put(second, second)
	s.roster = &interposed{roster: s.roster, between: func() { put(1, second) }} // before person 2 is committed
	if err := s.catchUp(r.ctx, r.aside(), map[string]uint64{}); err != nil {
		t.Fatal(err)
	}
	if a := r.aside(); a.From != 1 || a.To != second {
		t.Fatalf("%+v waits, want both", a)
	}
	if err := s.catchUp(r.ctx, r.aside(), map[string]uint64{}); err != nil {
		t.Fatal(err)
	}
	if a := r.aside(); a.To != 0 || !r.knows(1) {
		t.Errorf("%+v waits", a)
	}
}

// An event that was handed out before, and comes again, may be older than all
// that waits.
func TestAnOlderEventIsSetAsideToo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.service(telemetry.Discard())
	r.publish("hr", rulestest.Event(1))
	second := r.publish("hr", rulestest.Event(2))
	feed, err := r.bus.Feed(r.ctx, events.StreamDirectory, events.ConsumerAssignment, 2)
	if err != nil {
		t.Fatal(err)
	}
	var msgs []*bus.Message
	for len(msgs) < 2 {
		more, err := feed.Next(r.ctx, 2, 0)
		if err != nil {
			t.Fatal(err)
		}
		msgs = append(msgs, more...)
	}
	r.pause([]string{"hr"})
	r.hears(s)
	for _, m := range []*bus.Message{msgs[1], msgs[0]} {
		if rest := s.setAside(r.ctx, []*bus.Message{m}); len(rest) > 0 {
			t.Fatal("an event of a paused source was not set aside")
		}
	}
	feed.Close()
	if a := r.aside(); a.From != 1 || a.To != second || a.Passed != 2 {
		t.Errorf("%+v waits, want both", a)
	}
}

// Events that are gone from DIRECTORY are not waited for for ever.
func TestWhatIsNotStoredAnyMoreIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.pause(nil)
	s := r.service(telemetry.Discard())
	r.hears(s)
	r.publish("directory", rulestest.Event(1))
	if err := s.changeAside(r.ctx, "hr", func(a *events.Aside) bool { a.From, a.To = 1, 7; return true }); err != nil {
		t.Fatal(err)
	}
	gone := map[string]uint64{}
	for _, want := range []uint64{7, 0} {
		if err := s.catchUp(r.ctx, r.aside(), gone); err != nil {
			t.Fatal(err)
		}
		if a := r.aside(); a.To != want {
			t.Errorf("%+v waits, want up to %d", a, want)
		}
	}
}

// An admin's word to read a rejected event again does not get round a pause.
func TestARejectedEventOfAPausedSourceWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.service(telemetry.Discard())
	r.pause(nil)
	r.hears(s)
	bad := rulestest.Event(1)
	bad.SourceVersion = "5" // hr sends none
	seq := r.publish("hr", bad)
	r.handled(s, seq)
	r.pause([]string{"hr"})
	r.hears(s)
	request := bus.Entry{Subject: events.ReconsiderSubject(seq), Seq: 1 << 40}
	if err := s.reconsider(r.ctx, r.ctx, request); !errors.Is(err, errPaused) {
		t.Errorf("got %v", err)
	}
	r.pause(nil)
	r.hears(s)
	if err := s.reconsider(r.ctx, r.ctx, request); err != nil {
		t.Errorf("got %v", err)
	}
}
