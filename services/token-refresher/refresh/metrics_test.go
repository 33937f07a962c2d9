package refresh

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// said is the value of the org's state in the metrics.
func (r *rig) said(state events.TokenState) string {
	r.Helper()
	for line := range strings.SplitSeq(metricsText(r), "\n") {
		if strings.HasPrefix(line, "rollcall_token_state{") && strings.Contains(line, `org="`+emea+`"`) && strings.Contains(line, `state="`+string(state)+`"`) {
			_, value, _ := strings.Cut(line, "} ")
			return value
		}
	}
	return "nothing"
}

func TestTheMetricsSayHowAnOrgStands(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stop := r.run(r.service())
	r.await("connected", connected(1))
	r.app(func(a *emulator.ConnectedApp) { a.Disabled = true })
	r.complain(1)
	r.await("held", inState(events.TokenHeld))
	stop()
	for state, want := range map[events.TokenState]string{events.TokenHeld: "1", events.TokenConnected: "0", events.TokenRefreshing: "0"} {
		if got := r.said(state); got != want {
			t.Errorf("%s: %s, want %s", state, got, want)
		}
	}
}
