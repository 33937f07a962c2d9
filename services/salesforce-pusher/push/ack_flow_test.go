package push_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/push"
)

// breaking is a roster whose nth commit fails, once: before it was stored, or
// after it. It notes who is looked at again since.
type breaking struct {
	push.Roster
	mu     sync.Mutex
	left   int
	stored bool
	broke  bool
	step   []events.Key // who was read last
	open   map[events.Key]bool
}

func (b *breaking) wrap(r push.Roster) push.Roster { b.Roster = r; return b }

func (b *breaking) Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error) {
	if !b.breaks() {
		return b.Roster.Commit(ctx, stream, groups)
	}
	if b.stored {
		if _, err := b.Roster.Commit(ctx, stream, groups); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("no answer")
}

func (b *breaking) breaks() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left--
	if b.left != 0 {
		return false
	}
	b.broke, b.open = true, map[events.Key]bool{}
	for _, k := range b.step {
		b.open[k] = true
	}
	return true
}

func (b *breaking) LatestAsOf(ctx context.Context, stream string, subjects []string, subject string, seq uint64) (map[string]bus.Entry, error) {
	b.mu.Lock()
	b.step = nil
	for _, s := range subjects {
		if a, err := events.ParseSubject(s); err == nil {
			b.step = append(b.step, a.Key)
			delete(b.open, a.Key)
		}
	}
	b.mu.Unlock()
	return b.Roster.LatestAsOf(ctx, stream, subjects, subject, seq)
}

// waited is how many people of the step that broke nobody has looked at again.
func (b *breaking) waited() (people int, over bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.open), b.broke && len(b.open) == 0
}

// comeAgain waits until everybody whose commit failed is looked at again, which
// nobody is whose message was acked. How many are not acked says nothing on the
// way: a message that replaces an unacked one is counted a moment after that one
// is gone.
func (r *rig) comeAgain(b *breaking) {
	r.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	last := 0
	for {
		people, over := b.waited()
		if over {
			return
		}
		if people != last { // it gets on
			deadline.Reset(patience)
		}
		last = people
		select {
		case <-tick.C:
		case <-deadline.C:
			r.t.Fatalf("%d people whose commit failed were not looked at again; %d messages are not acked", people, r.left())
		}
	}
}

// TestNothingIsAckedWhoseCommitFailed breaks each commit of a step: the claim,
// what is about to be given, and the end.
func TestNothingIsAckedWhoseCommitFailed(t *testing.T) {
	t.Parallel()
	for n, commit := range []string{"claim", "intent", "end"} {
		for _, stored := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stored %v", commit, stored), func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				early := r.start()
				r.push(person(0))
				early.stop()
				people := crowd(5) // the first of whom only needs a newer revision noted
				people[4].Problem = &events.Failure{Cause: events.CauseMapping, Message: "no such key"}
				revisions := r.want(people...)
				b := &breaking{left: n + 1, stored: stored}
				r.start(func(s *setup) { s.roster = b.wrap })
				r.comeAgain(b)
				r.awaitOutcomes(revisions)
				r.idle()
				for _, p := range people[:4] {
					r.asWanted(p, "Sales_Base")
				}
				expectFailed(t, r.outcome(people[4].Key), events.CauseMapping)
				if n := len(r.org.Users()); n != 5 {
					t.Errorf("%d users, want 5", n)
				}
			})
		}
	}
}

// asWanted fails the test unless the person ended applied, with these permission
// sets, and nothing left in doubt.
func (r *rig) asWanted(d events.Desired, sets ...string) {
	r.t.Helper()
	o, l, u := r.outcome(d.Key), r.link(d.Key), r.user(d.Match.Username)
	if o.Result != events.ResultApplied || l.UserID != u.ID || l.Claim != nil || l.Unsure {
		r.t.Errorf("%s: outcome %s %+v, link %+v", d.Key, o.Result, o.Failure, l)
	}
	if !u.IsActive || !slices.Equal(u.PermissionSets, sets) || len(l.Assigned) != len(sets) {
		r.t.Errorf("%s: user has %v (link %v), want %v", d.Key, u.PermissionSets, slices.Collect(maps.Keys(l.Assigned)), sets)
	}
}
