package plan

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
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

func TestFailureKeepsEveryWord(t *testing.T) {
	t.Parallel()
	f := Diagnose(Refusal{Operation: OpUpdate, Err: &salesforce.Error{Class: salesforce.Invalid, Code: "A", Message: "first", Fields: []string{"X"}, ErrorID: "7",
		Also: []*salesforce.Error{{Message: "second", Fields: []string{"Y"}}}}})
	if f.Message != "first\nsecond" || len(f.Fields) != 2 || f.Code != "A" || f.ErrorID != "7" || f.Operation != OpUpdate {
		t.Errorf("%+v", f)
	}
	if f = lost(&salesforce.Error{Class: salesforce.Unavailable}, OpCreate); f.Cause != events.CauseTimeout || f.Message == "" {
		t.Errorf("a lost call in an org that answers: %+v, want it counted and worded", f)
	}
}

// TestEveryOverrideApplies has a refusal for every row of the table, and no row
// changes another's.
func TestEveryOverrideApplies(t *testing.T) {
	t.Parallel()
	invalid := &salesforce.Error{Class: salesforce.Invalid, Status: 400}
	cases := []struct {
		why   string
		r     Refusal
		cause events.Cause
		value string
	}{
		{"the integration user lost a right that it needs for everybody", Refusal{Err: &salesforce.Error{Class: salesforce.Forbidden}, Demoted: true}, events.CauseCredentials, ValueRights},
		{"Salesforce keeps the user active for a reason of the org's own", Refusal{Err: invalid, Kept: true}, events.CauseDeactivationRefused, ""},
		{"a lost call in an org that answers is counted, and tried again", Refusal{Err: &salesforce.Error{Class: salesforce.Unavailable}, Alone: true}, events.CauseTimeout, ""},
		{"without a session nobody's data is at fault, whatever kept it away", Refusal{Err: &salesforce.Error{Class: salesforce.Timeout, Code: salesforce.CodeNoSession}}, events.CauseCredentials, ""},
		{"an app that may not use the API is a matter of credentials", Refusal{Err: &salesforce.Error{Class: salesforce.Misconfigured, Kind: salesforce.KindAPIAccess}}, events.CauseCredentials, ""},
		{"an org that does not answer its probe is not back", Refusal{Err: &salesforce.Error{Class: salesforce.Timeout}, Probe: true}, events.CauseUnavailable, ""},
		{"an org that does not answer its probe is not back", Refusal{Err: &salesforce.Error{Class: salesforce.Unknown, Status: 500}, Probe: true}, events.CauseUnavailable, ""},
		{"", Refusal{Err: &salesforce.Error{Class: salesforce.Unknown, Status: 500}}, events.CauseUnknown, ""},
		{"", Refusal{Err: invalid, Alone: true}, events.CauseInvalid, ""},
		{"", Refusal{Err: invalid, Probe: true}, events.CauseInvalid, ""},
		{"", Refusal{Err: &salesforce.Error{Class: salesforce.Throttled, Kind: salesforce.KindDailyLimit}}, events.CauseThrottled, salesforce.KindDailyLimit.String()},
		{"", Refusal{Err: &salesforce.Error{Class: salesforce.Throttled, Kind: salesforce.KindDailyLimit}, Probe: true}, events.CauseThrottled, salesforce.KindDailyLimit.String()},
	}
	applied := map[string]bool{}
	for _, c := range cases {
		if f := Diagnose(c.r); f.Cause != c.cause || f.Value != c.value {
			t.Errorf("%s: %s %q, want %s %q", c.why, f.Cause, f.Value, c.cause, c.value)
		}
		for _, o := range overrides() {
			if o.when(c.r) {
				applied[o.why] = applied[o.why] || o.why == c.why
				if o.why != c.why {
					t.Errorf("%+v: also %q", c.r, o.why)
				}
			}
		}
	}
	for _, o := range overrides() {
		if !applied[o.why] {
			t.Errorf("no refusal here is one of which %q holds", o.why)
		}
	}
}
