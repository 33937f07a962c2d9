package rules

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// withSources has three sources, of which those named are authorities.
func withSources(authority ...string) func(*config.File) {
	return func(f *config.File) {
		f.Sources["contractors"] = config.Source{Correlate: "externalId"}
		f.Authority = authority
	}
}

// said is what sources last said of a person: yes or no where they said active,
// nothing where they did not, removed.
type said map[string]string

func (s said) state() *events.PersonState {
	state := &events.PersonState{Key: "k", CorrelationID: "W1", Sources: map[string]events.SourceState{}}
	for name, what := range s {
		p := rulestest.Person(1)
		is := what == "yes"
		switch what {
		case "removed":
			state.Sources[name] = events.SourceState{Removed: true}
			continue
		case "yes", "no":
			p.Active = &is
		}
		state.Sources[name] = viewOf(p)
	}
	return state
}

func TestAuthorityDecidesWhoIsEmployed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		said said
		want employment
	}{
		"the first that has them decides":             {said{"hr": "no", "contractors": "yes", "directory": "yes"}, inactive},
		"whatever the others say":                     {said{"hr": "yes", "contractors": "no", "directory": "no"}, employed},
		"who has them and says nothing of it":         {said{"hr": "", "contractors": "no", "directory": "no"}, employed},
		"an employee who goes on as a contractor":     {said{"hr": "removed", "contractors": "yes"}, employed},
		"a contractor who is not active":              {said{"hr": "removed", "contractors": "no", "directory": "yes"}, inactive},
		"a directory keeps nobody":                    {said{"hr": "removed", "directory": "yes"}, gone},
		"removed by all that ever had them":           {said{"hr": "removed", "contractors": "removed", "directory": "yes"}, gone},
		"a silent authority means nothing":            {said{"contractors": "yes"}, employed},
		"nor where the others removed them":           {said{"contractors": "removed", "directory": "yes"}, gone},
		"a directory makes nobody":                    {said{"directory": "yes"}, unheard},
		"nor does it remove whom no authority has":    {said{"directory": "removed"}, unheard},
		"a source that the configuration has no more": {said{"payroll": "no"}, unheard},
		"nobody": {said{}, unheard},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := compiled(t, withSources("hr", "contractors"))
			if got := r.authority.judge(test.said.state()); got != test.want {
				t.Errorf("employment is %d, want %d", got, test.want)
			}
		})
	}
}

func TestOneSingleSourceIsTheAuthority(t *testing.T) {
	t.Parallel()
	r := compiled(t, func(f *config.File) {
		delete(f.Sources, "directory")
		f.Authority = nil
		f.Orgs["sales"] = config.Org{}
	})
	for what, want := range map[string]employment{"yes": employed, "": employed, "no": inactive, "removed": gone} {
		if got := r.authority.judge(said{"hr": what}.state()); got != want {
			t.Errorf("it says %q: employment is %d, want %d", what, got, want)
		}
	}
	if r.Assumed() {
		t.Error("one source is asked for an order")
	}
}

// A configuration from before there was an authority goes on deciding by
// precedence; but a removal counts as what it says.
func TestPrecedenceStandsForAnAuthority(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		precedence map[string][]string
		said       said
		want       employment
	}{
		"the first that says it":                   {map[string][]string{"*": {"hr", "directory"}}, said{"hr": "no", "directory": "yes"}, inactive},
		"the next where it says nothing":           {map[string][]string{"*": {"hr", "directory"}}, said{"hr": "", "directory": "no"}, inactive},
		"removed by the first":                     {map[string][]string{"*": {"hr", "directory"}}, said{"hr": "removed", "directory": "yes"}, gone},
		"removed by a later one":                   {map[string][]string{"*": {"hr", "directory"}}, said{"hr": "", "directory": "removed"}, employed},
		"known to a later one alone":               {map[string][]string{"*": {"hr", "directory"}}, said{"directory": "yes"}, employed},
		"active has an order of its own":           {map[string][]string{"*": {"hr"}, "active": {"directory"}}, said{"hr": "yes", "directory": "no"}, inactive},
		"what the order does not name comes after": {map[string][]string{"*": {"hr"}}, said{"hr": "removed", "contractors": "yes"}, gone},
		"nobody": {map[string][]string{"*": {"hr"}}, said{}, unheard},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := compiled(t, withSources(), func(f *config.File) { f.Precedence = test.precedence })
			if got := r.authority.judge(test.said.state()); got != test.want || !r.Assumed() {
				t.Errorf("employment is %d, want %d", got, test.want)
			}
		})
	}
}

