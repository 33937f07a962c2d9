package preview_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/preview"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// populate stores n people as assignment would have left them, in Sales but for
// every tenth, who is in Support.
func (r *rig) populate(n int) {
	r.t.Helper()
	reader, err := rules.NewReader(r.file.Sources, r.keyer)
	if err != nil {
		r.t.Fatal(err)
	}
	compiled, err := rules.Compile(r.file)
	if err != nil {
		r.t.Fatal(err)
	}
	var groups []bus.Group
	for i := range n {
		said := rulestest.Event(i, func(e *events.Event) {
			if i%10 == 9 {
				e.Person.Enterprise.Department = "Support"
			}
		})
		e, err := reader.Read(events.DirectorySubject("hr", events.KindPerson), rulestest.Encoded(r.t, said), events.Origin{Seq: uint64(i + 1)})
		if err != nil {
			r.t.Fatal(err)
		}
		state := events.PersonState{Key: e.Key}
		rules.FoldPerson(&state, e)
		groups = append(groups, r.stored(compiled, &state))
		if len(groups) == 250 || i == n-1 {
			if _, err := r.bus.Commit(r.ctx, events.StreamRoster, groups); err != nil {
				r.t.Fatal(err)
			}
			groups = nil
		}
	}
}

func (r *rig) stored(compiled *rules.Rules, state *events.PersonState) bus.Group {
	r.t.Helper()
	data, err := events.Encode(*state)
	if err != nil {
		r.t.Fatal(err)
	}
	group := bus.Group{{Subject: events.PersonSubject(state.Key), Data: data}}
	wishes, err := compiled.Desire(state, nil, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for org, d := range wishes {
		data, err := rules.Seal(d, nil, events.LaneChange, events.Origin{})
		if err != nil {
			r.t.Fatal(err)
		}
		group = append(group, bus.Write{Subject: events.DesiredSubject(org, state.Key), Data: data})
	}
	return group
}

// put stores a payload.
func put[P events.Payload](r *rig, subject string, p P) {
	r.t.Helper()
	data, err := events.Encode(p)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.bus.Commit(r.ctx, events.StreamRoster, []bus.Group{{{Subject: subject, Data: data}}}); err != nil {
		r.t.Fatal(err)
	}
}

// edited is the configuration with the org sales alone, changed.
func (r *rig) edited(edit func(*config.Assign)) config.File {
	f := r.file
	a := rulestest.Assign()
	a.Rules = slices.Clone(a.Rules)
	edit(&a)
	f.Orgs = map[string]config.Org{"sales": {Assign: a}}
	return f
}

func mistyped(a *config.Assign) {
	a.Rules[0].When = strings.ReplaceAll(a.Rules[0].When, `"Sales"`, `"sales"`)
}

// TestOneLetterInARule is the disaster that a plan is for.
func TestOneLetterInARule(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.populate(40)
	for i := range 30 { // the others are parked, say: Salesforce never had them
		key := r.keyer.Person(fmt.Sprintf("W%05d", i))
		put(r, events.LinkSubject("sales", key), events.Link{Org: "sales", Key: key, UserID: fmt.Sprintf("005%d", i), Active: true})
	}
	plan, err := r.preview(r.edited(mistyped)).Everybody(r.ctx)
	if err != nil {
		t.Fatal(err)
	}
	o := plan.Orgs[0]
	if plan.People != 40 || plan.Changed != 36 || len(plan.Orgs) != 1 || !plan.Over() {
		t.Errorf("%d people, %d changed, over: %v", plan.People, plan.Changed, plan.Over())
	}
	if o.What[preview.Deactivated] != 36 || len(o.What) != 1 || o.WithoutUser != 9 || o.Unmatched != 40 {
		t.Errorf("%v, %d without user, %d unmatched", o.What, o.WithoutUser, o.Unmatched)
	}
	want := []preview.RuleCount{{Rule: "seller", Count: preview.Count{Before: 36}}, {Rule: "member"}}
	if !slices.Equal(o.Rules, want) || o.Active != (preview.Count{Before: 36}) {
		t.Errorf("rules %v, active %v", o.Rules, o.Active)
	}
	if want := []preview.Taking{{Aspect: events.AspectActive, Cause: events.CauseConfig, People: 36, Limit: 10, Over: true}}; !slices.Equal(o.Takes, want) {
		t.Errorf("takes %+v", o.Takes)
	}
	lost := []preview.AssignmentCount{{Kind: "groups", Name: "Everybody", Lost: 36, Leaving: 36}, {Kind: "permissionSets", Name: "Base", Lost: 36, Leaving: 36}}
	if !slices.Equal(o.Assignments, lost) || !maps.Equal(o.Seats, map[string]int{"Sales User": -36}) || o.Calls != 1 {
		t.Errorf("assignments %+v, seats %v, %d calls", o.Assignments, o.Seats, o.Calls)
	}
	sample := o.Samples["deactivated"]
	if len(sample) != 10 || sample[0].Name != "sample.person00000@example.com.crm" || sample[0].Key != r.keyer.Person("W00000") {
		t.Errorf("sample %+v", sample)
	}
}

func TestWhatChangesIsCountedByName(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.populate(20)
	plan, err := r.preview(r.edited(func(a *config.Assign) {
		a.Rules[0].Profile, a.Rules[0].Role = "Reader", "Closer"
		a.Rules[0].Assignments = config.Assignments{"permissionSets": {"Lead"}, "groups": {"Everybody"}}
		a.Rules = append(a.Rules, config.Rule{Name: "rest", When: "true", Profile: "Reader"})
		a.Fields = maps.Clone(a.Fields)
		a.Fields["Title"], a.Fields["Email"] = `"Staff"`, `"x" + person.emails[0].value`
		delete(a.Fields, "Alias")
		a.Grants = nil
	})).Everybody(r.ctx)
	if err != nil {
		t.Fatal(err)
	}
	o := plan.Orgs[0]
	if !maps.Equal(o.What, map[preview.What]int{preview.Updated: 18, preview.Created: 2}) || o.Unmatched != 0 {
		t.Errorf("%v, %d unmatched", o.What, o.Unmatched)
	}
	if want := map[string]int{"Title": 18, "Email": 18, "Alias": 18}; !maps.Equal(o.Fields, want) {
		t.Errorf("fields %v", o.Fields)
	}
	if !slices.Equal(o.Profiles, []preview.Move{{From: "Sales User", To: "Reader", People: 18}}) || !slices.Equal(o.Roles, []preview.Move{{From: "Seller", To: "Closer", People: 18}}) {
		t.Errorf("profiles %v, roles %v", o.Profiles, o.Roles)
	}
	if want := []preview.AssignmentCount{{Kind: "permissionSets", Name: "Base", Lost: 18}, {Kind: "permissionSets", Name: "Lead", Gained: 18}}; !slices.Equal(o.Assignments, want) {
		t.Errorf("assignments %+v", o.Assignments)
	}
	if !maps.Equal(o.Seats, map[string]int{"Sales User": -18, "Reader": 20}) {
		t.Errorf("seats %v", o.Seats)
	}
	if want := []preview.Taking{
		{Aspect: events.AspectAccess, Cause: events.CauseConfig, People: 18, Limit: 10, Over: true},
		{Aspect: events.AspectIdentity, Cause: events.CauseConfig, People: 18, Limit: 10, Over: true},
	}; !slices.Equal(o.Takes, want) {
		t.Errorf("takes %+v", o.Takes)
	}
	// A create, an update, one more for the profile; a set given, a set taken.
	if o.Calls != 5 {
		t.Errorf("%d calls", o.Calls)
	}
}

// TestAFileIsPlannedLikeAnyEvents: rows that assignment would reject, or that say
// nothing new, are told apart, and only those whom the file names are looked at.
func TestAFileIsPlannedLikeAnyEvents(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.populate(20)
	no := false
	batch := []published{
		{"hr", rulestest.Event(1, func(e *events.Event) { e.Person.Active = &no })},
		{"hr", rulestest.Event(2)},  // as it is
		{"hr", rulestest.Event(30)}, // new
		{"hr", rulestest.Event(3, func(e *events.Event) { e.SourceVersion = "7" })},     // of a source that sends none
		{"hr", rulestest.Event(4, func(e *events.Event) { e.Person.Enterprise = nil })}, // who is it?
		{"hr", rulestest.Event(5, func(e *events.Event) {
			e.Type = events.TypePersonRemoved
			e.Person = &events.Person{Enterprise: e.Person.Enterprise}
		})},
		{"hr", rulestest.Event(5)}, // and back
		{"nobody", rulestest.Event(6)},
		{"hr", &events.Event{SpecVersion: "1.0", ID: "g", Source: "https://hr.example.com", Type: events.TypeGroupUpserted, Group: &events.Group{ExternalID: "g", DisplayName: "Leads"}}},
	}
	plan, err := r.preview(r.edited(func(*config.Assign) {})).Publish(r.ctx, publication(batch), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if rows := plan.Rows; rows.Events != 9 || rows.Refused != 3 || rows.Groups != 1 || len(rows.Faults) != 3 || rows.Faults[0].Line != 4 || !strings.Contains(rows.Faults[0].Reason, "sourceversion") {
		t.Errorf("rows %+v", rows)
	}
	if o := plan.Orgs[0]; plan.People != 4 || plan.Changed != 2 || !maps.Equal(o.What, map[preview.What]int{preview.Created: 1, preview.Deactivated: 1}) {
		t.Errorf("%d people, %d changed: %v", plan.People, plan.Changed, o.What)
	}
	again, err := r.preview(r.edited(func(*config.Assign) {})).Publish(r.ctx, publication(batch[1:3]), 0)
	if err != nil || again.Rows.Superseded != 1 || again.Changed != 1 {
		t.Errorf("events older than what is stored: %+v, %v", again.Rows, err)
	}
}

func TestOnePersonIsShownWhole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.populate(20)
	key := r.keyer.Person("W00007")
	plan, err := r.preview(r.edited(mistyped)).Person(r.ctx, key, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Person
	if plan.People != 1 || p == nil || p.Key != key || len(p.Changes) != 1 || p.Changes[0].What() != preview.Deactivated {
		t.Fatalf("%+v", p)
	}
	c := p.Coverage[0]
	if c.Standing != rules.StandingUnmatched || len(c.Conditions) != 2 || c.Conditions[0].Saw != `person.enterprise.department = "Sales"` || !strings.Contains(c.Conditions[0].When, `"sales"`) {
		t.Errorf("coverage %+v", c)
	}
	said := publication([]published{{"hr", rulestest.Event(7, func(e *events.Event) { e.Person.Enterprise.Department = "sales" })}, {"hr", rulestest.Event(8)}})
	plan, err = r.preview(r.edited(mistyped)).Person(r.ctx, key, said, 1000)
	if err != nil || plan.Person.Changes[0].What() != preview.Updated || plan.Person.Changes[0].Next.Fields["Department"] != "sales" {
		t.Errorf("with a file: %+v, %v", plan.Person, err)
	}
}

// TestWhatIsNotLookedAtIsSaid: an org that the configuration has no more, and
// people whom this program cannot read.
func TestWhatIsNotLookedAtIsSaid(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.populate(10)
	put(r, events.HealthSubject("sales"), events.Health{Org: "sales", State: events.HealthOK})
	put(r, events.HealthSubject("support"), events.Health{Org: "support", State: events.HealthOK})
	if _, err := r.bus.Commit(r.ctx, events.StreamRoster, []bus.Group{{{Subject: events.PersonSubject("newer"), Data: []byte(`{"v":99}`)}}}); err != nil {
		t.Fatal(err)
	}
	plan, err := r.preview(r.edited(func(*config.Assign) {})).Everybody(r.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if plan.People != 10 || plan.Changed != 0 || plan.Unreadable != 1 || plan.Over() {
		t.Errorf("%+v", plan)
	}
	if want := []preview.Dropped{{Org: "support", Active: 9}}; !reflect.DeepEqual(plan.Dropped, want) {
		t.Errorf("dropped %+v", plan.Dropped)
	}
}

// TestWhatIsHeldIsNotPlannedAgain applies the typo all the same: the plan said that
// the gate would hold it, the gate does, and the next plan says who waits.
func TestWhatIsHeldIsNotPlannedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.file.Orgs = map[string]config.Org{"sales": {Assign: rulestest.Assign()}}
	r.apply(r.file)
	var batch []published
	for i := range 40 {
		batch = append(batch, published{"hr", rulestest.Event(i)})
	}
	r.publish(batch)
	next := r.edited(mistyped)
	plan, err := r.preview(next).Everybody(r.ctx)
	if err != nil || !plan.Over() || plan.Orgs[0].What[preview.Deactivated] != 40 {
		t.Fatalf("%+v, %v", plan.Orgs, err)
	}
	r.apply(next)
	for subject, d := range r.desired() {
		if !d.Active || len(d.Held) != 1 {
			t.Errorf("%s is active: %t, held: %v", subject, d.Active, d.Held)
		}
	}
	plan, err = r.preview(next).Everybody(r.ctx)
	if err != nil || plan.Over() || plan.Changed != 0 || plan.Orgs[0].Held != 40 {
		t.Errorf("once it is in force: %d changed, %+v, %v", plan.Changed, plan.Orgs[0], err)
	}
	plan, err = r.preview(r.edited(func(*config.Assign) {})).Everybody(r.ctx)
	if err != nil || plan.Over() || plan.Orgs[0].Held != 0 || plan.Orgs[0].What[preview.Deactivated] != 0 {
		t.Errorf("taken back: %+v, %v", plan.Orgs[0], err)
	}
	no := false // somebody leaves while the configuration's hold is open: another cause
	plan, err = r.preview(r.edited(func(*config.Assign) {})).Publish(r.ctx, publication([]published{{"hr", rulestest.Event(50)}, {"hr", rulestest.Event(3, func(e *events.Event) { e.Person.Active = &no })}}), r.newest())
	if err != nil || plan.Over() || plan.Orgs[0].What[preview.Created] != 1 {
		t.Errorf("a file: %+v, %v", plan.Orgs[0], err)
	}
}

func TestAConfigurationWithFaultsIsNoPlan(t *testing.T) {
	t.Parallel()
	f := rulestest.File(t)
	f.Sources["odd"] = config.Source{Correlate: "shoeSize"}
	f.Precedence = map[string][]string{"titel": {"hr"}}
	_, err := preview.New(nil, f, nil)
	for _, want := range []string{"shoeSize", "titel"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want it to name %s", err, want)
		}
	}
}

// BenchmarkEverybody plans a changed configuration for 10,000 people in two orgs,
// from a NATS server that has them on disk.
func BenchmarkEverybody(b *testing.B) {
	r := newRig(b)
	r.ctx = b.Context() // however busy the machine is
	const people = 10_000
	r.populate(people)
	next := r.file
	next.Orgs = maps.Clone(next.Orgs)
	a := rulestest.Assign()
	mistyped(&a)
	for name := range next.Orgs {
		next.Orgs[name] = config.Org{Assign: a}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		began := time.Now()
		plan, err := r.preview(next).Everybody(r.ctx)
		if err != nil || plan.Changed != people*9/10 {
			b.Fatalf("%d changed, %v", plan.Changed, err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/plan")
	}
	b.ReportMetric(float64(people*b.N)/b.Elapsed().Seconds(), "people/s")
}
