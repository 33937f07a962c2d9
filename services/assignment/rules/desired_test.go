package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

func compiled(t testing.TB, edit ...func(*config.File)) *Rules {
	t.Helper()
	f := rulestest.File(t)
	for _, e := range edit {
		e(&f)
	}
	r, err := Compile(f)
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	return r
}

func stateOf(p *events.Person) *events.PersonState {
	return &events.PersonState{Key: "k", CorrelationID: "W1",
		Sources: map[string]events.SourceState{"hr": viewOf(p)}}
}

// viewOf is a source's view after one event.
func viewOf(p *events.Person) events.SourceState {
	if p == nil || p.Active == nil {
		return events.SourceState{Person: p}
	}
	rest := *p
	rest.Active = nil
	return events.SourceState{Person: &rest, Active: []events.Activity{{Active: *p.Active}}}
}

func desireOf(t testing.TB, r *Rules, state *events.PersonState, previous *events.Desired) *events.Desired {
	t.Helper()
	wishes, err := r.Desire(state, nil, map[string]*events.Desired{"sales": previous})
	if err != nil {
		t.Fatal(err)
	}
	return wishes["sales"]
}

func TestDesiredOfAMember(t *testing.T) {
	t.Parallel()
	state := stateOf(rulestest.Person(1))
	state.Groups = map[events.Key]events.Membership{"a": {Source: "directory", Name: "Leads"}, "b": {Source: "directory", Name: "Gone", Left: true}}
	d := desireOf(t, compiled(t), state, nil)
	if !d.Active || d.Rule != "seller" || d.Profile != "Sales User" || d.Role != "Seller" || d.Problem != nil {
		t.Fatalf("desired = %+v", d)
	}
	want := map[string]any{
		"Username": "sample.person00001@example.com.crm", "FederationIdentifier": "W1", "Email": "sample.person00001@example.com",
		"LastName": "Pérson 00001", "FirstName": "Sample", "Alias": "person 0", "Title": "Consultant", "Department": "Sales",
		"TimeZoneSidKey": "Europe/Berlin", "LocaleSidKey": "en_US",
	}
	for name, v := range want {
		if d.Fields[name] != v {
			t.Errorf("%s = %#v, want %#v", name, d.Fields[name], v)
		}
	}
	if got := fmt.Sprint(d.Assignments["permissionSets"], d.Assignments["groups"]); got != "[Base Lead] [Everybody]" {
		t.Errorf("sets and groups = %s", got)
	}
	if d.Match != (events.Match{FederationID: "W1", Username: "sample.person00001@example.com.crm", Email: "sample.person00001@example.com"}) {
		t.Errorf("match = %+v", d.Match)
	}
}

func TestAnAbsentOptionalClearsTheField(t *testing.T) {
	t.Parallel()
	p := rulestest.Person(1)
	p.Title = ""
	d := desireOf(t, compiled(t), stateOf(p), nil)
	if v, set := d.Fields["Title"]; v != nil || !set {
		t.Errorf("Title = %#v, set %v: want null", v, set)
	}
}

func TestDesiredOfLeavers(t *testing.T) {
	t.Parallel()
	cfg := compiled(t)
	no := false
	inactive := rulestest.Person(1)
	inactive.Active = &no
	moved := rulestest.Person(1)
	moved.Enterprise.Department = "Kitchen"
	broken := rulestest.Person(1)
	broken.Active, broken.Name = &no, nil
	kept, all := events.Match{FederationID: "f", Username: "kept", Email: "e"}, sampleMatch()
	removed := stateOf(nil)
	removed.Sources["hr"] = events.SourceState{Removed: true}
	tests := map[string]struct {
		state    *events.PersonState
		previous *events.Desired
		match    events.Match
		// first is what they are looked for by where they never had a user here.
		first events.Match
	}{
		"inactive":             {stateOf(inactive), &events.Desired{Active: true, Match: kept}, kept, all},
		"no rule any more":     {stateOf(moved), &events.Desired{Active: true, Match: kept}, kept, events.Match{}},
		"removed":              {removed, &events.Desired{Active: true, Match: kept}, kept, events.Match{FederationID: "W1"}},
		"mapping never worked": {stateOf(broken), &events.Desired{Active: true}, all, all},
		"some of it worked":    {stateOf(broken), &events.Desired{Active: true, Match: events.Match{Username: "kept"}}, events.Match{FederationID: "W1", Username: "kept", Email: all.Email}, all},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := desireOf(t, cfg, test.state, test.previous)
			if d == nil || d.Active || d.Sought || d.Fields != nil || d.Problem != nil || d.Match != test.match {
				t.Fatalf("desired = %+v", d)
			}
			first := desireOf(t, cfg, test.state, nil)
			if test.first == (events.Match{}) {
				if first != nil {
					t.Errorf("somebody who has not left is looked for: %+v", first)
				}
				return
			}
			if first == nil || first.Active || !first.Sought || first.Fields != nil || first.Problem != nil || first.Match != test.first {
				t.Errorf("somebody who never had a user here: %+v, want them looked for by %+v", first, test.first)
			}
		})
	}
}

