package preview

import (
	"cmp"
	"maps"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/gate"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
)

// maxSample is how many people of each kind are named.
const maxSample = 10

// counted is what is counted of an org before it has its names and its order.
type counted struct {
	rules           map[string]Count
	profiles, roles map[[2]string]int
	assignments     map[[2]string]AssignmentCount
	takes           map[gate.Place]int
	calls           calls
	freezeFirst     bool
}

func newOrg(name string, freezeFirst bool) *Org {
	return &Org{Org: name, What: map[What]int{}, Fields: map[string]int{}, Seats: map[string]int{}, Samples: map[string][]Who{},
		counted: counted{
			rules: map[string]Count{}, profiles: map[[2]string]int{}, roles: map[[2]string]int{},
			assignments: map[[2]string]AssignmentCount{}, takes: map[gate.Place]int{}, freezeFirst: freezeFirst,
			calls: calls{given: map[string]int{}, taken: map[string]int{}},
		}}
}

// leave counts somebody who has a user in an org that is dropped.
func (p *Plan) leave(org string) {
	for i := range p.Dropped {
		if p.Dropped[i].Org == org {
			p.Dropped[i].Active++
		}
	}
}

// add counts what becomes of one person; name is what an operator knows them by.
func (o *Org) add(c *Change, name string) {
	o.addStanding(c)
	if len(c.Held) > 0 {
		o.Held++
	}
	what := c.What()
	if what == Nothing {
		return
	}
	o.What[what]++
	o.sample(string(what), c.Key, name)
	if what == Deactivated && !c.HasUser {
		o.WithoutUser++
	}
	for _, at := range c.taken {
		o.counted.takes[at]++
	}
	d := differ(c.Is, c.Next)
	o.addNames(what, d)
	o.addUser(c, what, d)
}

// addStanding counts who has a user by which rule, and of which profile.
func (o *Org) addStanding(c *Change) {
	if active(c.Is) {
		o.Active.Before++
		n := o.counted.rules[c.Is.Rule]
		n.Before++
		o.counted.rules[c.Is.Rule] = n
		o.seat(c.Is.Profile, -1)
	}
	if active(c.Next) {
		o.Active.After++
		n := o.counted.rules[c.Next.Rule]
		n.After++
		o.counted.rules[c.Next.Rule] = n
		o.seat(c.Next.Profile, 1)
	}
}

// seat counts seats; whose profile cannot be worked out keeps what they have.
func (o *Org) seat(profile string, more int) {
	if profile == "" {
		return
	}
	if o.Seats[profile] += more; o.Seats[profile] == 0 {
		delete(o.Seats, profile)
	}
}

func (o *Org) addNames(what What, d difference) {
	calls := &o.counted.calls
	for kind, names := range d.gained {
		for _, name := range names {
			at := [2]string{kind, name}
			n := o.counted.assignments[at]
			n.Gained++
			o.counted.assignments[at] = n
		}
		calls.given[kind] += len(names)
	}
	for kind, names := range d.lost {
		for _, name := range names {
			at := [2]string{kind, name}
			n := o.counted.assignments[at]
			n.Lost++
			if what == Deactivated {
				n.Leaving++
			}
			o.counted.assignments[at] = n
		}
		if what != Deactivated {
			calls.taken[kind] += len(names)
		}
	}
}

// addUser counts what changes of the user itself.
func (o *Org) addUser(c *Change, what What, d difference) {
	for _, name := range d.fields {
		o.Fields[name]++
	}
	if d.profile {
		o.counted.profiles[[2]string{c.Is.Profile, c.Next.Profile}]++
	}
	if d.role {
		o.counted.roles[[2]string{c.Is.Role, c.Next.Role}]++
	}
	n := &o.counted.calls
	switch what {
	case Created:
		n.created++
	case Sought:
		n.sought++
	case Reactivated, Mended:
		n.users++
	case Deactivated:
		if c.HasUser {
			n.users++
			if o.counted.freezeFirst {
				n.frozen++
			}
		}
	case Updated:
		if len(d.fields) > 0 || d.role {
			n.users++
		}
		if d.profile {
			n.moved++
		}
	case Nothing, Stuck, Other:
	}
}

// cover counts how those stand to the rules who have no user.
func (o *Org) cover(c rules.Coverage, key events.Key, name string) {
	switch c.Standing {
	case rules.StandingUnmatched:
		o.Unmatched++
		o.sample(SampleUnmatched, key, name)
	case rules.StandingUndecidable:
		o.Undecidable++
	case rules.StandingUnheard:
		o.Unheard++
	case rules.StandingMatched, rules.StandingLeft, rules.StandingUnknown:
	}
}

func (o *Org) sample(of string, key events.Key, name string) {
	if len(o.Samples[of]) < maxSample {
		o.Samples[of] = append(o.Samples[of], Who{key, name})
	}
}

// finish gives what was counted its names and its order. ruleNames are the rules of
// the configuration.
func (o *Org) finish(ruleNames []string, g *gates) {
	extra := slices.DeleteFunc(slices.Sorted(maps.Keys(o.counted.rules)), func(name string) bool { return slices.Contains(ruleNames, name) })
	o.Rules = []RuleCount{}
	for _, name := range append(slices.Clone(ruleNames), extra...) {
		o.Rules = append(o.Rules, RuleCount{name, o.counted.rules[name]})
	}
	o.Profiles, o.Roles = moves(o.counted.profiles), moves(o.counted.roles)
	o.Assignments = []AssignmentCount{}
	for _, at := range slices.SortedFunc(maps.Keys(o.counted.assignments), compareNames) {
		n := o.counted.assignments[at]
		n.Kind, n.Name = at[0], at[1]
		o.Assignments = append(o.Assignments, n)
	}
	o.Calls = o.counted.calls.estimate()
	o.Takes = []Taking{}
	for _, at := range slices.SortedFunc(maps.Keys(o.counted.takes), comparePlaces) {
		n := o.counted.takes[at]
		limit, over := g.over(o.Org, o.Active.Before, at, n)
		o.Takes = append(o.Takes, Taking{Aspect: at.Aspect, Cause: at.Cause, People: n, Limit: limit, Over: over})
	}
}

func comparePlaces(a, b gate.Place) int {
	all := events.Aspects()
	return cmp.Or(cmp.Compare(slices.Index(all, a.Aspect), slices.Index(all, b.Aspect)), cmp.Compare(a.Cause, b.Cause))
}

func moves(counted map[[2]string]int) []Move {
	out := []Move{}
	for _, at := range slices.SortedFunc(maps.Keys(counted), compareNames) {
		out = append(out, Move{From: at[0], To: at[1], People: counted[at]})
	}
	return out
}

func compareNames(a, b [2]string) int {
	return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
}
