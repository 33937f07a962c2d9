package plan

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// TestImplausibleTimes are those that a clock wrote which was hours off: what they
// say counts from when they were written, which the server says.
func TestImplausibleTimes(t *testing.T) {
	t.Parallel()
	written := time.Now()
	o := &Policy{ClaimTTL: 30 * time.Second, ClaimMost: time.Hour, LateFor: 10 * time.Minute}
	for name, c := range map[string]struct {
		until time.Duration // of the claim, after it was written
		busy  time.Duration // how long it holds
	}{
		"by a right clock": {30 * time.Second, 30 * time.Second},
		"of a load":        {15 * time.Minute, 15 * time.Minute},
		"six hours ahead":  {6*time.Hour + 30*time.Second, time.Hour},
		"six hours behind": {-6*time.Hour + 30*time.Second, 30 * time.Second},
	} {
		busy := func(after time.Duration) bool {
			p := New(State{Revision: 1, LinkedAt: written, Link: events.Link{Claim: &events.Claim{Worker: "another", Until: written.Add(c.until)}}})
			p.Triage("us", written.Add(after), 0, o)
			return p.Fate() == Busy
		}
		if !busy(c.busy-time.Second) || busy(c.busy+time.Second) {
			t.Errorf("%s: busy a second before %s: %v, and after: %v", name, c.busy, busy(c.busy-time.Second), busy(c.busy+time.Second))
		}
	}
	p := New(State{Revision: 1, LinkedAt: written, Link: events.Link{Unsure: true, UnsureUntil: written.Add(6 * time.Hour)}})
	p.Triage("us", written, 0, o)
	if got := p.Link.UnsureUntil.Sub(written); got != 70*time.Minute {
		t.Errorf("unsure for %s", got)
	}
}
