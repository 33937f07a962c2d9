package assign

import (
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// employed gives a person a number.
func employed(number string) func(*events.Event) {
	return func(e *events.Event) { e.Person.Enterprise.EmployeeNumber = number }
}

// Whatever way a source writes an id in, it names one person, whom others call by
// the form that is declared; and so do the members of its groups.
func TestAnIDIsWrittenInSeveralWays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	hr := r.file.Sources["hr"]
	hr.CorrelationID = config.CorrelationID{Trim: true, Case: config.CaseUpper, PadZeros: 6, Pattern: "[0-9]{6}|W[0-9]{5}"}
	r.file.Sources["hr"] = hr
	r.file.Orgs["sales"].Assign.Grants[0].When = `"hr/Leads" in groups`
	r.start()
	r.publish("hr", rulestest.Event(1, employed(" w00001 ")))
	d, _ := r.awaitDesired(1, func(d events.Desired) bool { return d.Active })
	if d.Match.FederationID != "W00001" {
		t.Errorf("the person is found by %+v", d.Match)
	}
	r.publish("hr", &events.Event{SpecVersion: "1.0", ID: "g", Source: "urn:hr", Type: events.TypeGroupUpserted,
		Group: &events.Group{ExternalID: "g", DisplayName: "Leads", Members: []events.Member{{Value: "w00001"}, {Value: "77"}}}})
	r.awaitDesired(1, func(d events.Desired) bool { return slices.Contains(d.Assignments["permissionSets"], "Lead") })
	number := events.DesiredSubject("sales", r.keyer.Person("000077"))
	r.publish("hr", rulestest.Event(2, employed("77")))
	await(r, number, func(d events.Desired) bool { return slices.Contains(d.Assignments["permissionSets"], "Lead") })
	r.publish("directory", rulestest.Event(1, func(e *events.Event) { e.Person.Title = ""; e.Person.NickName = "Sam" }))
	p, _ := await(r, events.PersonSubject(r.key(1)), func(p events.PersonState) bool { return len(p.Sources) == 2 })
	if p.CorrelationID != "W00001" {
		t.Errorf("person %+v", p)
	}
	r.publish("hr", rulestest.Event(1, employed("W00001\t"), active(false)))
	r.awaitDesired(1, func(d events.Desired) bool { return !d.Active && !d.Sought })
}

// A source that declares nothing keeps the keys it has.
func TestAnIDIsAKeyAsItIsWrittenWhereNothingIsDeclared(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	for n, id := range []string{" E100", "e100", "00123", "123", "1E5"} {
		r.publish("hr", rulestest.Event(n, employed(id)))
		if p, _ := await(r, events.PersonSubject(r.keyer.Person(id)), func(events.PersonState) bool { return true }); p.CorrelationID != id {
			t.Errorf("%q is kept as %+v", id, p)
		}
	}
}

func TestAnIDThatDoesNotFitIsRejected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	for name, c := range map[string]struct {
		event *events.Event
		says  string
	}{
		"a person": {rulestest.Event(1, employed("4.56E+11")),
			"event at /data: has a correlation id (enterprise.employeeNumber) that is in scientific notation, as a spreadsheet writes a long number, and its digits are lost: format the column as text and export it again; where ids do look like this, say so in sources.hr.correlationID.pattern"},
		"a member": {&events.Event{SpecVersion: "1.0", ID: "g", Source: "urn:hr", Type: events.TypeGroupUpserted,
			Group: &events.Group{ExternalID: "g", Members: []events.Member{{Value: "1"}, {Value: "4.56E+11"}}}},
			"event at /data/members/1/value: is in scientific notation"},
	} {
		rejection := r.awaitRejection(r.publish("hr", c.event), func(events.Rejection) bool { return true })
		if !strings.HasPrefix(rejection.Failure.Message, c.says) || rejection.Failure.Cause != events.CausePoison {
			t.Errorf("%s: %+v, want %q", name, rejection.Failure, c.says)
		}
	}
	if p, seq := read[events.PersonState](r, events.PersonSubject(r.keyer.Person("4.56E+11"))); seq != 0 {
		t.Errorf("kept all the same: %+v", p)
	}
}
