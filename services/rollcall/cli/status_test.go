package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

func TestStatusNamesTheStateOfAnOrg(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for want, o := range map[string]operator.OrgStatus{
		"connected":               {Token: events.TokenConnected, TokenSince: at.Add(-time.Hour)},
		"refreshing since 5s ago": {Token: events.TokenRefreshing, TokenSince: at.Add(-5 * time.Second)},
		"held since 3m ago":       {Token: events.TokenHeld, Held: true, Since: at.Add(-3 * time.Minute)},
		"held since 1h ago":       {Token: events.TokenConnected, Held: true, Since: at.Add(-time.Hour)}, // by the pusher
		"no token yet":            {},
	} {
		if got := stateOf(operator.Status{At: at}, o); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestStatusSaysWhoStandsBy(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		is   *operator.ConfigurationStatus
		says []string
	}{
		"never run": {nil, []string{"no configuration is in force"}},
		"nobody there": {&operator.ConfigurationStatus{Generation: 3, Hash: "beef", Since: at.Add(-time.Hour), Sweeper: "pod-1/A"},
			[]string{"Configuration beef, generation 3, is in force since 1h ago", "being compared with it by pod-1/A", "events wait"}},
		"one stands by": {&operator.ConfigurationStatus{Generation: 3, Hash: "beef", Swept: true, People: 9, Changed: 2, Replicas: []operator.ReplicaStatus{
			{Name: "pod-1/A", Hash: "feed", StandsBy: true, Refused: true, Heard: at.Add(-4 * time.Second)}, {Name: "pod-2/B", Hash: "beef", Heard: at}}},
			[]string{"9 people, 2 changed", "stands by; its changed file has faults", "4s ago", "takes events"}},
	} {
		var out bytes.Buffer
		printConfiguration(&out, operator.Status{At: at, Configuration: c.is})
		for _, says := range c.says {
			if !strings.Contains(out.String(), says) {
				t.Errorf("%s: %q is not in\n%s", name, says, out.String())
			}
		}
	}
}
