package push_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/push"
)

// pause writes the table as retry-scheduler does, and waits until the workers
// have heard.
func (r *rig) pause(scopes []events.Scope, workers ...*worker) {
	r.t.Helper()
	table := events.Pauses{At: time.Now()}
	for _, s := range scopes {
		table.Add(events.Pause{Scope: s, By: "grete", Reason: "release", Since: table.At, Request: "r1"})
	}
	r.table(encode(r.t, table))
	for _, w := range workers {
		for _, lane := range events.Lanes() {
			r.tick("a worker hears of the pauses", func() bool { return push.Paused(w.Service, orgName, lane) == table.Org(orgName, lane) })
		}
	}
}

func (r *rig) table(data []byte) {
	r.t.Helper()
	if _, err := r.bus.Commit(r.t.Context(), events.StreamRoster, []bus.Group{{{Subject: events.PausesSubject(), Data: data}}}); err != nil {
		r.t.Fatal(err)
	}
}

// tick looks again and again: for what nobody announces.
func (r *rig) tick(what string, is func() bool) {
	r.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline.C:
			r.t.Fatalf("it never came to pass that %s", what)
		}
	}
}

// inHand waits until workers have messages of a lane at hand, and so would work
// on them at once.
func (r *rig) inHand(lane events.Lane) {
	r.t.Helper()
	r.tick("messages of the lane are at hand", func() bool {
		c, err := r.bus.Consumer(r.t.Context(), events.StreamRoster, events.WorkConsumer(orgName, lane))
		return err == nil && c.AckPending > 0
	})
}

// untouched are how many of these people have no outcome.
func (r *rig) untouched(revisions map[events.Key]uint64) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for k := range revisions {
		if _, ok := r.outcomes[k]; !ok {
			n++
		}
	}
	return n
}

// A lane is paused on every replica, a later one too; the other lanes go on.
func TestAPausedLaneIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.start(), r.start()
	expect(t, r.push(person(9000)), events.ResultApplied, "created", "assigned")
	r.pause([]events.Scope{{Org: orgName, Lane: events.LaneChange}, {Org: "other"}}, one, two)
	revisions := r.want(crowd(300)...)
	r.inHand(events.LaneChange)
	// Each outcome of a leaver means that somebody has looked for work anew.
	r.push(leaver(9000))
	for range 4 {
		r.push(leaver(9000))
	}
	if n := r.untouched(revisions); n != 300 {
		t.Errorf("%d people of the paused lane were worked on", 300-n)
	}
	one.stop()
	three := r.start() // has heard of nothing
	r.push(leaver(9000))
	two.stop()
	r.push(leaver(9000))
	if n := r.untouched(revisions); n != 300 || len(r.org.Users()) != 2 {
		t.Errorf("%d people were worked on by a replica that started later", 300-n)
	}
	r.pause(nil, three)
	r.awaitOutcomes(revisions)
	r.idle()
	r.nobodyFailed()
}

// An org that is paused is not asked for anything, over a kill -9 of NATS, and by
// a replica that starts while it is.
func TestAPausedOrgIsNotCalled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.pause([]events.Scope{{Org: orgName}})
	revisions := r.want(append(crowd(20), load(30)[20:]...)...)
	first := r.start()
	r.tick("it would fetch", func() bool { return first.Ready() == nil })
	r.inHand(events.LaneChange)
	r.inHand(events.LaneBackfill)
	first.stop() // hands back what it had
	r.nats.Crash(t)
	r.nats.Restart(t)
	r.tick("the server is back", func() bool { return r.bus.Ready() == nil })
	second := r.start()
	r.tick("it would fetch", func() bool { return second.Ready() == nil })
	r.inHand(events.LaneChange)
	r.inHand(events.LaneBackfill)
	if n := first.APICalls() + second.APICalls(); n != 0 || r.untouched(revisions) != 30 {
		t.Errorf("%d calls, %d of 30 people untouched", n, r.untouched(revisions))
	}
	began := time.Now()
	r.pause(nil, second)
	t.Logf("heard of after %s", time.Since(began))
	r.awaitOutcomes(revisions)
	r.idle()
	r.nobodyFailed()
}

