package push

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/tokens"
)

func TestEveryClassHasItsCause(t *testing.T) {
	t.Parallel()
	want := map[salesforce.Class]events.Cause{
		salesforce.Unknown: events.CauseUnknown, salesforce.Credentials: events.CauseCredentials,
		salesforce.Throttled: events.CauseThrottled, salesforce.Unavailable: events.CauseUnavailable,
		salesforce.Locked: events.CauseLocked, salesforce.Timeout: events.CauseTimeout,
		salesforce.Licence: events.CauseLicence, salesforce.Duplicate: events.CauseDuplicate,
		salesforce.AlreadyDone: events.CauseUnknown, salesforce.Invalid: events.CauseInvalid,
		salesforce.Reference: events.CauseMisconfigured, salesforce.Forbidden: events.CauseForbidden,
		salesforce.Misconfigured: events.CauseMisconfigured, salesforce.NotFound: events.CauseUnknown,
		salesforce.Deleted: events.CauseUnknown, salesforce.Programming: events.CauseUnknown, salesforce.Halted: events.CauseUnknown,
	}
	for _, c := range salesforce.Classes() {
		if got, ok := causeOf(c), want[c]; got != ok || ok == "" {
			t.Errorf("cause of %s is %s, want %q", c, got, ok)
		}
		if causeOf(c).OrgWide() != c.OrgWide() {
			t.Errorf("%s: class and cause disagree on whose trouble it is", c)
		}
	}
}

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
		f := trouble(c.err, opCreate)
		if got := causeIn(f); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if f != nil && f.Operation != opCreate {
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

func TestFailureKeepsEveryWord(t *testing.T) {
	t.Parallel()
	f := failureOf(&salesforce.Error{Class: salesforce.Invalid, Code: "A", Message: "first", Fields: []string{"X"}, ErrorID: "7",
		Also: []*salesforce.Error{{Message: "second", Fields: []string{"Y"}}}}, opUpdate)
	if f.Message != "first\nsecond" || len(f.Fields) != 2 || f.Code != "A" || f.ErrorID != "7" || f.Operation != opUpdate {
		t.Errorf("%+v", f)
	}
	if f = lost(&salesforce.Error{Class: salesforce.Unavailable}, opCreate); f.Cause != events.CauseTimeout || f.Message == "" {
		t.Errorf("a lost call in an org that answers: %+v, want it counted and worded", f)
	}
}
