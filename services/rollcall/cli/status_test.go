package cli

import (
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
