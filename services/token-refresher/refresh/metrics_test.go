package refresh

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// said is the value of the org's state in the metrics.
func (b *bundle) said(state events.TokenState) string {
	b.Helper()
	for line := range strings.SplitSeq(metricsText(b), "\n") {
		if strings.HasPrefix(line, "rollcall_token_state{") && strings.Contains(line, `org="`+emea+`"`) && strings.Contains(line, `state="`+string(state)+`"`) {
			_, value, _ := strings.Cut(line, "} ")
			return value
		}
	}
	return "nothing"
}

func TestTheMetricsSayHowAnOrgStands(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	stop := b.run(b.service())
	b.await("connected", connected(1))
	b.app(func(a *emulator.ConnectedApp) { a.Disabled = true })
	b.complain(1)
	b.await("held", inState(events.TokenHeld))
	stop()
	for state, want := range map[events.TokenState]string{events.TokenHeld: "1", events.TokenConnected: "0", events.TokenRefreshing: "0"} {
		if got := b.said(state); got != want {
			t.Errorf("%s: %s, want %s", state, got, want)
		}
	}
}
