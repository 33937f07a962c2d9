package rules

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

func inactivePerson() *events.Person {
	no := false
	p := rulestest.Person(1)
	p.Active = &no
	return p
}

// What a rule or a field says of people who are not active is not what their
// user was made by.
func TestALeaverIsSoughtByWhatTheyWouldHave(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		person func(*events.Person)
		edit   func(*config.Assign)
		want   func(*events.Match)
	}{
		"by the rule that would match": {
			func(p *events.Person) { p.Enterprise.Department = "Field" },
			func(a *config.Assign) {
				a.Rules = append(a.Rules, config.Rule{Name: "field", When: `person.active && person.enterprise.department == "Field"`,
					Profile: "Reader", Fields: map[string]string{"Username": `person.active ? person.userName + ".field" : "gone"`}})
			},
			func(m *events.Match) { m.Username = "sample.person00001@example.com.field" },
		},
		"by another's where a condition cannot be decided": {
			func(*events.Person) {},
			func(a *config.Assign) { a.Rules[0].When = `person.nickName == "x"` },
			func(*events.Match) {},
		},
		"by what can be worked out": {
			func(p *events.Person) { p.UserName = "" },
			func(*config.Assign) {},
			func(m *events.Match) { m.Username = "" },
		},
		"by a field of the org's own": {
			func(*events.Person) {},
			func(a *config.Assign) {
				a.Match, a.ExternalIDField = []string{"external_id"}, "Badge__c"
				a.Fields["Badge__c"] = "person.custom.badge"
			},
			func(m *events.Match) { m.ExternalID = "7" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, want := inactivePerson(), sampleMatch()
			test.person(p)
			test.want(&want)
			d := desireOf(t, compiled(t, editAssign(test.edit)), stateOf(p), nil)
			if d == nil || d.Match != want || !d.Sought {
				t.Errorf("desired = %+v, want %+v", d, want)
			}
		})
	}
}

func editAssign(edit func(*config.Assign)) func(*config.File) {
	return func(f *config.File) {
		a := f.Orgs["sales"].Assign
		edit(&a)
		f.Orgs["sales"] = config.Org{Assign: a}
	}
}

// Nobody can be found by values that no rule compares.
func TestALeaverWithoutAValueToCompareIsNotSought(t *testing.T) {
	t.Parallel()
	p := inactivePerson()
	p.UserName = ""
	cfg := compiled(t, editAssign(func(a *config.Assign) { a.Match = []string{"username"} }))
	if d := desireOf(t, cfg, stateOf(p), nil); d != nil {
		t.Errorf("desired = %+v", d)
	}
}

// Somebody who is back, and for whom no rule has a user, is nobody's business any
// more: whatever user they have by other means stays as it is.
func TestWhoeverIsBackIsSoughtNoLonger(t *testing.T) {
	t.Parallel()
	cfg := compiled(t)
	back := rulestest.Person(1)
	back.Enterprise.Department = "Kitchen"
	gone := desireOf(t, cfg, stateOf(inactivePerson()), nil)
	here := desireOf(t, cfg, stateOf(back), gone)
	if here == nil || here.Active || !here.Sought || here.Match != (events.Match{}) {
		t.Fatalf("back, without a rule: %+v, want nobody looked for", here)
	}
	if again := desireOf(t, cfg, stateOf(inactivePerson()), here); again == nil || again.Match != sampleMatch() || !again.Sought {
		t.Errorf("left again: %+v", again)
	}
	if member := desireOf(t, cfg, stateOf(rulestest.Person(1)), gone); member == nil || !member.Active || member.Sought {
		t.Errorf("back, with a rule: %+v", member)
	}
}
