package push

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rollcall-sync/rollcall/pkg/events"
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
func (m *model) apply(p *person) {
	c := p.todo
	if c.create != nil {
		m.exists, m.active = true, true
		for k, v := range c.create {
			if k != fieldActive {
				m.fields[k] = v
			}
		}
		s := &step{taken: map[string]events.Key{}}
		s.created(p, "005")
	}
	for k, v := range c.update {
		if k == fieldActive {
			m.active = v.(bool)
			continue
		}
		m.fields[k] = v
	}
	p.updated()
	if c.unfreeze {
		m.frozen = false
		p.frozenIs(false)
	}
	if c.freeze {
		m.frozen = true
		p.frozenIs(true)
		p.todo.freeze = false
	}
	for _, name := range slices.Clone(c.give) {
		m.next++
		m.sets[name] = fmt.Sprint(m.next)
		p.given(name, m.sets[name])
	}
	for _, name := range slices.Clone(c.take) {
		delete(m.sets, name)
		p.taken(name)
	}
	p.planned = true
	p.finish()
}

func (m *model) user() *user {
	u := &user{id: "005", active: m.active, fields: map[string]any{}}
	for k, v := range m.fields {
		u.fields[strings.ToLower(k)] = v
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
		d.PermissionSets = rapid.SliceOfDistinct(rapid.SampledFrom([]string{"A", "B", "C"}), rapid.ID).Draw(t, "sets")
		d.Groups = rapid.SliceOfDistinct(rapid.SampledFrom([]string{"G", "H"}), rapid.ID).Draw(t, "groups")
	}
	d.Hash = fmt.Sprint(revision)
	return d
}

func idsFor(d events.Desired) ids {
	out := ids{}
	if d.Profile != "" {
		out.profile = "id-" + d.Profile
	}
	if d.Role != "" {
		out.role = "id-" + d.Role
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
			p := &person{key: "k", desired: d, revision: revision + 1, link: link, ids: idsFor(d)}
			switch {
			case m.exists:
				if rapid.Bool().Draw(t, "read first") {
					p.user = m.user()
				}
				p.todo = planExisting(d, p.link, p.user, p.ids, freezeFirst)
				if d.Active {
					p.keepHashes()
				}
			case d.Active:
				p.todo = planCreate(d, p.ids)
			}
			m.apply(p)
			if p.fate != applied {
				t.Fatalf("fate %s, left %+v", p.fate, p.todo)
			}
			link = p.link
			m.check(t, d, link)
			for _, u := range []*user{nil, m.user()} {
				if c := planExisting(d, link, u, p.ids, freezeFirst); m.exists && !c.empty() {
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
	for _, s := range d.PermissionSets {
		want = append(want, "ps/"+s)
	}
	for _, g := range d.Groups {
		want = append(want, "group/"+g)
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(m.sets)); !slices.Equal(got, want) {
		t.Fatalf("has %v, want %v", got, want)
	}
	role := m.fields[fieldRole]
	if d.Role != "" && role != "id-"+d.Role || d.Role == "" && role != nil {
		t.Fatalf("role %v, want %q", role, d.Role)
	}
}

func TestUnmanagedFieldsAreNotSent(t *testing.T) {
	t.Parallel()
	d := events.Desired{Active: true, Fields: map[string]any{"Title": "a", "IsActive": false, "profileid": "x", "Id": "y"}}
	u := &user{active: true, fields: map[string]any{"title": "b", "phone": "1", "userroleid": "r"}}
	c := planExisting(d, events.Link{}, u, ids{}, false)
	if len(c.update) != 1 || c.update["Title"] != "a" {
		t.Errorf("update %v, want the title alone", c.update)
	}
}

func TestWhatWasThereBeforeIsNeitherGivenNorTaken(t *testing.T) {
	t.Parallel()
	have := map[string]string{"ps/A": found, "ps/B": found, "ps/C": "0Pa", "group/G": perhaps, "ps/E": perhaps, "ps/F": there}
	give, take := planAssignments(events.Desired{PermissionSets: []string{"A", "D", "D", "E", "F"}}, have)
	if !slices.Equal(give, []string{"ps/D", "ps/E"}) || !slices.Equal(take, []string{"group/G", "ps/C"}) {
		t.Errorf("give %v, take %v", give, take)
	}
}
