package push_test

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// TestAHoldThatOnlyACheckMetEnds: a check's session is refused, and its successor
// comes when the call is over. No work comes for the org, so its loop knows of no
// trouble.
func TestAHoldThatOnlyACheckMetEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(checking(nil), func(s *setup) { s.cfg.CallTimeout, s.cfg.Check.CallTimeout = 2*time.Second, 2*time.Second })
	r.push(person(1))
	r.idle()
	r.readings(1)
	r.org.ExpireSessions()
	r.held(events.CauseCredentials)
	r.untilRegister("the check to give up", func(c events.Check) bool { return c.Holder != "" && c.Until.Sub(c.At) < time.Second })
	r.token(2)
	r.healed()
	r.readings(1)
}
