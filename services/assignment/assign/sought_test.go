package assign

import (
	"fmt"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

func inactivePerson() *events.Person {
	no := false
	p := samplePerson(1)
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
			d := desireOf(t, sampleConfig(t, editAssign(test.edit)), stateOf(p), nil)
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
	cfg := sampleConfig(t, editAssign(func(a *config.Assign) { a.Match = []string{"username"} }))
	if d := desireOf(t, cfg, stateOf(p), nil); d != nil {
		t.Errorf("desired = %+v", d)
	}
}

// Somebody who is back, and for whom no rule has a user, is nobody's business any
// more: whatever user they have by other means stays as it is.
func TestWhoeverIsBackIsSoughtNoLonger(t *testing.T) {
	t.Parallel()
	cfg := sampleConfig(t)
	back := samplePerson(1)
	back.Enterprise.Department = "Kitchen"
	gone := desireOf(t, cfg, stateOf(inactivePerson()), nil)
	here := desireOf(t, cfg, stateOf(back), gone)
	if here == nil || here.Active || !here.Sought || here.Match != (events.Match{}) {
		t.Fatalf("back, without a rule: %+v, want nobody looked for", here)
	}
	if again := desireOf(t, cfg, stateOf(inactivePerson()), here); again == nil || again.Match != sampleMatch() || !again.Sought {
		t.Errorf("left again: %+v", again)
	}
	if member := desireOf(t, cfg, stateOf(samplePerson(1)), gone); member == nil || !member.Active || member.Sought {
		t.Errorf("back, with a rule: %+v", member)
	}
}

// Historic leavers of a first load must not stand before real ones; a single
// event must not wait behind a load.
func TestALeaverNeverSeenActiveIsSought(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	backfill := func(e *events.Event) { e.Lane = events.LaneBackfill }
	removed := func(e *events.Event) { e.Type = events.TypePersonRemoved }
	kitchen := func(e *events.Event) { e.Person.Enterprise.Department = "Kitchen" }
	r.publish("hr", sampleEvent(1, backfill, active(false)))
	r.publish("hr", sampleEvent(2, active(false)))
	r.publish("hr", sampleEvent(3, kitchen))
	r.awaitFolded(3, 3)
	if _, seq := r.desired(3); seq != 0 {
		t.Error("an active person without a rule is looked for")
	}
	r.publish("hr", sampleEvent(3, removed))
	for n, lane := range map[int]events.Lane{1: events.LaneBackfill, 2: events.LaneLeaver, 3: events.LaneLeaver} {
		d, seq := r.awaitDesired(n, func(d events.Desired) bool { return !d.Active })
		want := events.Match{FederationID: fmt.Sprintf("W%05d", n), Username: fmt.Sprintf("sample.person%05d@example.com.crm", n), Email: fmt.Sprintf("sample.person%05d@example.com", n)}
		if d.Lane != lane || !d.Sought || d.Match != want || r.workSeq(lane, n) != seq+1 {
			t.Errorf("person %d: %+v, want them on lane %s, looked for by %+v", n, d, lane, want)
		}
	}
	r.publish("hr", sampleEvent(2, backfill, active(true)))
	r.awaitDesired(2, func(d events.Desired) bool { return d.Active })
	r.publish("hr", sampleEvent(2, backfill, active(false)))
	if d, _ := r.awaitDesired(2, func(d events.Desired) bool { return !d.Active && !d.Sought }); d.Lane != events.LaneLeaver {
		t.Errorf("somebody who had a user waits on lane %s", d.Lane)
	}
}

// Whoever left before Rollcall looked for leavers is looked for after an upgrade.
func TestTheSweepSeeksWhoLeftBefore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	org := r.file.Orgs
	r.file.Orgs = map[string]config.Org{}
	stop := r.start()
	r.awaitFolded(1, r.publish("hr", sampleEvent(1, active(false))))
	r.awaitAcked()
	stop()
	r.file.Orgs = org
	r.start()
	if d, seq := r.awaitDesired(1, func(d events.Desired) bool { return d.Sought }); d.Lane != events.LaneBackfill || r.workSeq(events.LaneBackfill, 1) != seq+1 {
		t.Errorf("desired = %+v", d)
	}
}
