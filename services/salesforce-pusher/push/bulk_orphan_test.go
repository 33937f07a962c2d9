package push_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// looksAtJob says whether a request asks how a job is.
func looksAtJob(q *http.Request) bool {
	return q.Method == http.MethodGet && strings.Contains(q.URL.Path, "/jobs/ingest/") && !strings.Contains(q.URL.Path, "Results") &&
		!strings.Contains(q.URL.Path, "unprocessed")
}

// diesWaiting starts a worker that is killed while its job waits for its turn.
// The returned function ends what is left of it.
func (r *rig) diesWaiting() (end func()) {
	r.t.Helper()
	died, release, armed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var dead *worker
	once := sync.OnceFunc(func() { <-armed; dead.bus.Close(); close(died) })
	dead = r.start(byBulk, short, func(s *setup) {
		s.transport = gate{base: s.transport, before: func(q *http.Request) error {
			if !looksAtJob(q) {
				return nil
			}
			once()
			<-release
			return errors.New("killed")
		}}
	})
	close(armed)
	<-died
	return func() { close(release); dead.stop() }
}

// TestLeaverOfADeadLoadStaysOut kills a worker whose job waits its turn at
// Salesforce. Somebody in it leaves before it runs: nobody has a user to
// deactivate yet, and the job must not make one afterwards.
func TestLeaverOfADeadLoadStaysOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.org.HoldBulkJobs(true)
	revisions := r.want(plain(loadSize)...)
	end := r.diesWaiting()
	r.start(byBulk, short)
	gone := leaver(7)
	revisions[gone.Key] = r.want(gone)[gone.Key]
	r.awaitOutcomes(revisions)
	r.org.HoldBulkJobs(false) // what still waits is done now
	if u, made := r.org.UserByUsername("person0007@example.com"); made && u.IsActive {
		t.Error("the leaver has an active user")
	}
	r.nobodyFailed()
	if n := len(r.org.Users()); n != loadSize {
		t.Errorf("%d users, want all but the leaver's: %d", n, loadSize)
	}
	end()
}

// TestJobThatCannotBeReadIsStopped gives up on a job whose state is not to be
// had, while it waits its turn: nobody in it is looked up before it is over.
func TestJobThatCannotBeReadIsStopped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.org.HoldBulkJobs(true)
	id := r.plan(emulator.Fault{Operation: "bulk.get", Effect: emulator.EffectStatus, Status: 500, Body: "<html>", Times: 7})
	revisions := r.want(plain(loadSize)...)
	r.start(byBulk)
	r.awaitOutcomes(revisions)
	r.struck(id, 7)
	before := len(r.org.Users())
	r.org.HoldBulkJobs(false)
	if n := len(r.org.Users()); n != loadSize+1 || before != n {
		t.Errorf("%d users, and %d when the jobs that waited were done; want %d", before, n, loadSize+1)
	}
	for _, d := range []events.Key{"key0000", "key1199"} {
		if l := r.link(d); l.Job != "" || l.Unsure || l.UserID == "" {
			t.Errorf("%s has link %+v", d, l)
		}
	}
	r.nobodyFailed()
}

// TestAnOrgHeldByALoadIsProbed meets the daily limit in a load and nowhere else:
// the org is left alone, tried again, and worked on when it answers.
func TestAnOrgHeldByALoadIsProbed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.plan(emulator.Fault{Operation: "bulk.create", Effect: emulator.EffectDailyLimit, Times: 1})
	revisions := r.want(plain(loadSize)...)
	r.start(byBulk)
	r.held(events.CauseThrottled)
	r.until("health", func() bool { return r.health.State == events.HealthOK })
	r.struck(id, 1)
	r.awaitOutcomes(revisions)
	r.nobodyFailed()
	if n := r.org.Counters().ByOperation["limits"]; n == 0 {
		t.Error("nobody asked whether the org is back")
	}
}
