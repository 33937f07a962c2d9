package push_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/push"
)

// busyCrowd is more people than the consumer of a lane hands out unacked.
const busyCrowd = 4500

// claimedBy has another worker hold people, until it lets go of them.
func (r *rig) claimedBy(worker string, until time.Time, people []events.Desired) {
	r.t.Helper()
	r.links(people, func(d events.Desired) events.Link {
		return events.Link{Org: orgName, Key: d.Key, Claim: &events.Claim{Worker: worker, Revision: 1, Until: until.UTC()}}
	})
}

// letGo is what that worker writes when it was not needed after all.
func (r *rig) letGo(people []events.Desired) {
	r.t.Helper()
	r.links(people, func(d events.Desired) events.Link { return events.Link{Org: orgName, Key: d.Key} })
}

func (r *rig) links(people []events.Desired, link func(events.Desired) events.Link) {
	r.t.Helper()
	groups := make([]bus.Group, len(people))
	for i, d := range people {
		groups[i] = bus.Group{{Subject: events.LinkSubject(orgName, d.Key), Data: encode(r.t, link(d))}}
	}
	if _, err := r.bus.Commit(r.t.Context(), events.StreamRoster, groups); err != nil {
		r.t.Fatal(err)
	}
}

// TestBusyPeopleHoldUpNobodyElse has another worker hold more people than a lane
// hands out unacked. Somebody else's change, and a leaver, are done meanwhile;
// those who were held are done once they are not.
func TestBusyPeopleHoldUpNobodyElse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	people := crowd(busyCrowd)
	for i := range people {
		people[i].Assignments = nil
		people[i] = hashed(people[i])
	}
	gone := person(9001)
	early := r.start()
	r.push(gone)
	early.stop()
	r.claimedBy("another", time.Now().Add(time.Hour), people)
	held := r.want(people...)
	began := time.Now()
	r.start()
	free := r.want(person(9000), leaver(9001))
	r.awaitOutcomes(free)
	t.Logf("done after %s beside %d busy people", time.Since(began).Round(time.Millisecond), busyCrowd)
	expect(t, r.outcome("key9000"), events.ResultApplied, "created", "assigned")
	expect(t, r.outcome("key9001"), events.ResultApplied, "deactivated")
	r.letGo(people)
	r.awaitOutcomes(held)
	r.nobodyFailed()
}

// TestALoadHoldsUpNobodyElse changes everybody of a load while its job runs: more
// people than the lane of changes hands out unacked.
func TestALoadHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	running, out := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(running) })
	people := plain(busyCrowd)
	early := r.start()
	r.push(person(9001))
	early.stop()
	r.want(people...)
	r.start(byBulk, gated(func(req *http.Request) error {
		if req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/jobs/ingest/") {
			once()
			<-out
		}
		return nil
	}))
	release := sync.OnceFunc(func() { close(out) })
	t.Cleanup(release)
	<-running
	for i := range people {
		people[i].Fields["Title"], people[i].Lane = "Manager", events.LaneChange
		people[i] = hashed(people[i])
	}
	loaded := r.want(people...)
	began := time.Now()
	r.awaitOutcomes(r.want(person(9000), leaver(9001)))
	t.Logf("done after %s beside %d changes of people in a load", time.Since(began).Round(time.Millisecond), busyCrowd)
	release()
	r.awaitOutcomes(loaded)
	r.nobodyFailed()
	if u := r.user(people[7].Match.Username); u.Fields["Title"] != "Manager" {
		t.Errorf("title %v after the load", u.Fields["Title"])
	}
}

// TestAJobThatWaitsHoldsUpItsOwnOnly: the job of a dead worker cannot be aborted,
// and may make a user for one person of a batch at any time. The others go on.
func TestAJobThatWaitsHoldsUpItsOwnOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const job = "750000000000001AAA"
	over := make(chan struct{})
	var looks, looksBefore atomic.Int32
	looksBefore.Store(-1)
	r.links([]events.Desired{person(1)}, func(d events.Desired) events.Link {
		return events.Link{Org: orgName, Key: d.Key, Job: job, Unsure: true}
	})
	r.start(func(s *setup) {
		s.transport = answering{base: s.transport, answer: func(req *http.Request) string {
			if creates(req) {
				looksBefore.CompareAndSwap(-1, looks.Load())
			}
			if !strings.HasSuffix(req.URL.Path, "/jobs/ingest/"+job) {
				return ""
			}
			if req.Method == http.MethodGet {
				looks.Add(1)
			}
			state := "InProgress"
			select {
			case <-over:
				state = "JobComplete"
			default:
			}
			return `{"id":"` + job + `","object":"User","operation":"insert","state":"` + state + `"}`
		}}
	})
	waits := r.want(person(1), person(2), person(3))
	delete(waits, "key0001")
	r.awaitOutcomes(waits)
	if n := looksBefore.Load(); n > 1 {
		t.Errorf("the others waited for %d looks at the job", n)
	}
	r.mu.Lock()
	if o, ok := r.outcomes["key0001"]; ok {
		t.Errorf("%+v while the job may still make a user", o)
	}
	r.mu.Unlock()
	close(over)
	r.until("the one of the job", func() bool { return r.outcomes["key0001"].Result == events.ResultApplied })
	r.nobodyFailed()
}

// TestWhoIsBusyIsScheduledBeforeTheAck kills a worker right before it schedules
// the next look at somebody busy, and right after: they are looked at either way.
func TestWhoIsBusyIsScheduledBeforeTheAck(t *testing.T) {
	t.Parallel()
	for name, stored := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			d := person(1)
			r.claimedBy("another", time.Now().Add(time.Hour), []events.Desired{d})
			died := make(chan struct{})
			once := sync.OnceFunc(func() { close(died) })
			dead := r.start(func(s *setup) {
				s.roster = func(base push.Roster) push.Roster { return dyingAtTurn{Roster: base, stored: stored, die: once} }
			})
			r.want(d)
			<-died
			dead.bus.Close()
			dead.stop()
			r.letGo([]events.Desired{d})
			r.start()
			r.until("the person", func() bool { return r.outcomes[d.Key].Result == events.ResultApplied })
		})
	}
}

// dyingAtTurn is the roster of a worker that dies when it schedules somebody busy.
type dyingAtTurn struct {
	push.Roster
	stored bool
	die    func()
}

func (d dyingAtTurn) Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error) {
	for _, g := range groups {
		for _, w := range g {
			if !strings.HasPrefix(w.Subject, "rollcall.turn.") {
				continue
			}
			if d.stored {
				if _, err := d.Roster.Commit(ctx, stream, groups); err != nil {
					return nil, err
				}
			}
			d.die()
			<-ctx.Done() // nothing is heard of it any more
			return nil, ctx.Err()
		}
	}
	return d.Roster.Commit(ctx, stream, groups)
}

// answering says something to some requests in the org's place.
type answering struct {
	base   http.RoundTripper
	answer func(*http.Request) string
}

func (a answering) RoundTrip(req *http.Request) (*http.Response, error) {
	body := a.answer(req)
	if body == "" {
		return a.base.RoundTrip(req)
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, body)
	return w.Result(), nil
}
