package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// model is a Salesforce user as far as the pusher manages it.
type model struct {
	exists, active, frozen bool
	fields                 map[string]any
	sets                   map[string]string
	next                   int
}

// apply does to the model what the API calls of a change would do, and to the
// link what the pusher notes of their results.
func (m *model) apply(p *Person) {
	c := p.change
	if c.Create != nil {
		m.exists, m.active = true, true
		for k, v := range c.Create {
			if k != FieldActive {
				m.fields[k] = v
			}
		}
		p.Account().Created("005")
	}
	for k, v := range c.Update {
		if k == FieldActive {
			m.active = v.(bool)
			continue
		}
		m.fields[k] = v
	}
	for len(p.change.Update) > 0 {
		p.Account().Updated()
	}
	if c.Unfreeze {
		m.frozen = false
		p.Account().FrozenIs(false, true)
	}
	if c.Freeze {
		m.frozen = true
		p.Account().FrozenIs(true, true)
	}
	for _, name := range slices.Clone(c.Give) {
		m.next++
		m.sets[name] = fmt.Sprint(m.next)
		p.Assignments().Given(name, m.sets[name])
	}
	for _, name := range slices.Clone(c.Take) {
		delete(m.sets, name)
		p.Assignments().Taken(name)
	}
	p.planned, p.names.done = true, true
	p.Next(&Policy{})
}

func (m *model) user() *User {
	u := &User{ID: "005", Active: m.active, Fields: map[string]any{}}
	for k, v := range m.fields {
		u.Fields[strings.ToLower(k)] = v
	}
	return u
}

func drawDesired(t *rapid.T, revision uint64) events.Desired {
	d := events.Desired{V: 1, Org: "acme", Key: "k", Active: rapid.IntRange(0, 3).Draw(t, "active") > 0}
	if d.Active {
		d.Profile = rapid.SampledFrom([]string{"P1", "P2"}).Draw(t, "profile")
		d.Role = rapid.SampledFrom([]string{"", "R1", "R2"}).Draw(t, "role")
		d.Fields = map[string]any{}
		for _, f := range []string{"Username", "Title", "Phone", "Level__c", "Remote__c"} {
			if rapid.Bool().Draw(t, f) {
				d.Fields[f] = rapid.SampledFrom([]any{nil, "", "a", "b", 1.0, 2.5, true, false}).Draw(t, "value")
			}
		}
		d.Assignments = map[string][]string{}
		for _, k := range events.AssignmentKinds() {
			d.Assignments[k.Key] = rapid.SliceOfDistinct(rapid.SampledFrom([]string{"A", "B", "C"}), rapid.ID).Draw(t, k.Many)
		}
	}
	d.Hash = fmt.Sprint(revision)
	return d
}

func idsFor(d events.Desired) IDs {
	out := IDs{}
	if d.Profile != "" {
		out.Profile = "id-" + d.Profile
	}
	if d.Role != "" {
		out.Role = "id-" + d.Role
	}
	return out
}

// TestPlanConverges: after any sequence of wishes, doing what the plan says
// makes the user as wished, and planning again, by hashes or by values read,
// finds nothing to do.
func TestPlanConverges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &model{fields: map[string]any{}, sets: map[string]string{"ps/OWN": "0"}}
		link := events.Link{}
		for revision := range uint64(rapid.IntRange(1, 8).Draw(t, "wishes")) {
			d := drawDesired(t, revision+1)
			freezeFirst := rapid.Bool().Draw(t, "freeze first")
			p := New(State{Key: "k", Desired: d, Revision: revision + 1, Link: link})
			p.names.ids = idsFor(d)
			switch {
			case m.exists:
				if rapid.Bool().Draw(t, "read first") {
					p.lookup.user = m.user()
				}
				p.change = planExisting(d, p.Link, p.lookup.user, p.names.ids, freezeFirst)
				if d.Active {
					p.keepHashes()
				}
			case d.Active:
				p.change = planCreate(d, p.names.ids)
			}
			m.apply(p)
			if p.Fate() != Applied {
				t.Fatalf("fate %s, left %+v", p.Fate(), p.change)
			}
			link = p.Link
			m.check(t, d, link)
			for _, u := range []*User{nil, m.user()} {
				if c := planExisting(d, link, u, p.names.ids, freezeFirst); m.exists && !c.empty() {
					t.Fatalf("planning again (read: %v) finds %+v", u != nil, c)
				}
			}
		}
	})
}

