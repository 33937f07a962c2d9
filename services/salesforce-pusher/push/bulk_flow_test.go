package push_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

const loadSize = 1200

// byBulk loads by the Bulk API as soon as 500 wait.
func byBulk(s *setup) { s.cfg.BulkAbove = 500 }

// plain is a first load of people without assignments: nothing but users.
func plain(n int) []events.Desired {
	people := load(n)
	for i := range people {
		people[i].Assignments = nil
		people[i] = hashed(people[i])
	}
	return people
}

// TestLoadByBulk loads newcomers, somebody whose user is there already, two of
// one username, and some whom Salesforce refuses, by one job.
func TestLoadByBulk(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	people := plain(loadSize)
	for _, i := range []int{3, 777} {
		people[i].Fields["Email"] = "no address"
		people[i] = hashed(people[i])
	}
	people[11].Fields["Username"], people[11].Match.Username = people[10].Match.Username, people[10].Match.Username
	people[11] = hashed(people[11])
	people[12].Fields["FirstName"] = "#N/A" // which clears a field in a job
	people[12] = hashed(people[12])
	r.existing(map[string]any{"Username": people[5].Match.Username, "Title": "Before"})
	revisions := r.want(people...)
	r.start(byBulk)
	r.awaitOutcomes(revisions)
	r.idle()
	for _, i := range []int{3, 777} {
		expectFailed(t, r.outcome(people[i].Key), events.CauseInvalid)
	}
	expect(t, r.outcome(people[5].Key), events.ResultApplied, "adopted", "updated")
	expect(t, r.outcome(people[4].Key), events.ResultApplied, "created")
	if got := r.user(people[12].Match.Username).FirstName; got != "#N/A" {
		t.Errorf("first name %q, want the text", got)
	}
	if one, two := r.outcome(people[10].Key), r.outcome(people[11].Key); (one.Result == events.ResultFailed) == (two.Result == events.ResultFailed) {
		t.Errorf("two people of one username: %+v and %+v, want one of them refused", one, two)
	}
	if n, want := len(r.org.Users()), 1+loadSize-3; n != want {
		t.Errorf("%d users, want %d", n, want)
	}
	n := r.org.Counters()
	t.Logf("%d people: %v", loadSize, n.ByOperation)
	if n.ByOperation["bulk.create"] != 1 || n.APICalls > 20 {
		t.Errorf("%d API calls, want one job and few others: %v", n.APICalls, n.ByOperation)
	}
	if l := r.link(people[4].Key); l.Claim != nil || l.UserID == "" || l.Unsure {
		t.Errorf("link after the load: %+v", l)
	}
}

// TestLeaverOvertakesALoad keeps a job running until a leaver is out.
func TestLeaverOvertakesALoad(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	running, out := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(running) })
	before := func(req *http.Request) error {
		if req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/jobs/ingest/") {
			once()
			<-out
		}
		return nil
	}
	early := r.start()
	expect(t, r.push(person(9000)), events.ResultApplied, "created", "assigned")
	early.stop()
	revisions := r.want(plain(loadSize)...)
	r.start(byBulk, gated(before))
	<-running
	expect(t, r.push(leaver(9000)), events.ResultApplied, "deactivated")
	if u := r.user("person9000@example.com"); u.IsActive {
		t.Error("the leaver is active while the load runs")
	}
	close(out)
	r.awaitOutcomes(revisions)
	r.nobodyFailed()
}

// TestWorkerDiesInTheMiddleOfALoad kills the worker before the job is closed,
// while it runs, and when it is done: somebody else finishes, with one user each.
func TestWorkerDiesInTheMiddleOfALoad(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(*http.Request) bool{
		"before it is closed": func(q *http.Request) bool { return q.Method == http.MethodPatch },
		"while it runs": func(q *http.Request) bool {
			return q.Method == http.MethodGet && !strings.Contains(q.URL.Path, "Results") && strings.Contains(q.URL.Path, "/jobs/ingest/")
		},
		"when it is done": func(q *http.Request) bool { return strings.Contains(q.URL.Path, "successfulResults") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			revisions := r.want(plain(loadSize)...)
			died, release := make(chan struct{}), make(chan struct{})
			var dead *worker
			armed := make(chan struct{})
			once := sync.OnceFunc(func() { <-armed; dead.bus.Close(); close(died) })
			dead = r.start(byBulk, short, func(s *setup) {
				s.transport = gate{base: s.transport, before: func(q *http.Request) error {
					if !at(q) {
						return nil
					}
					once()
					<-release
					return errors.New("killed")
				}}
			})
			close(armed)
			<-died
			r.start(byBulk, short)
			r.awaitOutcomes(revisions)
			r.nobodyFailed()
			if n := len(r.org.Users()); n != loadSize+1 {
				t.Errorf("%d users, want %d", n, loadSize+1)
			}
			close(release)
			dead.stop()
		})
	}
}

