package push_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// gives is the call that makes assignments.
func gives(req *http.Request) bool {
	if !creates(req) {
		return false
	}
	again, err := req.GetBody()
	if err != nil {
		return false
	}
	read := *req
	read.Body = again
	body, err := plainBody(&read)
	return err == nil && strings.Contains(string(body), "PermissionSetAssignment")
}

// TestWhatWasGivenBeforeACrashIsTakenAway kills a worker between its intent to
// give a permission set and the end of its step: before the call that gives it,
// or after it. Desired does not want the set any more by the time somebody looks
// again, and whoever looks has never heard of it.
func TestWhatWasGivenBeforeACrashIsTakenAway(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		new  bool // the user is made in the same step
		call bool // the call goes out
	}{
		"new user, before the call":      {new: true},
		"new user, after the call":       {new: true, call: true},
		"existing user, before the call": {},
		"existing user, after the call":  {call: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			wants := func(names ...string) events.Desired {
				return person(1, func(d *events.Desired) { d.Assignments = sets(names...) })
			}
			if !c.new {
				early := r.start()
				r.push(wants())
				early.stop()
			}
			r.diesAt(gives, c.call, wants("HR_Data"))
			given := len(r.user("person0001@example.com").PermissionSets)
			if (given == 1) != c.call {
				t.Fatalf("%d permission sets when the worker died, call made: %v", given, c.call)
			}
			d := wants("Sales_Base")
			revisions := r.want(d)
			r.start(short)
			r.awaitOutcomes(revisions)
			r.idle()
			r.asWanted(d, "Sales_Base")
			if n := len(r.org.Users()); n != 2 {
				t.Errorf("%d users, want 2", n)
			}
		})
	}
}

// TestWhatWasIntendedBeforeACrashIsGiven: the call that the worker announced was
// never made, and the set is wanted still.
func TestWhatWasIntendedBeforeACrashIsGiven(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := person(1)
	r.diesAt(gives, false, d)
	r.start(short)
	r.poke(d.Key)
	r.until("an outcome", func() bool { return r.outcomes[d.Key].Result == events.ResultApplied })
	r.idle()
	r.asWanted(d, "Sales_Base")
}

// diesAt has a worker begin on somebody and die at one of its calls, which goes
// out all the same or not. Nothing is heard of it any more: neither Salesforce
// nor NATS can be reached.
func (r *rig) diesAt(at func(*http.Request) bool, call bool, d events.Desired) {
	r.t.Helper()
	kill := &killer{at: at, applied: call, claimed: make(chan struct{}), release: make(chan struct{})}
	dead := r.start(short, gated(kill.before))
	kill.arm(dead)
	r.t.Cleanup(sync.OnceFunc(func() { close(kill.release); dead.stop() }))
	r.want(d)
	<-kill.claimed
}
