package push_test

import (
	"context"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/push"
)

// elsewhen is a server whose clock is off from the pusher's, as if the pusher's were
// off from everybody's.
type elsewhen struct {
	push.Roster
	ahead time.Duration
}

func (e elsewhen) Now(ctx context.Context) (time.Time, error) {
	now, err := e.Roster.Now(ctx)
	return now.Add(e.ahead), err
}

func (e elsewhen) shifted(in map[string]bus.Entry, err error) (map[string]bus.Entry, error) {
	for subject, entry := range in {
		entry.Time = entry.Time.Add(e.ahead)
		in[subject] = entry
	}
	return in, err
}

func (e elsewhen) Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error) {
	return e.shifted(e.Roster.Latest(ctx, stream, subjects))
}

func (e elsewhen) LatestAsOf(ctx context.Context, stream string, subjects []string, subject string, seq uint64) (map[string]bus.Entry, error) {
	return e.shifted(e.Roster.LatestAsOf(ctx, stream, subjects, subject, seq))
}

func (e elsewhen) Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error) {
	for _, g := range groups {
		for i, w := range g {
			if w.Schedule != nil {
				g[i].Schedule = &bus.Schedule{At: w.Schedule.At.Add(-e.ahead), Target: w.Schedule.Target}
			}
		}
	}
	return e.Roster.Commit(ctx, stream, groups)
}

// willLook says whether a look at somebody is scheduled.
func (r *rig) willLook(k events.Key) bool {
	r.t.Helper()
	subject := events.LookSubject(orgName, k)
	got, err := r.bus.Latest(r.t.Context(), events.StreamRoster, []string{subject})
	if err != nil {
		r.t.Fatal(err)
	}
	_, ok := got[subject].Scheduled()
	return ok
}

// lookedAtSoon waits until nothing is unsure any more of somebody, for a few looks.
func (r *rig) lookedAtSoon(k events.Key) {
	r.t.Helper()
	for range 5 {
		r.mu.Lock()
		was := r.seqs[k]
		r.mu.Unlock()
		if r.link(k).UnsureUntil.IsZero() {
			return
		}
		r.until("the look", func() bool { return r.seqs[k] > was })
	}
	r.t.Fatalf("looked at again and again, and still unsure: %+v", r.link(k))
}

// TestAClockThatIsHoursOff has a pusher whose clock is six hours behind or ahead of
// the server's: it respects a claim of another worker's, claims for as long as others
// do, and looks again at a call without an answer when it is time.
func TestAClockThatIsHoursOff(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{"behind": 6 * time.Hour, "ahead": -6 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			held := person(1)
			r.claimedBy("another", time.Now().Add(ahead+10*time.Minute), []events.Desired{held})
			r.start(soonLate, func(s *setup) {
				s.roster = func(base push.Roster) push.Roster { return elsewhen{base, ahead} }
			})
			fault := r.late("collections.create", "User")
			r.want(held)
			o := r.push(person(2))
			if o.Result != events.ResultFailed && o.Result != events.ResultApplied {
				t.Errorf("outcome %+v", o)
			}
			r.struck(fault, 1)
			until := r.link("key0002").UnsureUntil
			left := time.Until(until.Add(-ahead))
			if left.Abs() > time.Hour || left > 18*time.Second { // a claim, and as long as a call may be late
				t.Fatalf("unsure for %s", left)
			}
			if !r.willLook("key0002") && time.Until(until.Add(-ahead)) > 0 {
				t.Fatal("nobody will look what became of the call")
			}
			others := func() {
				t.Helper()
				if l := r.link(held.Key); l.Claim == nil || l.Claim.Worker != "another" {
					t.Fatalf("the claim of another worker became %+v", l.Claim)
				}
			}
			others()
			r.lookedAtSoon("key0002")
			others()
			r.letGo([]events.Desired{held})
			r.until("the other", func() bool { return r.outcomes[held.Key].Result == events.ResultApplied })
		})
	}
}

// TestAClaimOfAnOlderVersionsClock: versions before this one wrote the time of their
// own clock. Six hours ahead, it holds nobody for six hours.
func TestAClaimOfAnOlderVersionsClock(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := person(1)
	r.claimedBy("another", time.Now().Add(6*time.Hour), []events.Desired{d})
	// An hour is longer than any claim: by the server's clock it is over.
	r.start(func(s *setup) {
		s.roster = func(base push.Roster) push.Roster { return later{base, 61 * time.Minute} }
	})
	expect(t, r.push(d), events.ResultApplied, "created", "assigned")
}

// later is a server that is asked some time after everything was written.
type later struct {
	push.Roster
	by time.Duration
}

func (l later) Now(ctx context.Context) (time.Time, error) {
	now, err := l.Roster.Now(ctx)
	return now.Add(l.by), err
}