func (m *model) check(t *rapid.T, d events.Desired, link events.Link) {
	if m.active != d.Active || link.Active != m.active || m.active && m.frozen {
		t.Fatalf("active %v (link %v), frozen %v, want active %v", m.active, link.Active, m.frozen, d.Active)
	}
	if !d.Active {
		return
	}
	for name, v := range d.Fields {
		if !same(m.fields[name], v) {
			t.Fatalf("%s is %v, want %v", name, m.fields[name], v)
		}
	}
	want := []string{"ps/OWN"}
	for _, k := range events.AssignmentKinds() {
		for _, name := range d.Assignments[k.Key] {
			want = append(want, k.ID+"/"+name)
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(m.sets)); !slices.Equal(got, want) {
		t.Fatalf("has %v, want %v", got, want)
	}
	role := m.fields[FieldRole]
	if d.Role != "" && role != "id-"+d.Role || d.Role == "" && role != nil {
		t.Fatalf("role %v, want %q", role, d.Role)
	}
}

func TestUnmanagedFieldsAreNotSent(t *testing.T) {
	t.Parallel()
	d := events.Desired{Active: true, Fields: map[string]any{"Title": "a", "IsActive": false, "profileid": "x", "Id": "y"}}
	u := &User{Active: true, Fields: map[string]any{"title": "b", "phone": "1", "userroleid": "r"}}
	c := planExisting(d, events.Link{}, u, IDs{}, false)
	if len(c.Update) != 1 || c.Update["Title"] != "a" {
		t.Errorf("update %v, want the title alone", c.Update)
	}
}

func TestWhatWasThereBeforeIsNeitherGivenNorTaken(t *testing.T) {
	t.Parallel()
	have := map[string]string{"ps/A": found, "ps/B": found, "ps/C": "0Pa", "group/G": perhaps, "ps/E": perhaps, "ps/F": there}
	give, take := planAssignments(events.Desired{Assignments: map[string][]string{"permissionSets": {"A", "D", "D", "E", "F"}}}, have)
	if !slices.Equal(give, []string{"ps/D", "ps/E"}) || !slices.Equal(take, []string{"group/G", "ps/C"}) {
		t.Errorf("give %v, take %v", give, take)
	}
}

// TestAMisspeltNameTakesNothingAway: while a name has never stood for anything,
// what a person has of its kind stays with them; other kinds go on.
func TestAMisspeltNameTakesNothingAway(t *testing.T) {
	t.Parallel()
	o := holding()
	sets := func(names ...string) map[string][]string { return map[string][]string{"permissionSets": names} }
	has := func() map[string]string { return map[string]string{"ps/Support_Base": "0Pa1", "group/Old": "0111"} }
	catalogue := func(known ...string) *Catalogue {
		c := NewCatalogue(nil)
		wanted, queries := Names{}, c.Queries(Names{"ps": {"x": true}}, time.Now())
		for _, n := range append(known, "Suport_Base", "Support_Base") {
			wanted.Add("ps", n)
		}
		answers := make([][]salesforce.Record, len(queries))
		for i, n := range known {
			answers[len(answers)-1] = append(answers[len(answers)-1], salesforce.Record{"Id": fmt.Sprint("0PS", i), "Name": n})
		}
		c.Learn(wanted, queries, answers, time.Now())
		return c
	}
	plan := func(c *Catalogue, had map[string]string) *Person {
		p := New(State{Desired: events.Desired{Active: true, Assignments: sets("Suport_Base")}, Link: events.Link{UserID: "005", Active: true, Assigned: had}})
		p.names.done = true
		c.known[entry(KindProfile, "")] = Target{ID: "00e"}
		p.Naming().Resolved(c, o)
		p.reconcile(o)
		return p
	}
	p := plan(catalogue("Support_Base"), has())
	if got := p.change.Take; !slices.Equal(got, []string{"group/Old"}) {
		t.Errorf("takes %v for a misspelt permission set, want the group alone", got)
	}
	p.change = Change{}
	if v := p.Decide(o); v.Fail == nil || v.Fail.Cause != events.CauseGroupMapping || !strings.Contains(v.Fail.Message, "may be misspelt") {
		t.Errorf("ends with %+v", v)
	}
	// A name that was there and is not any more is no misspelling.
	c := catalogue("Support_Base", "Suport_Base")
	gone := Names{}
	gone.Add("ps", "Suport_Base")
	c.Learn(gone, c.Queries(gone, time.Now()), make([][]salesforce.Record, 2), time.Now())
	if got := plan(c, has()).change.Take; !slices.Equal(got, []string{"group/Old", "ps/Support_Base"}) {
		t.Errorf("takes %v where the wanted set was there before", got)
	}
	had := has()
	had["ps/Suport_Base"] = "0Pa2"
	if got := plan(catalogue("Support_Base"), had).change.Take; !slices.Equal(got, []string{"group/Old", "ps/Support_Base"}) {
		t.Errorf("takes %v where the user was given the wanted set once", got)
	}
}

// TestAProfileGoesAloneAndFirst: what else the user may have depends on it.
func TestAProfileGoesAloneAndFirst(t *testing.T) {
	t.Parallel()
	p := New(State{Link: events.Link{UserID: "005"}})
	p.planned, p.names.done = true, true
	p.change = Change{Update: map[string]any{FieldProfile: "00e", FieldActive: true, "Title": "a"}}
	a := p.Account()
	if got := a.Sending(); len(got) != 1 || got[FieldProfile] != "00e" {
		t.Fatalf("sends %v first", got)
	}
	a.Updated()
	if got := a.Sending(); len(got) != 2 || p.Link.Active {
		t.Fatalf("sends %v then, active %v", got, p.Link.Active)
	}
	a.Updated()
	if len(p.change.Update) != 0 || !p.Link.Active || p.Link.FieldHashes["Title"] == "" || p.Link.FieldHashes[FieldProfile] == "" {
		t.Errorf("left %v, link %+v", p.change.Update, p.Link)
	}
}
