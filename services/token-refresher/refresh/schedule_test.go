package refresh

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

func TestATokenIsRenewedBeforeItEnds(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		connect   config.Connect
		refreshes bool
		life      time.Duration // zero: never
	}{
		"session":                 {config.Connect{SessionLifetime: 2 * time.Hour}, false, 2 * time.Hour},
		"switched off":            {config.Connect{}, true, 0},
		"idle limit comes first":  {config.Connect{SessionLifetime: 3 * time.Hour, RefreshIdleLimit: time.Hour}, true, time.Hour},
		"idle limit alone":        {config.Connect{RefreshIdleLimit: time.Hour}, true, time.Hour},
		"idle limit, other flows": {config.Connect{RefreshIdleLimit: time.Hour}, false, 0},
	} {
		seen := map[time.Time]bool{}
		for generation := range uint64(20) {
			o := &org{name: emea, connect: c.connect, flow: flow{refreshes: c.refreshes}}
			got := o.renewAt(&events.TokenRecord{State: events.TokenConnected, At: at, Generation: generation})
			seen[got] = true
			if c.life == 0 {
				if !got.IsZero() {
					t.Errorf("%s: renewed at %s", name, got)
				}
				continue
			}
			if after := got.Sub(at); after < c.life*8/10 || after > c.life*9/10 {
				t.Errorf("%s: renewed after %s of %s", name, after, c.life)
			}
		}
		if c.life > 0 && len(seen) < 10 {
			t.Errorf("%s: %d different times in 20: no jitter", name, len(seen))
		}
	}
}
