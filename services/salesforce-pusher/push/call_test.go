package push

import (
	"context"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// TestNoCallIsMadeWithoutTime: neither beyond a claim, nor with so little left of
// it that no answer could come.
func TestNoCallIsMadeWithoutTime(t *testing.T) {
	t.Parallel()
	tel := telemetry.Discard()
	m, err := newMetrics(tel.Meter, "acme")
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	_, span := tel.Tracer.Start(t.Context(), "batch")
	for name, c := range map[string]struct {
		ctx  context.Context
		left time.Duration // of the claim
		made bool
	}{
		"there is time":        {t.Context(), time.Hour, true},
		"the claim ends soon":  {t.Context(), 2*time.Second + minCall/2, false},
		"the margin has begun": {t.Context(), time.Second, false},
		"the claim has ended":  {t.Context(), -time.Second, false},
		"the step has ended":   {ended, time.Hour, false},
	} {
		trace := &stepTrace{tracer: tel.Tracer, batch: span}
		caller := &caller{timeout: time.Second, trace: trace, metrics: m, ledger: &ledger{margin: 2 * time.Second}}
		person := &task{Person: plan.New(plan.State{}), until: time.Now().Add(c.left)}
		person.span.span = span
		made := false
		refused, halted := caller.call(c.ctx, plan.OpCreate, "User", []*task{person}, func(context.Context) error { made = true; return nil })
		if made != c.made || (halted == nil) != c.made || (refused == nil) != c.made {
			t.Errorf("%s: made %v, refused %v, halted %v", name, made, refused, halted)
		}
	}
}
