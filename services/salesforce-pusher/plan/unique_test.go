package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// registry is an org that keeps usernames unique: by user id, who is called how.
type registry struct {
	names map[string]string
	// together is an org that judges all records of a call by what was before it.
	together bool
	updates  int
	looks    int
}

func (r *registry) holder(name string) string { return holderIn(r.names, name) }

func holderIn(names map[string]string, name string) string {
	for id, n := range names {
		if strings.EqualFold(n, name) {
			return id
		}
	}
	return ""
}

// update is one call, in the order of turns.
func (r *registry) update(people []*Person) {
	r.updates++
	people = slices.Clone(people)
	slices.SortStableFunc(people, func(a, b *Person) int { return a.Account().Turn() - b.Account().Turn() })
	before := map[string]string{}
	for id, n := range r.names {
		before[id] = n
	}
	for _, p := range people {
		id, name := p.Link.UserID, p.Account().Sending()[FieldUsername].(string)
		by := r.holder(name)
		if was := holderIn(before, name); r.together && by == "" {
			by = was
		}
		if by != "" && by != id {
			p.Account().UpdateRefused(&salesforce.Error{Class: salesforce.Duplicate, Kind: salesforce.KindUsername, Outcome: salesforce.NotApplied, Message: "dup"})
			continue
		}
		r.names[id] = name
		p.Account().Updated()
	}
}

func (r *registry) order(refused, all []*Person) {
	r.looks++
	s := Renames{Org: "acme", Holders: map[string]Holder{}, Present: all}
	for _, p := range refused {
		if id := r.holder(p.Wants()); id != "" {
			h := Holder{UserID: id, Username: r.names[id]}
			for _, q := range all {
				if q.Link.UserID == id {
					h.Key, h.Desired = q.Key, &q.Desired
				}
			}
			s.Holders[p.wants()] = h
		}
	}
	s.Order(refused)
}

// work meets needs as a step does.
func (r *registry) work(t *rapid.T, all []*Person) {
	for range 4 * (len(all) + 1) {
		byNeed := map[Need][]*Person{}
		for _, p := range all {
			n := p.Next(&Policy{Update: true})
			byNeed[n] = append(byNeed[n], p)
		}
		switch {
		case len(byNeed[NeedUpdate]) > 0:
			r.update(byNeed[NeedUpdate])
		case len(byNeed[NeedHolder]) > 0:
			r.order(byNeed[NeedHolder], all)
		case len(byNeed[NeedNothing]) == len(all):
			return
		default:
			t.Fatalf("needs %v", byNeed)
		}
	}
	t.Fatalf("no end after %d updates", r.updates)
}

func renamed(i int, name string, had string) *Person {
	p := New(State{Key: events.Key(fmt.Sprintf("k%02d", i)), Revision: 1,
		Desired: events.Desired{Active: true, Fields: map[string]any{FieldUsername: name}},
		Link:    events.Link{UserID: fmt.Sprintf("005%02d", i), Active: true, FieldHashes: map[string]string{FieldUsername: hashValue(had)}}})
	p.names.done = true
	return p
}

// TestAnyPermutationOfUsernamesEndsInOneStep: people of one batch take each
// other's usernames in any way, in chains that end at a free one and in circles,
// whatever an org makes of a call that carries both halves.
func TestAnyPermutationOfUsernamesEndsInOneStep(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "people")
		names := make([]string, n, n+3)
		for i := range names {
			names[i] = fmt.Sprintf("u%02d@x.test", i)
		}
		wanted := rapid.Permutation(append(names, "free1@x.test", "free2@x.test", "free3@x.test")).Draw(t, "wanted")
		r := &registry{names: map[string]string{}, together: rapid.Bool().Draw(t, "a call is judged at once")}
		var all []*Person
		for i := range n {
			r.names[fmt.Sprintf("005%02d", i)] = names[i]
			all = append(all, renamed(i, wanted[i], names[i]))
		}
		// Somebody may want a name of a person who moves nowhere: everybody else is
		// as they should be all the same, but for those who wait for that one.
		r.work(t, all)
		for i, p := range all {
			if p.Fate() != Applied || r.names[p.Link.UserID] != wanted[i] {
				t.Fatalf("person %d is %s, called %s, want %s (%+v)", i, p.Fate(), r.names[p.Link.UserID], wanted[i], p.Failure())
			}
			if p.Link.FieldHashes[FieldUsername] != hashValue(wanted[i]) {
				t.Fatalf("the link of person %d does not say what the user is called", i)
			}
		}
		if limit := 4; !r.together && (r.updates > limit || r.looks > limit) {
			t.Fatalf("%d updates and %d looks", r.updates, r.looks)
		}
	})
}

