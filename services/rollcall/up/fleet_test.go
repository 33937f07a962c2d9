package up

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry/telemetrytest"
)

// TestALinkOfANewerVersionIsLeftToIt runs the whole system on somebody whose
// link a newer version wrote, and somebody else. Of the first nothing is done,
// written over, acked or parked; once the link can be read they are in
// Salesforce, without another event.
func TestALinkOfANewerVersionIsLeftToIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	keyer, err := events.NewKeyer([]byte(strings.Repeat("k", 64)))
	if err != nil {
		t.Fatal(err)
	}
	key := keyer.Person("n0000000")
	newer := `{"v":3,"org":"acme","key":"` + string(key) + `","added":{"by":"a newer version"}}`
	link := bus.Write{Subject: events.LinkSubject("acme", key), Data: []byte(newer)}
	stored, err := r.bus.Commit(t.Context(), events.StreamRoster, []bus.Group{{link}})
	if err != nil {
		t.Fatal(err)
	}
	rec := telemetrytest.Recording(t)
	r.publish(t, 0, 2, events.LaneChange)
	stop := r.startWith(t, rec.Telemetry)
	defer stop()
	r.outcomeOf(t, keyer.Person("n0000001"))
	until(t, "the link was met", func() bool { return strings.Contains(rec.LogText(), "state cannot be read") })

	have, err := r.bus.Latest(t.Context(), events.StreamRoster, []string{link.Subject, events.OutcomeSubject("acme", key)})
	if err != nil || len(have) != 1 || string(have[link.Subject].Data) != newer {
		t.Errorf("there is %v (%v), want the link as it was and no outcome", have, err)
	}
	if letters, err := r.bus.Latest(t.Context(), events.StreamDead, []string{events.DeadAll}); err != nil || len(letters) > 0 {
		t.Errorf("parked: %v %v", letters, err)
	}
	if users := r.org.Summary().UsersActive; users != 2 { // the integration user, and the other one
		t.Errorf("%d users, want 2", users)
	}
	until(t, "the work is put back", func() bool { return r.unacked(t) == 1 })

	readable, err := events.Encode(events.Link{Org: "acme", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	work, err := events.Encode(events.Work{Reason: events.ReasonFenced})
	if err != nil {
		t.Fatal(err)
	}
	link.Data, link.Guarded, link.LastSeq = readable, true, stored[0].Seqs[0]
	done, err := r.bus.Commit(t.Context(), events.StreamRoster, []bus.Group{{link, {Subject: events.WorkSubject("acme", events.LaneChange, key), Data: work}}})
	if err != nil || done[0].Err != nil {
		t.Fatalf("the link was not as it had been: %v %v", err, done)
	}
	r.outcomeOf(t, key)
	if users := r.org.Summary().UsersActive; users != 3 {
		t.Errorf("%d users, want 3", users)
	}
}

// outcomeOf waits until a person is applied.
func (r *rig) outcomeOf(t *testing.T, key events.Key) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	applied := false
	err := r.bus.Watch(ctx, events.StreamRoster, events.OutcomeSubject("acme", key), func(e bus.Entry) {
		if o, err := events.Decode[events.Outcome](e.Data); err == nil && o.Result == events.ResultApplied {
			applied = true
			cancel()
		}
	})
	if !applied {
		t.Fatalf("%s was not applied: %v", key, err)
	}
}

// unacked is how much work for live changes is delivered, or still to be.
func (r *rig) unacked(t *testing.T) int {
	t.Helper()
	all, err := r.bus.Consumers(t.Context(), events.StreamRoster)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(c bus.ConsumerStatus) bool { return c.Name == events.WorkConsumer("acme", events.LaneChange) })
	turns := 0
	if err := r.bus.Scan(t.Context(), events.StreamRoster, events.TurnsAll, 1, func(bus.Entry) error { turns++; return nil }); err != nil {
		t.Fatal(err)
	}
	return int(all[i].Pending) + all[i].AckPending + turns
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(time.Minute)
	for !is() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("it never came to pass that %s", what)
		}
	}
}
