package health

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/tokens"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

func TestTroubleIsOnlyWhatHoldsTheOrg(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		err  error
		want events.Cause
	}{
		"one record's":  {&salesforce.Error{Class: salesforce.Invalid}, ""},
		"a timeout":     {&salesforce.Error{Class: salesforce.Timeout}, ""},
		"not ours":      {errors.New("x"), ""},
		"daily limit":   {&salesforce.Error{Class: salesforce.Throttled, Kind: salesforce.KindDailyLimit}, events.CauseThrottled},
		"api disabled":  {&salesforce.Error{Class: salesforce.Misconfigured, Kind: salesforce.KindAPIAccess}, events.CauseCredentials},
		"outage":        {fmt.Errorf("x: %w", &salesforce.Error{Class: salesforce.Unavailable}), events.CauseUnavailable},
		"token late":    {&salesforce.Error{Class: salesforce.Timeout, Code: salesforce.CodeNoSession}, events.CauseCredentials},
		"tokens held":   {fmt.Errorf("x: %w", &tokens.Held{Advice: "sign in"}), events.CauseCredentials},
		"no newer":      {fmt.Errorf("x: %w", tokens.ErrNoNewer), events.CauseCredentials},
		"our own limit": {context.DeadlineExceeded, ""},
	}
	for name, c := range cases {
		f := Trouble(c.err, plan.OpCreate)
		if got := causeIn(f); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if f != nil && f.Operation != plan.OpCreate {
			t.Errorf("%s: operation %q", name, f.Operation)
		}
	}
}

func causeIn(f *events.Failure) events.Cause {
	if f == nil {
		return ""
	}
	return f.Cause
}
