package rules_test

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// TestCoverSaysHowItComesAbout: by which rule, or by none and what each condition
// saw, or why no rule is asked.
func TestCoverSaysHowItComesAbout(t *testing.T) {
	t.Parallel()
	f := rulestest.File(t)
	a := rulestest.Assign()
	a.Rules = append(a.Rules, config.Rule{Name: "north", When: `person.enterprise.division == "North"`, Profile: "Reader"})
	f.Orgs["sales"] = config.Org{Assign: a}
	compiled, err := rules.Compile(f)
	if err != nil {
		t.Fatal(err)
	}
	said := func(edit func(*events.Person)) events.SourceState {
		p := rulestest.Person(1)
		edit(p)
		return events.SourceState{Person: p}
	}
	support := func(p *events.Person) { p.Enterprise.Department, p.Enterprise.Division = "Support", "South" }
	for name, c := range map[string]struct {
		state    events.PersonState
		standing rules.Standing
		tried    int
		says     string
	}{
		"matched":     {of("hr", said(func(*events.Person) {})), rules.StandingMatched, 1, `person.enterprise.department = "Sales"`},
		"unmatched":   {of("hr", said(support)), rules.StandingUnmatched, 3, `person.enterprise.division = "South"`},
		"undecidable": {of("hr", said(func(p *events.Person) { p.Enterprise = nil })), rules.StandingUndecidable, 3, "the person has no enterprise"},
		"removed":     {of("hr", events.SourceState{Removed: true}), rules.StandingLeft, 0, ""},
		"inactive":    {of("hr", events.SourceState{Person: rulestest.Person(1), Active: []events.Activity{{Active: false}}}), rules.StandingLeft, 0, ""},
		"unheard":     {of("directory", said(func(*events.Person) {})), rules.StandingUnheard, 1, `= "Sales"`},
		"unknown":     {events.PersonState{}, rules.StandingUnknown, 0, ""},
	} {
		all, err := compiled.Cover(&c.state)
		if err != nil || len(all) != 1 {
			t.Fatalf("%s: %+v, %v", name, all, err)
		}
		got := all[0]
		if got.Org != "sales" || got.Standing != c.standing || len(got.Conditions) != c.tried || (got.Rule == "seller") != (c.tried == 1) {
			t.Errorf("%s: %+v", name, got)
		}
		if c.tried == 0 {
			continue
		}
		if last := got.Conditions[c.tried-1]; !strings.Contains(last.Saw+last.Fault, c.says) {
			t.Errorf("%s: %+v, want it to say %s", name, last, c.says)
		}
	}
}

func of(source string, s events.SourceState) events.PersonState {
	return events.PersonState{Key: "k", CorrelationID: "W00001", Sources: map[string]events.SourceState{source: s}}
}