// TestWhoeverCannotBeRenamedKeepsTheirName: some usernames belong to others, who
// keep them. Nobody ends with a passing username, and everybody who waits for
// nobody of those is renamed.
func TestWhoeverCannotBeRenamedKeepsTheirName(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 10).Draw(t, "people")
		r := &registry{names: map[string]string{"005ZZ": "stranger@x.test"}, together: rapid.Bool().Draw(t, "a call is judged at once")}
		pool := []string{"stranger@x.test", "free@x.test"}
		for i := range n {
			pool = append(pool, fmt.Sprintf("u%02d@x.test", i))
		}
		var all []*Person
		had := map[*Person]string{}
		for i := range n {
			name := fmt.Sprintf("u%02d@x.test", i)
			p := renamed(i, rapid.SampledFrom(pool).Draw(t, "wanted"), name)
			r.names[p.Link.UserID], had[p] = name, name
			all = append(all, p)
		}
		r.work(t, all)
		for _, p := range all {
			is := r.names[p.Link.UserID]
			switch {
			case p.Fate() == Applied && is == p.Wants():
			case p.Fate() == Failed && is == had[p] && (p.Failure().Cause == events.CauseDuplicate || p.Failure().Cause == events.CauseWaiting):
			default:
				t.Fatalf("%s is %s, called %s, had %s, wants %s (%+v)", p.Key, p.Fate(), is, had[p], p.Wants(), p.Failure())
			}
			if p.Fate() == Failed && r.holder(p.Wants()) == "" {
				t.Fatalf("%s failed, and nobody has %s", p.Key, p.Wants())
			}
		}
	})
}

// TestAPassingUsernameIsValid: Salesforce wants the form of an e-mail address of 80
// characters at the most, unique over all orgs.
func TestAPassingUsernameIsValid(t *testing.T) {
	t.Parallel()
	p := renamed(1, "Ann@acme.example", "")
	got := passing("acme", p)
	if !strings.HasSuffix(got, "@acme.example") || len(got) > 80 || strings.Count(got, "@") != 1 {
		t.Errorf("passing username %q", got)
	}
	if passing("acme", p) != got || passing("other", p) == got || passing("acme", renamed(2, "Ann@acme.example", "")) == got {
		t.Errorf("%q is not the same at every try, or not its own", got)
	}
	p.Desired.Fields[FieldUsername] = "x@" + strings.Repeat("d", 90) + ".example"
	if got := passing("acme", p); len(got) > 80 || !strings.Contains(got, "@") {
		t.Errorf("%d characters: %q", len(got), got)
	}
}

// TestAPassingUsernameIsNotTakenForTheFormerOne: a step may end between the two
// names, and HR may take the change back meanwhile.
func TestAPassingUsernameIsNotTakenForTheFormerOne(t *testing.T) {
	t.Parallel()
	r := &registry{names: map[string]string{"00501": "a@x.test", "00502": "b@x.test"}}
	a, b := renamed(1, "b@x.test", "a@x.test"), renamed(2, "a@x.test", "b@x.test")
	all := []*Person{a, b}
	for _, p := range all {
		p.Next(&Policy{Update: true})
	}
	r.update(all)
	r.order(all, all)
	r.update([]*Person{a})
	if name := r.names["00501"]; !strings.HasPrefix(name, "rollcall-passing") {
		t.Fatalf("called %s in between", name)
	}
	a.Stop(&Policy{Update: true})
	back := events.Desired{Active: true, Fields: map[string]any{FieldUsername: "a@x.test"}}
	if c := planExisting(back, a.Release(time.Now()), nil, IDs{}, false); c.Update[FieldUsername] != "a@x.test" {
		t.Errorf("back to the former name, the plan is %+v", c)
	}
}
