package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
)

var topo = bus.Topology{Orgs: []string{"acme"}}

type rig struct {
	srv *bustest.Server
	bus *bus.Bus
	ctx context.Context
}

func newRig(t *testing.T) *rig {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	srv := bustest.Start(t, topo)
	return &rig{srv: srv, bus: srv.Bus(t), ctx: ctx}
}

func person(i int) string { return events.PersonSubject(events.Key(fmt.Sprintf("k%d", i))) }

func (r *rig) commit(t *testing.T, groups ...bus.Group) []bus.Committed {
	t.Helper()
	out, err := r.bus.Commit(r.ctx, events.StreamRoster, groups)
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	return out
}

func TestProvisionTwiceIsQuietAndVerifies(t *testing.T) {
	r := newRig(t)
	if err := r.bus.Provision(r.ctx, topo); err != nil {
		t.Fatal(err)
	}
	if waits, err := r.bus.Verify(r.ctx, topo); err != nil || len(waits) != 0 {
		t.Fatal(waits, err)
	}
	if _, err := r.bus.Verify(r.ctx, bus.Topology{Orgs: []string{"acme", "other"}}); err == nil {
		t.Fatal("an org without consumers was verified")
	}
}

// A consumer that somebody pointed elsewhere is noticed, and put right.
func TestAConsumerWithAnotherFilterIsMissing(t *testing.T) {
	r := newRig(t)
	nc, err := nats.Connect(r.srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	name := events.WorkConsumer("acme", events.LaneLeaver)
	cons, err := js.Consumer(r.ctx, events.StreamRoster, name)
	if err != nil {
		t.Fatal(err)
	}
	cfg := cons.CachedInfo().Config
	cfg.FilterSubject = events.HealthSubject("acme")
	if _, err := js.UpdateConsumer(r.ctx, events.StreamRoster, cfg); err != nil {
		t.Fatal(err)
	}
	plan, err := r.bus.Plan(r.ctx, topo)
	if err != nil || len(plan.Make) != 1 || !strings.Contains(plan.Make[0], name) {
		t.Errorf("missing %v, error %v", plan, err)
	}
	if _, err := r.bus.Verify(r.ctx, topo); err == nil {
		t.Error("verified")
	}
	if err := r.bus.Provision(r.ctx, topo); err != nil {
		t.Fatal(err)
	}
	if _, err := r.bus.Verify(r.ctx, topo); err != nil {
		t.Error(err)
	}
}

func TestCommitStoresGroupsWithTheirSequences(t *testing.T) {
	r := newRig(t)
	var groups []bus.Group
	for i := range 700 { // two batches of at most 1,000 writes
		groups = append(groups, bus.Group{
			{Subject: person(i), Data: []byte("p"), Guarded: true},
			{Subject: events.DesiredSubject("acme", events.Key(fmt.Sprintf("k%d", i))), Data: []byte("d"), Guarded: true},
		})
	}
	out := r.commit(t, groups...)
	got, err := r.bus.Latest(r.ctx, events.StreamRoster, []string{person(0), person(499), person(699)})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 499, 699} {
		if e := got[person(i)]; e.Seq == 0 || e.Seq != out[i].Seqs[0] {
			t.Errorf("person %d: stored at %d, reported %v", i, e.Seq, out[i].Seqs)
		}
	}
}

func TestConflictConcernsItsGroupOnly(t *testing.T) {
	r := newRig(t)
	first := r.commit(t, bus.Group{{Subject: person(1), Data: []byte("old"), Guarded: true}})
	out := r.commit(t,
		bus.Group{{Subject: person(1), Data: []byte("stale"), Guarded: true, LastSeq: 0}},
		bus.Group{{Subject: person(2), Data: []byte("new"), Guarded: true}},
	)
	if !errors.Is(out[0].Err, bus.ErrConflict) || out[1].Err != nil {
		t.Fatalf("want a conflict of the first only, got %+v", out)
	}
	out = r.commit(t, bus.Group{{Subject: person(1), Data: []byte("newer"), Guarded: true, LastSeq: first[0].Seqs[0]}})
	if out[0].Err != nil {
		t.Fatalf("a fresh guard: %v", out[0].Err)
	}
}