// TestAJobThatIsRefusedFailsNobody wants the ordinary calls where Salesforce
// takes no job, or ends it.
func TestAJobThatIsRefusedFailsNobody(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]emulator.Fault{
		"not enabled": {Operation: "bulk.create", Effect: emulator.EffectStatus, Status: 400, Times: 1,
			Body: `[{"errorCode":"FEATURENOTENABLED","message":"Async API not enabled"}]`},
		"upload refused": {Operation: "bulk.upload", Effect: emulator.EffectStatus, Status: 400, Times: 1,
			Body: `[{"errorCode":"INVALIDJOB","message":"too many bytes"}]`},
		"close lost before it was applied": {Operation: "bulk.close", Effect: emulator.EffectDropBefore, Times: 1},
		"close lost after it was applied":  {Operation: "bulk.close", Effect: emulator.EffectDropAfter, Times: 1},
		"a look lost":                      {Operation: "bulk.get", Effect: emulator.EffectUnavailable, Times: 1},
		"results torn":                     {Operation: "bulk.results", Effect: emulator.EffectTorn, Times: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.plan(f)
			revisions := r.want(plain(loadSize)...)
			r.start(byBulk)
			r.awaitOutcomes(revisions)
			r.idle()
			r.nobodyFailed()
			r.struck(id, 1)
			if f.Effect == emulator.EffectStatus {
				r.neverHeld()
			}
			if n := len(r.org.Users()); n != loadSize+1 {
				t.Errorf("%d users, want %d", n, loadSize+1)
			}
		})
	}
}

// TestStoppingDoesNotWaitForAJob gives people back whose job is not done.
func TestStoppingDoesNotWaitForAJob(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	looks := make(chan struct{}, 100)
	r.org.HoldBulkJobs(true)
	revisions := r.want(plain(loadSize)...)
	w := r.start(byBulk, func(s *setup) {
		s.transport = gate{base: s.transport, before: func(q *http.Request) error {
			if q.Method == http.MethodGet && strings.Contains(q.URL.Path, "/jobs/ingest/") {
				looks <- struct{}{}
			}
			return nil
		}}
	})
	<-looks
	began := time.Now()
	w.stop()
	if took := time.Since(began); took > patience/2 {
		t.Errorf("stopping took %s", took)
	}
	if n := len(r.org.Users()); n != 1 {
		t.Errorf("%d users while the job waits for its turn, want the admin only", n)
	}
	r.org.HoldBulkJobs(false)
	r.start(byBulk)
	r.awaitOutcomes(revisions)
	r.nobodyFailed()
	if n := len(r.org.Users()); n != loadSize+1 {
		t.Errorf("%d users, want %d", n, loadSize+1)
	}
}

// TestTenThousandPeople loads as many by batches, and by one job, and then
// publishes the same work again.
func TestTenThousandPeople(t *testing.T) {
	t.Parallel()
	const all = 10_000
	for name, c := range map[string]struct {
		how  func(*setup)
		most int64
	}{
		"by batches": {lingering, 2 * all / 200},
		"by bulk":    {byBulk, 15},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			people := plain(all)
			revisions := r.want(people...)
			r.start(c.how)
			r.awaitOutcomes(revisions)
			r.idle()
			r.nobodyFailed()
			n := r.org.Counters()
			t.Logf("calls: %v", n.ByOperation)
			if n.APICalls > c.most {
				t.Errorf("%d API calls, want at most %d: %v", n.APICalls, c.most, n.ByOperation)
			}
			if got := len(r.org.Users()); got != all+1 {
				t.Errorf("%d users, want %d", got, all+1)
			}
			r.poke(keysOf(people)...)
			r.idle()
			if again := r.org.Counters().APICalls - n.APICalls; again != 0 {
				t.Errorf("publishing the same work again took %d calls", again)
			}
		})
	}
}
