package health

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// renew asks for the successor of a session, and returns once that is reported.
func (r *rig) renew(ctx context.Context, h replica, refused uint64) chan error {
	r.Helper()
	end := make(chan error, 1)
	go func() {
		_, err := h.Sessions().Renew(ctx, salesforce.Session{Generation: refused})
		end <- err
	}()
	return end
}

// awaits waits until the health says what it should.
func (r *rig) awaits(what string, ok func(events.Health) bool) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	defer cancel()
	said := false
	err := r.bus.Follow(ctx, events.StreamRoster, []string{events.HealthSubject(acme)}, func(e bus.Entry) {
		if h, err := events.Decode[events.Health](e.Data); err == nil && ok(h) {
			said = true
			cancel()
		}
	})
	if !said {
		r.Fatalf("waited in vain for %s: %v", what, err)
	}
}

// TestARefusedSessionIsReportedAndTakenBack: token-refresher hears of it by the
// org's health, and the org is well again with its successor.
func TestARefusedSessionIsReportedAndTakenBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	h := r.replica("a")
	end := r.renew(t.Context(), h, 1)
	r.awaits("the report", func(h events.Health) bool {
		return h.State == events.HealthHeld && h.Failure.Cause == events.CauseCredentials && h.TokenGeneration == 1
	})
	r.token(2)
	if err := <-end; err != nil {
		t.Fatal(err)
	}
	if got, _ := r.now(); got.State != events.HealthOK {
		t.Errorf("health %+v", got)
	}
	_, seq := r.now()
	if err := <-r.renew(t.Context(), h, 1); err != nil {
		t.Fatal(err)
	}
	if _, again := r.now(); again != seq {
		t.Error("a session was reported that has a successor already")
	}
}

// TestAnotherTroubleIsNotTakenBack by a new session.
func TestAnotherTroubleIsNotTakenBack(t *testing.T) {
	t.Parallel()
	for name, held := range map[string]events.Health{
		"the daily limit":         {State: events.HealthHeld, Failure: trouble(events.CauseThrottled, ""), TokenGeneration: 1},
		"a newer session refused": {State: events.HealthHeld, Failure: trouble(events.CauseCredentials, ""), TokenGeneration: 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			h := r.replica("a")
			r.token(2)
			h.until(t, 2)
			r.write(held)
			if err := <-r.renew(t.Context(), h, 1); err != nil {
				t.Fatal(err)
			}
			if got, _ := r.now(); got.State != events.HealthHeld {
				t.Errorf("health %+v", got)
			}
		})
	}
}

// TestASessionThatComesTooLateIsNotUsed: a call that is sent again with hardly
// any time left could take effect after it was read back.
func TestASessionThatComesTooLateIsNotUsed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	h := r.replica("a")
	r.token(2)
	h.until(t, 2)
	short, cancel := context.WithTimeout(t.Context(), h.cfg.CallTimeout/2)
	defer cancel()
	if err := <-r.renew(short, h, 1); !errors.Is(err, errTooLate) {
		t.Errorf("%v, with less than half of a call's time left", err)
	}
	long, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := <-r.renew(long, h, 1); err != nil {
		t.Errorf("%v, with all the time one could want", err)
	}
}
