package up

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// TestAnOrgMovesWhileItIsWorkedOn has an org go to another address under the
// running services: within a minute they find it by themselves, though its
// session is good for hours, and nobody's attempt is counted.
func TestAnOrgMovesWhileItIsWorkedOn(t *testing.T) {
	t.Parallel()
	const people = 30
	r := newRig(t)
	defer r.start(t)()
	r.publish(t, 0, people, events.LaneChange)
	r.applied(t, people)
	to := strings.Replace(r.file.Orgs["acme"].Connect.LoginURL, "127.0.0.1", "localhost", 1)
	if err := r.org.Move(emulator.Move{To: to, Old: emulator.LeftRedirect}); err != nil {
		t.Fatal(err)
	}
	moved := time.Now()
	r.publish(t, people, people, events.LaneChange)
	r.applied(t, 2*people)
	if took := time.Since(moved); took > time.Minute {
		t.Errorf("found after %s", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	seen := 0
	err := r.bus.Watch(ctx, events.StreamRoster, events.OutcomesAll, func(e bus.Entry) {
		o, err := events.Decode[events.Outcome](e.Data)
		if err != nil || o.Attempt != 0 || o.Failures != 0 {
			t.Errorf("%s: attempt %d, %d failures, %v", o.Key, o.Attempt, o.Failures, err)
		}
		if seen++; seen == 2*people {
			cancel()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
