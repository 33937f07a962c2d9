package health

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// TestAProbeOfASilentHostEndsWithANewerToken: the org moved, and its old host
// accepts calls and says nothing. The probe that waits there is given up as soon as
// a token names the new place.
func TestAProbeOfASilentHostEndsWithANewerToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.callTimeout = time.Hour
	h := r.replica("a")
	there := httptest.NewServer(r.emu)
	t.Cleanup(there.Close)
	if err := r.org.Move(emulator.Move{To: there.URL, Old: emulator.LeftSilent}); err != nil {
		t.Fatal(err)
	}
	unreached := trouble(events.CauseUnavailable, "")
	unreached.Code = salesforce.CodeNoAnswer
	r.write(events.Health{State: events.HealthHeld, Failure: unreached, Since: time.Now(), TokenGeneration: 1})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	end := make(chan error, 1)
	go func() { end <- h.Heal(ctx, h.client) }()
	r.awaits("the probe of the old host", func(h events.Health) bool { return h.Prober == "a" })
	r.url = there.URL
	r.token(2)
	if err := <-end; err != nil {
		t.Fatalf("not healed within a minute: %v", err)
	}
}
