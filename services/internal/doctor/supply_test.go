package doctor

import (
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// TestSupplyIsWhatTheOrgHas of what a configuration asks for, and where the org
// cannot be asked, why.
func TestSupplyIsWhatTheOrgHas(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.doctor.Supply(t.Context(), r.bus, emea)
	if s.Unasked != "" || len(s.Missing) != 0 || len(s.Licences) != 1 {
		t.Fatalf("%+v", s)
	}
	l := s.Licences[0]
	if l.Name == "" || l.Total <= 0 || l.Used <= 0 || !slices.Equal(l.Profiles, []string{emulator.StandardUserProfile}) {
		t.Errorf("%+v", l)
	}
	r.assign(func(a *config.Assign) {
		a.Rules[0].Assignments = config.Assignments{"permissionSets": {"Sales_Bsae"}, "groups": {"All_Staff"}}
	})
	s = r.doctor.Supply(t.Context(), r.bus, emea)
	if len(s.Missing) != 1 || !strings.Contains(s.Missing[0].Message, "Sales_Bsae") || !strings.Contains(s.Missing[0].Advice, "Sales_Base") {
		t.Errorf("a misspelt name: %+v", s.Missing)
	}
	r.record(func(rec *events.TokenRecord) {
		rec.State, rec.Sealed = events.TokenHeld, nil
		rec.Failure = &events.Failure{Cause: events.CauseCredentials, Code: "invalid_client", Message: "no such app"}
	})
	s = r.doctor.Supply(t.Context(), r.bus, emea)
	if !strings.Contains(s.Unasked, "invalid_client") || len(s.Licences) != 0 {
		t.Errorf("without a token: %+v", s)
	}
}
