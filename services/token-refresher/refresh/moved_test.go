package refresh

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// unreached says, as the pusher does, that an org is not reached since some time.
func (r *rig) unreached(code string, since time.Time, generation uint64) {
	r.Helper()
	data, err := events.Encode(events.Health{
		Org: emea, State: events.HealthHeld, TokenGeneration: generation, Since: since,
		Failure: &events.Failure{Cause: events.CauseUnavailable, Code: code},
	})
	if err != nil {
		r.Fatal(err)
	}
	_, err = r.bus.Commit(r.Context(), events.StreamRoster, []bus.Group{{{Subject: events.HealthSubject(emea), Data: data}}})
	if err != nil {
		r.Fatal(err)
	}
}

// TestAMovedOrgIsAskedFor has an org move, by a flow that spends nothing and by one
// that rotates: its token endpoint is asked where it is, by one replica, and no
// refresh token is presented twice.
func TestAMovedOrgIsAskedFor(t *testing.T) {
	t.Parallel()
	for name, flow := range map[string]func(*rig) *rig{
		"client credentials": func(r *rig) *rig { return r }, "rotation": (*rig).rotating,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := flow(newRig(t))
			w := &watcher{base: http.DefaultTransport, consumed: map[string]bool{}}
			r.cfg.Transport, r.cfg.MovedAfter = w, 20*time.Millisecond
			for range 2 {
				r.run(r.service())
			}
			r.await("the first token", connected(1))
			there := httptest.NewServer(r.sf)
			t.Cleanup(there.Close)
			if err := r.org.Move(emulator.Move{To: there.URL, Old: emulator.LeftClosed}); err != nil {
				t.Fatal(err)
			}
			r.unreached(salesforce.CodeNoAnswer, time.Now(), 1)
			r.await("a token of the new place", connected(2))
			s, err := r.reader().Session(t.Context())
			if err != nil || s.InstanceURL != there.URL {
				t.Errorf("the instance is at %s, %v; want %s", s.InstanceURL, err, there.URL)
			}
			if n := r.requests(); n != 2 {
				t.Errorf("%d token requests, want the first and one for the new place", n)
			}
			r.unreached(salesforce.CodeRedirect, time.Now(), 2)
			r.await("another one", connected(3))
			if w.replayed > 0 {
				t.Errorf("%d refresh tokens were presented twice", w.replayed)
			}
			r.tight()
		})
	}
}

// TestAnOutageAsksRarely is how often the token endpoint is asked while an org is
// not reached.
func TestAnOutageAsksRarely(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	const after = 10 * time.Second
	h := &events.Health{State: events.HealthHeld, Since: since, TokenGeneration: 1,
		Failure: &events.Failure{Cause: events.CauseUnavailable, Code: salesforce.CodeNoAnswer}}
	rec := &events.TokenRecord{State: events.TokenConnected, Generation: 1, At: since.Add(-time.Hour)}
	asked := 0
	for at := askWhere(rec, h, after); at.Before(since.Add(24 * time.Hour)); at = askWhere(rec, h, after) {
		if asked++; asked == 1 && at.Sub(since) != after {
			t.Errorf("first asked after %s", at.Sub(since))
		}
		rec.At, rec.Generation = at, rec.Generation+1 // in vain
		h.TokenGeneration++
	}
	if asked < 140 || asked > 160 {
		t.Errorf("asked %d times a day", asked)
	}
	for name, c := range map[string]*events.Health{
		"nobody has said":    nil,
		"well":               {State: events.HealthOK, TokenGeneration: rec.Generation},
		"of an older token":  {State: events.HealthHeld, Failure: h.Failure, TokenGeneration: rec.Generation - 1},
		"Salesforce says so": {State: events.HealthHeld, Failure: &events.Failure{Cause: events.CauseUnavailable, Code: "SERVER_UNAVAILABLE"}, TokenGeneration: rec.Generation},
	} {
		if at := askWhere(rec, c, after); !at.IsZero() {
			t.Errorf("%s: asked at %s", name, at)
		}
	}
}
