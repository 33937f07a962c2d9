package health

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// TestAProbeThatIsHoursAway was written by a clock that is six hours ahead: it is
// made within the longest time for which any held org is left alone.
func TestAProbeThatIsHoursAway(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	h := r.replica("a")
	h.looked.Store(true) // a worker that has just started probes anyway
	gone := trouble(events.CauseUnavailable, "")
	gone.Code = salesforce.CodeNoAnswer
	r.write(events.Health{State: events.HealthHeld, Failure: gone, TokenGeneration: 1, NextProbe: time.Now().Add(100 * time.Hour)})
	read, _, err := h.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if wait := time.Until(read.NextProbe); wait > h.longest() {
		t.Errorf("the next probe is %s away", wait)
	}
}
