package push_test

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// gate is a transport that lets a test act between claim and call.
type gate struct {
	base   http.RoundTripper
	before func(*http.Request) error
}

func (g gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := g.before(r); err != nil {
		return nil, err
	}
	return g.base.RoundTrip(r)
}

func gated(before func(*http.Request) error) func(*setup) {
	return func(s *setup) { s.transport = gate{base: s.transport, before: before} }
}

// overlaps are users whose mutating calls were under way at the same time.
func overlaps(entries []emulator.JournalEntry) []string {
	type call struct{ from, to time.Time }
	seen := map[string][]call{}
	var out []string
	for _, e := range entries {
		c := call{from: e.Time, to: e.Time.Add(time.Duration(e.Micros) * time.Microsecond)}
		for _, who := range e.Touched {
			for _, other := range seen[who] {
				if c.from.Before(other.to) && other.from.Before(c.to) {
					out = append(out, who)
				}
			}
			seen[who] = append(seen[who], c)
		}
	}
	return out
}

func TestTwoReplicasNeverMeetOverOnePerson(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.plan(emulator.Fault{Operation: "collections.create", Effect: emulator.EffectSlow, DelayMillis: 30})
	r.plan(emulator.Fault{Operation: "collections.update", Effect: emulator.EffectSlow, DelayMillis: 30})
	r.start()
	r.start()
	people := crowd(500)
	revisions := r.want(people...)
	r.poke(keysOf(people)...)
	for i := range people {
		people[i] = person(i, func(d *events.Desired) { d.Fields["Title"] = "Manager" })
	}
	r.awaitOutcomes(revisions)
	revisions = r.want(people...)
	r.poke(keysOf(people)...)
	r.awaitOutcomes(revisions)
	r.idle()

	if n := len(r.org.Users()); n != 501 {
		t.Errorf("%d users, want 501", n)
	}
	mutating := r.org.Journal(emulator.JournalFilter{MutatingOnly: true})
	if twice := overlaps(mutating); len(twice) > 0 {
		t.Errorf("overlapping mutating calls for %v", twice[:min(5, len(twice))])
	}
	for _, u := range r.org.Users()[1:] {
		if u.Fields["Title"] != "Manager" || !slices.Equal(u.PermissionSets, []string{"Sales_Base"}) {
			t.Fatalf("user %+v", u)
		}
	}
	r.nobodyFailed()
}

func TestClaimOfADeadWorkerIsTakenOver(t *testing.T) {
	t.Parallel()
	for name, applied := range map[string]bool{"before its call": false, "after its call": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			kill := &killer{at: creates, applied: applied, claimed: make(chan struct{}), release: make(chan struct{})}
			dead := r.start(short, gated(kill.before))
			kill.arm(dead)
			people := crowd(10)
			revisions := r.want(people...)
			<-kill.claimed
			if c := r.link("key0001").Claim; c == nil {
				t.Fatal("no claim before the call")
			}
			r.start(short)
			r.awaitOutcomes(revisions)
			want := []string{"created", "assigned"}
			if applied {
				want = []string{"adopted", "assigned"} // somebody made them, and it may have been us
			}
			for _, p := range people {
				expect(t, r.outcome(p.Key), events.ResultApplied, want...)
			}
			if n := len(r.org.Users()); n != 11 {
				t.Errorf("%d users, want 11", n)
			}
			close(kill.release)
			dead.stop()
		})
	}
}

// killer lets a worker die at one of its calls: nothing more is heard of it.
type killer struct {
	at               func(*http.Request) bool
	applied          bool // the request still goes out
	claimed, release chan struct{}
	mu               sync.Mutex
	victim           *worker
}

func (k *killer) arm(w *worker) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.victim = w
}

func (k *killer) before(req *http.Request) error {
	if !k.at(req) {
		return nil
	}
	k.mu.Lock()
	w := k.victim
	k.victim = nil
	k.mu.Unlock()
	if w == nil {
		return nil
	}
	w.bus.Close()
	if k.applied {
		if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
			_ = resp.Body.Close()
		}
	}
	close(k.claimed)
	<-k.release
	return errors.New("killed")
}

func creates(req *http.Request) bool {
	return req.Method == http.MethodPost && req.URL.Path == "/services/data/v63.0/composite/sobjects"
}

func short(s *setup) { s.cfg.CallTimeout, s.cfg.ClaimTTL = 800*time.Millisecond, time.Second }

func TestSlowBatchRenewsItsClaims(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.plan(emulator.Fault{Effect: emulator.EffectSlow, DelayMillis: 450})
	r.start(short)
	r.start(short)
	revisions := r.want(crowd(20)...)
	r.awaitOutcomes(revisions)
	r.idle()
	r.nobodyFailed()
	if n := r.org.Counters().ByOperation["collections.create"]; n > 4 {
		t.Errorf("%d create calls: the replicas worked against each other", n)
	}
	if twice := overlaps(r.org.Journal(emulator.JournalFilter{MutatingOnly: true})); len(twice) > 0 {
		t.Errorf("overlapping mutating calls for %v", twice)
	}
}

func TestStaleWorkSendsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.start()
	r.push(person(1))
	r.push(leaver(1))
	before := w.APICalls()
	r.poke("key0001", "key0001") // what a retry scheduled long ago publishes
	r.idle()
	if n := w.APICalls() - before; n != 0 {
		t.Errorf("stale work took %d calls", n)
	}
	if u := r.user("person0001@example.com"); u.IsActive {
		t.Error("active after a newer deactivation")
	}
}

func TestLeaverDuringCreateEndsInactive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var once sync.Once
	var later map[events.Key]uint64
	r.start(gated(func(req *http.Request) error {
		if creates(req) {
			once.Do(func() { later = r.want(leaver(1)) })
		}
		return nil
	}))
	r.awaitOutcomes(r.want(person(1)))
	r.awaitOutcomes(later)
	if u := r.user("person0001@example.com"); u.IsActive {
		t.Error("active after a newer deactivation")
	}
}

func TestStopLetsTheCallFinish(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.plan(emulator.Fault{Operation: "collections.create", Effect: emulator.EffectSlow, DelayMillis: 300})
	sending := make(chan struct{})
	var once sync.Once
	w := r.start(gated(func(req *http.Request) error {
		if creates(req) {
			once.Do(func() { close(sending) })
		}
		return nil
	}))
	revisions := r.want(crowd(5)...)
	<-sending
	w.stop()
	r.recorded(revisions) // committed before it stopped
	r.nobodyFailed()
	if l := r.link("key0001"); l.Claim != nil || l.Unsure {
		t.Errorf("link after a stop: %+v", l)
	}
}

func TestRestartedServerLosesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var once sync.Once
	killed := make(chan struct{})
	r.start(short, gated(func(req *http.Request) error {
		if creates(req) {
			once.Do(func() { r.nats.Kill(); close(killed) })
		}
		return nil
	}))
	revisions := r.want(crowd(50)...)
	<-killed
	r.nats.Restart(t)
	r.awaitOutcomes(revisions)
	if n := len(r.org.Users()); n != 51 {
		t.Errorf("%d users, want 51", n)
	}
	for _, u := range r.org.Users()[1:] {
		if !u.IsActive || len(u.PermissionSets) != 1 {
			t.Fatalf("user %+v", u)
		}
	}
}
