package bus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

func TestOnlyAnOperatorMayAskTheServerHowItIsConfigured(t *testing.T) {
	t.Parallel()
	g := startGuarded(t)
	ask := func(role string) (bus.Disk, error) {
		b, err := bus.Connect(t.Context(), bus.Options{URL: g.url, Name: role, NkeySeedFile: g.seeds[role]})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		return b.Disk(ctx)
	}
	d, err := ask(bus.RoleOperator)
	if err != nil || d.Limit <= 0 || d.SyncAlways {
		t.Errorf("an operator: %+v, %v", d, err) // this server syncs at intervals
	}
	if _, err := ask(assignment); !errors.Is(err, bus.ErrUnseen) {
		t.Errorf("a service: %v", err)
	}
}