// sampleMatch is all by which person 1's user is recognised.
func sampleMatch() events.Match {
	return events.Match{FederationID: "W1", Username: "sample.person00001@example.com.crm", Email: "sample.person00001@example.com"}
}

func TestAGroupMemberNobodySpokeOfGetsNothing(t *testing.T) {
	t.Parallel()
	state := &events.PersonState{V: 1, Key: "k", Groups: map[events.Key]events.Membership{"g": {Source: "directory", Name: "CRM"}}}
	if d := desireOf(t, compiled(t), state, nil); d != nil {
		t.Errorf("desired = %+v", d)
	}
}

func TestMappingProblems(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		edit    func(*config.Assign)
		person  func(*events.Person)
		message string
		value   string
		fields  string
	}{
		"missing attribute": {
			person:  func(p *events.Person) { p.Name.FamilyName = "" },
			message: "Alias cannot be worked out for this person: the person has no familyName. So it is with LastName.",
			value:   "person.name.familyName is missing", fields: "[Alias LastName]",
		},
		"required but blank": {
			edit:    func(a *config.Assign) { a.Fields["Title"] = `require(person.title)` },
			person:  func(p *events.Person) { p.Title = " " },
			message: "Title cannot be worked out for this person: a required value is empty.",
			value:   `person.title = " "`, fields: "[Title]",
		},
		"wrong type": {
			edit:    func(a *config.Assign) { a.Fields["Title"] = `dyn(person.emails)` },
			message: "Title cannot be worked out for this person: yields list, a field takes a string, bool, int, double or null.",
			fields:  "[Title]",
		},
		"condition of a rule": {
			edit:    func(a *config.Assign) { a.Rules[0].When = `person.nickName == "x"` },
			message: `The condition of rule "seller" cannot be decided for this person: the person has no nickName.`,
			value:   "person.nickName is missing", fields: "[]",
		},
		"condition of a grant": {
			edit:    func(a *config.Assign) { a.Grants[0].When = `person.addresses[0].country == "DE"` },
			message: "The condition of grant 1 cannot be decided for this person: the person has no addresses.",
			value:   "person.addresses[0].country is missing", fields: "[]",
		},
		"too expensive": {
			edit: func(a *config.Assign) {
				a.Fields["Title"] = `string([1,2,3,4,5,6,7,8,9,10].all(a,[1,2,3,4,5,6,7,8,9,10].all(b,[1,2,3,4,5,6,7,8,9,10].all(c,[1,2,3,4,5,6,7,8,9,10].all(d,[1,2,3,4,5,6,7,8,9,10].all(e,[1,2,3,4,5,6,7,8,9,10].all(f,a+b+c+d+e+f < 1000)))))))`
			},
			message: "Title cannot be worked out for this person: takes too long to evaluate for this person.", fields: "[Title]",
		},
		"not a number": {
			edit:    func(a *config.Assign) { a.Fields["Title"] = `0.0 / 0.0` },
			message: "Title cannot be worked out for this person: yields a number that is not finite.", fields: "[Title]",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := compiled(t, func(f *config.File) {
				if test.edit != nil {
					a := f.Orgs["sales"].Assign
					test.edit(&a)
					f.Orgs["sales"] = config.Org{Assign: a}
				}
			})
			p := rulestest.Person(1)
			if test.person != nil {
				test.person(p)
			}
			d := desireOf(t, cfg, stateOf(p), nil)
			if d.Problem == nil || !d.Active || d.Fields != nil {
				t.Fatalf("desired = %+v", d)
			}
			if d.Problem.Message != test.message || d.Problem.Cause != events.CauseMapping || d.Problem.Operation != "map" || d.Problem.Expression == "" {
				t.Errorf("problem = %+v", d.Problem)
			}
			if !strings.Contains(d.Problem.Value, test.value) {
				t.Errorf("value = %q, want %q", d.Problem.Value, test.value)
			}
			if got := fmt.Sprint(d.Problem.Fields); got != test.fields {
				t.Errorf("fields = %s, want %s", got, test.fields)
			}
		})
	}
}