func TestSeveralSourcesNeedAnOrder(t *testing.T) {
	t.Parallel()
	for name, precedence := range map[string]map[string][]string{
		"none": nil, "none for active": {"emails": {"directory"}}, "an empty one": {"*": {"hr"}, "active": {}},
	} {
		f := rulestest.File(t)
		f.Authority, f.Precedence = nil, precedence
		_, err := Compile(f)
		const want = "authority: is missing: with several sources (directory, hr) write which of them decide who is employed, the most trusted first, as in authority: [NAME, NAME]; one that is not in the list adds attributes and groups, and creates and keeps nobody"
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Of somebody of whom no authority has spoken nothing is decided: nobody is made,
// and what is there stays, its fields following.
func TestWhomNoAuthorityHasSpokenOf(t *testing.T) {
	t.Parallel()
	r := compiled(t)
	state := said{"directory": "no"}.state()
	if d := desireOf(t, r, state, nil); d != nil {
		t.Errorf("somebody is made, or looked for: %+v", d)
	}
	was := &events.Desired{Org: "sales", Key: "k", Sought: true, Match: events.Match{Email: "old"}}
	if d := desireOf(t, r, state, was); d == nil || d.Active || d.Match != was.Match || !d.Sought {
		t.Errorf("somebody without a user became %+v", d)
	}
	before := &events.Desired{Org: "sales", Key: "k", Active: true, Match: events.Match{Email: "old"}}
	if d := desireOf(t, r, state, before); d == nil || !d.Active || d.Fields["Title"] != "Consultant" || d.Match != sampleMatch() {
		t.Errorf("somebody with a user became %+v", d)
	}
	p := state.Sources["directory"].Person
	p.Enterprise.Department = "Kitchen"
	for what, state := range map[string]*events.PersonState{"No rule matches": state, "No source has": said{"directory": "removed"}.state()} {
		d := desireOf(t, r, state, before)
		if d == nil || !d.Active || d.Problem == nil || !strings.HasPrefix(d.Problem.Message, what) || d.Match != before.Match {
			t.Errorf("%s: %+v, want a problem", what, d)
		}
	}
}

// What a leaver is found by is what was known of them before they were removed,
// also where a source that decides nothing goes on speaking of them.
func TestWhoIsRemovedIsSoughtAsTheyWere(t *testing.T) {
	t.Parallel()
	r := compiled(t)
	before, after := said{"hr": "yes", "directory": "yes"}.state(), said{"hr": "removed", "directory": "yes"}.state()
	after.Sources["directory"].Person.Emails = nil
	later := said{"hr": "removed", "directory": "removed"}.state()
	for name, test := range map[string]struct {
		state, before *events.PersonState
		want          events.Match
	}{
		"when the authority removes them": {after, before, sampleMatch()},
		"and the directory does":          {later, after, events.Match{FederationID: "W1", Username: sampleMatch().Username}},
		"and nobody has them":             {later, later, events.Match{FederationID: "W1"}},
	} {
		wishes, err := r.Desire(test.state, test.before, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d := wishes["sales"]; !r.Gone(test.state) || d == nil || d.Match != test.want || !d.Sought {
			t.Errorf("%s: %+v, want them sought by %+v", name, d, test.want)
		}
	}
}

// spoken is an event of one of several sources, in a history of all of them.
type spoken struct {
	source string
	word   word
}

// decides says what a history of two authorities and one other source comes to,
// worked out from all of it at once.
func decides(h []spoken, authorities ...string) employment {
	decided := unheard
	for _, name := range authorities {
		var last, active *word
		for _, e := range h {
			switch {
			case e.source != name:
			case e.word.removed:
				last, active = &e.word, nil
			default:
				last = &e.word
				if e.word.active != "" {
					active = &e.word
				}
			}
		}
		switch {
		case last == nil:
		case last.removed:
			decided = gone
		case active != nil && active.active == "no":
			return inactive
		default:
			return employed
		}
	}
	return decided
}

// spokenHistories yields every history of n events of three sources.
func spokenHistories(n int) iter.Seq[[]spoken] {
	var each []spoken
	for _, source := range []string{"hr", "contractors", "directory"} {
		for _, w := range []word{{removed: true}, {}, {active: "yes"}, {active: "no"}} {
			each = append(each, spoken{source, w})
		}
	}
	return func(yield func([]spoken) bool) {
		h := make([]spoken, n)
		var fill func(int) bool
		fill = func(i int) bool {
			if i == n {
				return yield(h)
			}
			for _, e := range each {
				if h[i] = e; !fill(i + 1) {
					return false
				}
			}
			return true
		}
		fill(0)
	}
}

// TestEveryOrderOfSourcesEndsAlike has two authorities and one other source speak
// of a person in every small way, read in every order, each event by itself: who
// has a user in the end, and who had before it, hangs on what was said alone.
func TestEveryOrderOfSourcesEndsAlike(t *testing.T) {
	t.Parallel()
	r := compiled(t, withSources("hr", "contractors"))
	had := map[string]*events.Desired{
		"no user": nil, "a user": {Org: "sales", Key: "k", Active: true}, "a user who is inactive": {Org: "sales", Key: "k"},
	}
	differ := 0
	for _, n := range []int{1, 2, 3} {
		for h := range spokenHistories(n) {
			decided := decides(h, "hr", "contractors")
			for name, before := range had {
				want := decided == employed || decided == unheard && before != nil && before.Active
				for order := range orders(n) {
					got := readBy(t, r, h, order, before)
					if is := got != nil && got.Active; is != want || decided == unheard && (got == nil) != (before == nil) {
						if differ++; differ < 4 {
							t.Errorf("%v, read in the order %v by somebody with %s, ends as %+v; want active %v", h, order, name, got, want)
						}
					}
				}
			}
		}
	}
	if differ > 0 {
		t.Errorf("%d end otherwise than they should", differ)
	}
}

// readBy folds a history in some order, working out what the org should have
// after each event.
func readBy(t *testing.T, r *Rules, h []spoken, order []int, had *events.Desired) *events.Desired {
	t.Helper()
	state := &events.PersonState{Key: "k", CorrelationID: "W1"}
	for _, i := range order {
		in := slices.Insert(make(history, i, i+1), i, h[i].word).event(i, h[i].source, events.VersionNone)
		said := rulestest.Person(1)
		said.Title, said.Active = in.Person.Title, in.Person.Active
		in.Person = said
		FoldPerson(state, in)
		if d := desireOf(t, r, state, had); d != nil {
			had = d
		}
	}
	return had
}

func TestGroupsAreNamedByTheirSource(t *testing.T) {
	t.Parallel()
	state := stateOf(rulestest.Person(1))
	state.Groups = map[events.Key]events.Membership{
		"a": {Source: "hr", Name: "Leads"}, "b": {Source: "directory", Name: "Leads"}, "c": {Source: "hr", Name: "Gone", Left: true},
	}
	if got := fmt.Sprint(groupNames(state)); got != "[directory/Leads hr/Leads]" {
		t.Errorf("groups = %s", got)
	}
}

func TestABareGroupNameIsRefused(t *testing.T) {
	t.Parallel()
	for expression, name := range map[string]string{
		`"Leads" in groups`:                                            "Leads",
		`"payroll/Leads" in groups || person.active`:                   "payroll/Leads",
		`groups.exists(g, g == "Leads")`:                               "Leads",
		`groups.filter(g, "Leads" != g).size() > 0`:                    "Leads",
		`groups.exists(g, g in ["hr/Leads", "Others"])`:                "Others",
		`person.active ? !("Leads" in groups) : false`:                 "Leads",
		`groups.exists(g, g.startsWith("CRM"))`:                        "CRM",
		`groups.exists(g, g.startsWith("hr/") || g.startsWith("dir"))`: "",
		`"hr/Leads" in groups`:                                         "",
		`groups.exists(g, g == "directory/Leads")`:                     "",
		`"Leads" in person.?title.orValue("").split(" ")`:              "",
		`groups.exists(g, g.endsWith("/Leads"))`:                       "",
		`groups.exists(g, g == "hr/" + person.displayName)`:            "",
	} {
		c, err := newCompiler([]string{"directory", "hr"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.condition(expression)
		want := fmt.Sprintf("%q is no group's name: the name of the source that publishes it (one of directory, hr) stands before it, as in %q", name, "directory/"+name)
		if name == "" && err != nil || name != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: %v, want %q", expression, err, want)
		}
	}
	if err := noGroup("Leads", []string{"hr"}); !strings.HasSuffix(err.Error(), `write "hr/Leads"`) {
		t.Errorf("with one source: %v", err)
	}
}
