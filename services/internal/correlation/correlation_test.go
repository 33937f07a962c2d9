package correlation_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
)

func ids(t *testing.T, form config.CorrelationID) *correlation.IDs {
	t.Helper()
	c, err := correlation.New("hr", config.Source{Correlate: "enterprise.employeeNumber", CorrelationID: form})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A source that declares nothing keeps the keys of its people: whatever an id
// looks like, it stays as it is.
func TestAnIDStaysAsItIsWhereNothingIsDeclared(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"1", "00123", "E100", "e100", " E100", "E100 ", "1E5", "12e4", "4.56", "E+11", "4.56E+11x", "1e+", "-5", "Ünal", "a@example.com", "१२३"} {
		if got, err := ids(t, config.CorrelationID{}).Canonical(id); got != id || err != nil {
			t.Errorf("%q became %q, %v", id, got, err)
		}
	}
}

func TestScientificNotationIsRefused(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"4.56E+11", "4,56E+11", "1e+05", "1E-05", "4.56123456789E11", "-4.5e+3", " 4.56E+11 "} {
		for _, form := range []config.CorrelationID{{}, {Trim: true, Case: "upper", PadZeros: 12}, {Pattern: "[0-9]{12}"}} {
			got, err := ids(t, form).Canonical(id)
			if err == nil || !strings.Contains(err.Error(), "scientific notation") || !strings.Contains(err.Error(), "as text") || strings.Contains(err.Error(), strings.TrimSpace(id)) {
				t.Errorf("%q under %+v: %q, %v", id, form, got, err)
			}
		}
	}
	if got, err := ids(t, config.CorrelationID{Pattern: `[0-9.E+]+`}).Canonical("4.56E+11"); got != "4.56E+11" || err != nil {
		t.Errorf("a pattern that allows it: %q, %v", got, err)
	}
}

func TestOneIDIsWrittenInSeveralWays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		form    config.CorrelationID
		written []string
		want    string
	}{
		"blanks":     {config.CorrelationID{Trim: true}, []string{"E100", " E100", "E100\t ", "\u00a0E100"}, "E100"},
		"upper case": {config.CorrelationID{Case: config.CaseUpper}, []string{"E100", "e100"}, "E100"},
		"lower case": {config.CorrelationID{Case: config.CaseLower}, []string{"E100", "e100"}, "e100"},
		"zeros":      {config.CorrelationID{PadZeros: 5}, []string{"00123", "123", "0123"}, "00123"},
		"longer":     {config.CorrelationID{PadZeros: 2}, []string{"123"}, "123"},
		"no number":  {config.CorrelationID{PadZeros: 5}, []string{"E1"}, "E1"},
		"all of it":  {config.CorrelationID{Trim: true, Case: config.CaseUpper, PadZeros: 5, Pattern: "[0-9]{5}|E[0-9]+"}, []string{" 123", "00123 "}, "00123"},
	} {
		for _, written := range c.written {
			if got, err := ids(t, c.form).Canonical(written); got != c.want || err != nil {
				t.Errorf("%s: %q became %q, %v, want %q", name, written, got, err, c.want)
			}
		}
	}
}

func TestWhatDoesNotFitThePatternIsRefused(t *testing.T) {
	t.Parallel()
	c := ids(t, config.CorrelationID{Pattern: "[0-9]{5}|E[0-9]"})
	for _, id := range []string{"123", "123456", "E12", "xE1", "00123\n", "", "00123 "} {
		if got, err := c.Canonical(id); err == nil || !strings.Contains(err.Error(), "sources.hr.correlationID.pattern") || !strings.Contains(err.Error(), "[0-9]{5}") {
			t.Errorf("%q: %q, %v", id, got, err)
		}
	}
	for _, id := range []string{"00123", "E1"} {
		if _, err := c.Canonical(id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestAnEventSaysWhoItIsAbout(t *testing.T) {
	t.Parallel()
	c := ids(t, config.CorrelationID{Trim: true, Pattern: "[0-9]+"})
	person := func(n string) *events.Event {
		return &events.Event{Person: &events.Person{Enterprise: &events.Enterprise{EmployeeNumber: n}}}
	}
	group := func(values ...string) *events.Event {
		g := &events.Group{Members: []events.Member{{Type: "Group", Value: "anything"}}}
		for _, v := range values {
			g.Members = append(g.Members, events.Member{Value: v})
		}
		return &events.Event{Group: g}
	}
	if id, err := c.Of(person(" 7 ")); id != "7" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	members := group(" 7", "8 ")
	if _, err := c.Of(members); err != nil || members.Group.Members[1].Value != "7" || members.Group.Members[2].Value != "8" || members.Group.Members[0].Value != "anything" {
		t.Errorf("members %+v, %v", members.Group.Members, err)
	}
	for name, f := range map[string]struct {
		event       *events.Event
		where, says string
	}{
		"nothing":         {&events.Event{Person: &events.Person{}}, "/data", "lacks the attribute"},
		"blank":           {person("  "), "/data", "lacks the attribute"},
		"no fit":          {person("x7"), "/data", "has a correlation id (enterprise.employeeNumber) that does not look like one"},
		"a spoilt number": {person("1.2E+05"), "/data", "that is in scientific notation"},
		"no member":       {group("7", ""), "/data/members/2/value", "is missing"},
		"another member":  {group("7", "1.2E+05"), "/data/members/2/value", "is in scientific notation"},
	} {
		_, err := c.Of(f.event)
		var fault *events.EventError
		if !errors.As(err, &fault) || fault.Where != f.where || !strings.Contains(fault.Reason, f.says) {
			t.Errorf("%s: %v, want %q at %s", name, err, f.says, f.where)
		}
	}
}

// A removal is about the same person as everything else that was said of them.
func TestAPersonOfNothingButAnIDIsReadUnderIt(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"enterprise.employeeNumber", "externalId", "userName", "emails.primary", "custom.badge"} {
		c, err := correlation.New("hr", config.Source{Correlate: path, CorrelationID: config.CorrelationID{PadZeros: 5}})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Of(&events.Event{Person: c.Person("00123")}); got != "00123" || err != nil {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
}