func TestScheduleFiresIntoItsTarget(t *testing.T) {
	r := newRig(t)
	feed, err := r.bus.Feed(r.ctx, events.StreamRoster, events.WorkConsumer("acme", events.LaneChange), 10)
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Close()
	due := time.Now().Add(300 * time.Millisecond)
	r.commit(t, bus.Group{{Subject: events.RetrySubject("acme", "k1"), Data: []byte("w"),
		Header:   bus.Header{events.HeaderTraceparent: {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}},
		Schedule: &bus.Schedule{At: due, Target: events.WorkSubject("acme", events.LaneChange, "k1")}}})
	msgs, err := feed.Next(r.ctx, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	if time.Now().Before(due) {
		t.Error("fired before it was due")
	}
	if msgs[0].Subject != events.WorkSubject("acme", events.LaneChange, "k1") || len(msgs[0].Header[events.HeaderTraceparent]) != 1 {
		t.Errorf("fired %s with headers %v", msgs[0].Subject, msgs[0].Header)
	}
}

func TestFeedAndCommitOutliveAServerRestart(t *testing.T) {
	r := newRig(t)
	feed, err := r.bus.Feed(r.ctx, events.StreamRoster, events.WorkConsumer("acme", events.LaneLeaver), 10)
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Close()
	r.srv.Kill()
	done := make(chan error, 1)
	go func() {
		_, err := r.bus.Commit(r.ctx, events.StreamRoster, []bus.Group{
			{{Subject: events.LinkSubject("acme", "k1"), Data: []byte("l"), Guarded: true},
				{Subject: events.WorkSubject("acme", events.LaneLeaver, "k1"), Data: []byte("w")}}})
		done <- err
	}()
	r.srv.Restart(t)
	if err := <-done; err != nil {
		t.Fatalf("commit over a restart: %v", err)
	}
	msgs, err := feed.Next(r.ctx, 10, 0)
	if err != nil || string(msgs[0].Data) != "w" {
		t.Fatalf("feed over a restart: %v %v", msgs, err)
	}
}

func TestPriorityServesTheFirstFeedFirst(t *testing.T) {
	r := newRig(t)
	for i := range 50 {
		r.commit(t, bus.Group{{Subject: events.WorkSubject("acme", events.LaneBackfill, events.Key(fmt.Sprintf("k%d", i))), Data: []byte("w")}})
	}
	r.commit(t, bus.Group{{Subject: events.WorkSubject("acme", events.LaneLeaver, "gone"), Data: []byte("w")}})
	var feeds []*bus.Feed
	for _, lane := range events.Lanes() {
		f, err := r.bus.Feed(r.ctx, events.StreamRoster, events.WorkConsumer("acme", lane), 100)
		if err != nil {
			t.Fatal(err)
		}
		feeds = append(feeds, f)
	}
	p := bus.NewPriority(feeds...)
	defer p.Close()
	linger := func(i int) time.Duration { return time.Duration(i) * 50 * time.Millisecond }
	seen, lanes := 0, []int{}
	for seen < 51 {
		i, msgs, err := p.Next(r.ctx, 20, linger)
		if err != nil {
			t.Fatal(err)
		}
		seen += len(msgs)
		lanes = append(lanes, i)
	}
	if lanes[0] != 0 && lanes[1] != 0 {
		t.Errorf("the leaver waited: lanes were served in order %v", lanes)
	}
	if len(lanes) > 5 {
		t.Errorf("50 waiting were served in %d batches", len(lanes))
	}
}

func TestBucketComparesAndSets(t *testing.T) {
	r := newRig(t)
	k := r.bus.Bucket(events.BucketTokens)
	if _, err := k.Get(r.ctx, "acme"); !errors.Is(err, bus.ErrNotFound) {
		t.Fatalf("want not found, got %v", err)
	}
	seq, err := k.Set(r.ctx, "acme", []byte("1"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Set(r.ctx, "acme", []byte("2"), 0); !errors.Is(err, bus.ErrConflict) {
		t.Fatalf("want a conflict, got %v", err)
	}
	seen := make(chan string, 4)
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	go func() { _ = k.Watch(ctx, ">", func(e bus.Entry) { seen <- e.Subject + string(e.Data) }) }()
	if got := <-seen; got != "acme1" {
		t.Fatalf("watched %q", got)
	}
	if _, err := k.Set(r.ctx, "acme", []byte("3"), seq); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != "acme3" {
		t.Fatalf("watched %q", got)
	}
}

func TestRemoveIsIdempotentAndLatestTakesWildcards(t *testing.T) {
	r := newRig(t)
	subject := events.DeadSubject("acme", events.CauseInvalid, "k1")
	out, err := r.bus.Commit(r.ctx, events.StreamDead, []bus.Group{{{Subject: subject, Data: []byte("x")}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.bus.Latest(r.ctx, events.StreamDead, []string{events.DeadFilter("acme", "", "k1")})
	if err != nil || len(got) != 1 {
		t.Fatalf("by wildcard: %v %v", got, err)
	}
	for range 2 {
		if err := r.bus.Remove(r.ctx, events.StreamDead, out[0].Seqs[0]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.bus.At(r.ctx, events.StreamDead, out[0].Seqs[0]); !errors.Is(err, bus.ErrNotFound) {
		t.Fatalf("want not found, got %v", err)
	}
}

func TestConnectSaysWhatToCheck(t *testing.T) {
	t.Parallel()
	// A name that nobody has yet is waited for too: a container that is replaced.
	for _, host := range []string{"127.0.0.1:1", "nats.invalid:4222"} {
		_, err := bus.Connect(context.Background(), bus.Options{URL: "nats://user:secret@" + host, ConnectTimeout: 200 * time.Millisecond})
		if err == nil {
			t.Fatal("connected to nobody")
		}
		if got := err.Error(); contains(got, "secret") || !contains(got, host) || !contains(got, "within 200ms") {
			t.Errorf("message: %s", got)
		}
	}
}

func contains(s, part string) bool {
	for i := 0; i+len(part) <= len(s); i++ {
		if s[i:i+len(part)] == part {
			return true
		}
	}
	return false
}
