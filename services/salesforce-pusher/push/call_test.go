package push

import (
	"context"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/internal/tokens"
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
		// began is as whom the step began; nobody is signed in by now.
		began tokens.Identity
	}{
		"there is time":          {ctx: t.Context(), left: time.Hour, made: true},
		"somebody else signs in": {ctx: t.Context(), left: time.Hour, began: tokens.Identity{UserID: "005"}},
		"the claim ends soon":    {ctx: t.Context(), left: 2*time.Second + minCall/2},
		"the margin has begun":   {ctx: t.Context(), left: time.Second},
		"the claim has ended":    {ctx: t.Context(), left: -time.Second},
		"the step has ended":     {ctx: ended, left: time.Hour},
	} {
		trace := &stepTrace{tracer: tel.Tracer, batch: span}
		caller := &caller{timeout: time.Second, trace: trace, metrics: m, ledger: &ledger{margin: 2 * time.Second}, reader: &tokens.Reader{}, began: c.began}
		person := &task{Person: plan.New(plan.State{}), until: time.Now().Add(c.left)}
		person.span.span = span
		made := false
		refused, halted := caller.call(c.ctx, plan.OpCreate, "User", []*task{person}, func(context.Context) error { made = true; return nil })
		if made != c.made || (halted == nil) != c.made || (refused == nil) != c.made {
			t.Errorf("%s: made %v, refused %v, halted %v", name, made, refused, halted)
		}
	}
}
