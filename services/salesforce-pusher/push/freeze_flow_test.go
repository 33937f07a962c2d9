package push_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// shutsOut is the call that freezes.
func shutsOut(req *http.Request) bool {
	if req.Method != http.MethodPatch || req.GetBody == nil {
		return false
	}
	again, err := req.GetBody()
	if err != nil {
		return false
	}
	read := *req
	read.Body = again
	body, err := plainBody(&read)
	return err == nil && strings.Contains(string(body), "UserLogin")
}

func freezesFirst(s *setup) { s.cfg.FreezeFirst = true }

// TestAFreezeBeforeACrashIsLifted kills a worker at the freeze of a leaver, before
// it or after. The person is back by the time somebody looks again, and may not be
// active and shut out.
func TestAFreezeBeforeACrashIsLifted(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]bool{"before the call": false, "after the call": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			early := r.start()
			r.push(person(1))
			early.stop()

			kill := &killer{at: shutsOut, applied: call, claimed: make(chan struct{}), release: make(chan struct{})}
			dead := r.start(short, freezesFirst, gated(kill.before))
			kill.arm(dead)
			t.Cleanup(sync.OnceFunc(func() { close(kill.release); dead.stop() }))
			r.want(leaver(1))
			<-kill.claimed
			if u := r.user("person0001@example.com"); u.IsFrozen != call || !u.IsActive {
				t.Fatalf("when the worker died the user was frozen: %t, active: %t", u.IsFrozen, u.IsActive)
			}

			d := person(1, func(d *events.Desired) { d.Fields["Title"] = "Back" })
			revisions := r.want(d)
			r.start(short, freezesFirst)
			r.awaitOutcomes(revisions)
			r.idle()
			if u := r.user("person0001@example.com"); u.IsFrozen || !u.IsActive {
				t.Errorf("who is back is frozen: %t, active: %t", u.IsFrozen, u.IsActive)
			}
		})
	}
}