func TestEveryBadExpressionIsListed(t *testing.T) {
	t.Parallel()
	f := rulestest.File(t)
	f.Precedence = map[string][]string{"titel": {"hr"}, "title": {"nobody"}}
	a := rulestest.Assign()
	a.Fields["LastName"] = "person.name.familyNaem"
	a.Fields["FirstName"] = "persn.name +"
	a.Fields["Alias"] = "groups"
	a.Fields["ProfileId"] = `"x"`
	a.Fields["No Field"] = `"x"`
	a.Rules[0].When = `"yes"`
	a.Rules[1].Fields = map[string]string{"Title": "person.title.foo("}
	a.Grants[0].When = ""
	a.Match = []string{"external_id", "shoe"}
	f.Orgs["sales"] = config.Org{Assign: a}
	_, err := Compile(f)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`precedence: "titel" is not an attribute`,
		`precedence.title: "nobody" is not among the sources`,
		`org "sales": fields, field LastName: person.name.familyNaem: a person has no attribute "familyNaem"`,
		`org "sales": fields, field FirstName: line 1 column 13: Syntax error`,
		`org "sales": fields, field Alias: yields list(string)`,
		`org "sales": fields, field ProfileId: cannot be mapped: set the rule's profile`,
		`org "sales": fields, field No Field: is not a field's API name`,
		`org "sales": rule "seller", when: yields string, a condition must yield bool`,
		`org "sales": rule "member", field Title: line 1 column`,
		`org "sales": grant 1, when: is empty`,
		`org "sales": match: external_id needs externalIDField`,
		`org "sales": match: "shoe" is not one of`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("lacks %q", want)
		}
	}
	if t.Failed() {
		t.Logf("error:\n%v", err)
	}
}

func TestMergeFollowsPrecedence(t *testing.T) {
	t.Parallel()
	hr := &events.Person{Title: "HR title", Enterprise: &events.Enterprise{Department: "HR dept"}, Custom: map[string]string{"a": "hr", "b": "hr"}}
	dir := &events.Person{Title: "Dir title", DisplayName: "Dir", Enterprise: &events.Enterprise{Department: "Dir dept", Division: "Dir div"}, Custom: map[string]string{"a": "dir"}}
	state := stateOf(hr)
	state.Sources["directory"] = viewOf(dir)
	tests := map[string]struct {
		precedence                                  map[string][]string
		title, dept, div, display, customA, customB string
	}{
		"alphabetical":    {nil, "Dir title", "Dir dept", "Dir div", "Dir", "dir", "hr"},
		"star":            {map[string][]string{"*": {"hr"}}, "HR title", "HR dept", "Dir div", "Dir", "hr", "hr"},
		"path beats star": {map[string][]string{"*": {"hr"}, "title": {"directory"}}, "Dir title", "HR dept", "Dir div", "Dir", "hr", "hr"},
		"parent":          {map[string][]string{"enterprise": {"hr", "directory"}, "custom.a": {"hr"}}, "Dir title", "HR dept", "Dir div", "Dir", "hr", "hr"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newMerger(test.precedence).merge(state)
			got := fmt.Sprint(p.Title, p.Enterprise.Department, p.Enterprise.Division, p.DisplayName, p.Custom["a"], p.Custom["b"])
			want := fmt.Sprint(test.title, test.dept, test.div, test.display, test.customA, test.customB)
			if got != want {
				t.Errorf("merged %s, want %s", got, want)
			}
		})
	}
}

// TestMergeTakesEveryAttribute fails when Person gets an attribute that the
// merge does not know.
func TestMergeTakesEveryAttribute(t *testing.T) {
	t.Parallel()
	yes := true
	full := &events.Person{
		ExternalID: "a", UserName: "b", DisplayName: "c", NickName: "d", ProfileURL: "e", Title: "f", UserType: "g",
		PreferredLanguage: "h", Locale: "i", Timezone: "j", Active: &yes,
		Name:   &events.Name{Formatted: "1", FamilyName: "2", GivenName: "3", MiddleName: "4", HonorificPrefix: "5", HonorificSuffix: "6"},
		Emails: []events.Email{{Value: "m"}}, PhoneNumbers: []events.Valued{{Value: "p"}}, Addresses: []events.PostalAddress{{Country: "DE"}},
		Roles: []events.Valued{{Value: "r"}}, Entitlements: []events.Valued{{Value: "e"}},
		Enterprise: &events.Enterprise{EmployeeNumber: "1", CostCenter: "2", Organization: "3", Division: "4", Department: "5", Manager: &events.Manager{Value: "6"}},
		Custom:     map[string]string{"x": "y"},
	}
	state := stateOf(full)
	state.Sources["directory"] = events.SourceState{Person: &events.Person{}}
	p, active := compiled(t).Merge(state)
	p.Active = &active
	got := rulestest.Encoded(t, &events.Event{SpecVersion: "1.0", ID: "1", Source: "s", Type: events.TypePersonUpserted, Person: p})
	want := rulestest.Encoded(t, &events.Event{SpecVersion: "1.0", ID: "1", Source: "s", Type: events.TypePersonUpserted, Person: full})
	if string(got) != string(want) {
		t.Errorf("merged\n%s\nwant\n%s", got, want)
	}
}

func TestTruncateCountsCharacters(t *testing.T) {
	t.Parallel()
	if got := truncate("añb", 2); got != "añ" {
		t.Errorf("truncate = %q", got)
	}
}

// BenchmarkDesire is what it costs to work out one org for one person of whom two
// sources speak, with what they had before.
func BenchmarkDesire(b *testing.B) {
	r := compiled(b)
	state := said{"hr": "yes", "directory": "yes"}.state()
	previous, err := r.Desire(state, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Desire(state, nil, previous); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "people/s")
}