// What is under way is finished and committed; nothing begins after it.
func TestAPauseLetsCallsFinish(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	under, goOn := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(under); <-goOn })
	w := r.start(gated(func(req *http.Request) error {
		if req.Method == http.MethodPost {
			once()
		}
		return nil
	}))
	first := r.want(person(1))
	<-under
	rest := r.want(crowd(50)[2:]...)
	r.pause([]events.Scope{{Org: orgName}}, w)
	close(goOn)
	r.awaitOutcomes(first)
	expect(t, r.outcome(person(1).Key), events.ResultApplied, "created", "assigned")
	r.inHand(events.LaneChange)
	if l := r.link(person(1).Key); l.Claim != nil || l.UserID == "" || r.untouched(rest) != 48 {
		t.Errorf("link %+v, %d of 48 untouched", l, r.untouched(rest))
	}
	r.pause(nil, w)
	r.awaitOutcomes(rest)
	r.nobodyFailed()
}

// A load that has been gathered is not begun while its lane is paused, and one
// that runs ends between two parts.
func TestAPausedLoadWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	asked, goOn := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(asked); <-goOn })
	people := plain(loadSize)
	revisions := r.want(people...)
	w := r.start(byBulk, gated(func(req *http.Request) error {
		if req.Method == http.MethodPost {
			once()
		}
		return nil
	}))
	<-asked // the load has begun: it asks for names
	r.pause([]events.Scope{{Org: orgName, Lane: events.LaneBackfill}}, w)
	close(goOn)
	r.tick("the load has ended", func() bool {
		return r.link(people[0].Key).Claim == nil && r.link(people[loadSize-1].Key).Claim == nil
	})
	if n := loadSize - r.untouched(revisions); n > 200 || r.org.Counters().ByOperation["bulk.create"] > 0 {
		t.Fatalf("%d people were worked on after the lane was paused", n)
	}
	expect(t, r.push(person(9000)), events.ResultApplied, "created", "assigned") // of another lane
	r.pause(nil, w)
	r.awaitOutcomes(revisions)
	r.nobodyFailed()
}

// What a newer version wrote may pause anything.
func TestWhatIsPausedHasToBeUnderstood(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.table([]byte(`{"v":99}`))
	w := r.start()
	revisions := r.want(crowd(3)...)
	r.inHand(events.LaneChange)
	if !push.Paused(w.Service, orgName, events.LaneLeaver) || r.untouched(revisions) != 3 {
		t.Error("it is worked on though nobody can say whether it is paused")
	}
	r.pause(nil, w)
	r.awaitOutcomes(revisions)
}

// People who were gathered for a load are not loaded while their lane is paused.
func TestALoadDoesNotBeginWhilePaused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	revisions := r.want(plain(loadSize)...)
	gathered := make(chan struct{})
	once := sync.OnceFunc(func() { close(gathered) })
	w := r.start(byBulk, func(s *setup) {
		s.roster = func(below push.Roster) push.Roster { return gathering{below, once} }
	})
	<-gathered // it has seen that there are many: no call was made yet
	r.pause([]events.Scope{{Org: orgName, Lane: events.LaneBackfill}}, w)
	for i := range 3 {
		r.push(person(9000, func(d *events.Desired) { d.Fields["Title"] = fmt.Sprint("Clerk ", i) }))
	}
	if n := loadSize - r.untouched(revisions); n != 0 {
		t.Fatalf("%d people were loaded", n)
	}
	r.pause(nil, w)
	r.awaitOutcomes(revisions)
	r.nobodyFailed()
}

// gathering says when a pusher looks whether there are enough for a load.
type gathering struct {
	push.Roster
	looked func()
}

func (g gathering) Consumer(ctx context.Context, stream, name string) (bus.ConsumerStatus, error) {
	defer g.looked()
	return g.Roster.Consumer(ctx, stream, name)
}

// Whoever pauses the lane of checks, or the org, means reading it as well.
func TestAPausedOrgIsNotRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	early := r.start(checking(nil))
	r.push(person(1))
	r.readings(1)
	early.stop()
	r.pause([]events.Scope{{Org: orgName, Lane: events.LaneCheck}})
	read := func() uint64 {
		have, err := r.bus.Latest(t.Context(), events.StreamRoster, []string{events.CheckSubject(orgName)})
		if err != nil {
			t.Fatal(err)
		}
		return have[events.CheckSubject(orgName)].Seq
	}
	before := read()
	r.start(checking(nil))
	for i := range 8 { // other lanes go on meanwhile
		r.push(person(2 + i))
	}
	if now := read(); now != before {
		t.Errorf("the org was read: the register is at %d and was at %d", now, before)
	}
}
