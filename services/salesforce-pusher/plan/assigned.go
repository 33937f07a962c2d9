package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// What Link.Assigned holds in place of an assignment's id.
const (
	// found: the user had it before Rollcall came. It is neither given again nor
	// ever taken away.
	found = "found"
	// there: Rollcall gave it in a call whose answer was lost; the id is read
	// when it is needed.
	there = "there"
	// perhaps: Rollcall was about to give it. It is given again (which is
	// harmless) or taken away, never taken for granted.
	perhaps = ""
)

// planAssignments compares what a user was given with what they should have.
func planAssignments(d events.Desired, have map[string]string) (give, take []string) {
	want := map[string]bool{}
	for _, name := range assignments(d) {
		if have[name] == perhaps && !want[name] {
			give = append(give, name)
		}
		want[name] = true
	}
	for name, id := range have {
		if !want[name] && id != found {
			take = append(take, name)
		}
	}
	slices.Sort(take)
	return give, take
}

// All are all names that a person has or should have, which is what has to
// be asked for to know what they have.
func (p Assignments) All() []string {
	return append(assignments(p.Desired), slices.Collect(maps.Keys(p.Link.Assigned))...)
}

// Nameless says whether the id of an assignment is not known.
func (p Assignments) Nameless(name string) bool {
	id := p.Link.Assigned[name]
	return id == perhaps || id == there
}

// Identified takes in the id of an assignment that was there when it was made.
func (p Assignments) Identified(name, id string) { p.Link.Assigned[name] = id }

// Saw takes in what a user just found has already, the id by name; asked
// says whether a name could be asked for. What a user had before Rollcall came is
// theirs and stays; on a user that Rollcall made, or has had as desired, it can only
// be from a call of ours that got lost, or of which a ROSTER restored from a backup
// does not know.
func (p Assignments) Saw(have map[string]string, asked func(name string) bool) {
	mine := map[string]string{}
	for name, id := range have {
		if was, ok := p.Link.Assigned[name]; ok && was == found || !ok && !p.ownership.made && !p.ownership.ours {
			id = found
		}
		mine[name] = id
	}
	for name, id := range p.Link.Assigned {
		_, has := have[name]
		if p.reread && p.leaves[events.DriftTaken] && id != perhaps {
			mine[name] = id // somebody took it, and config has it stay so
			continue
		}
		if !asked(name) || !has && p.late() && p.Nameless(name) {
			mine[name] = id // not asked for, or perhaps still to come
		}
	}
	p.Link.Assigned, p.ownership.read = mine, true
}

// Intend notes what is about to be given. It is committed before the call: if
// the answer gets lost, or this worker, and the person is not to have it any
// more by the time somebody looks again, it would otherwise stay for ever, for
// nobody takes away what Rollcall does not know it gave.
func (p Assignments) Intend(name string) { p.set(name, perhaps) }

// Given takes in an assignment that was made.
func (p Assignments) Given(name, id string) {
	p.set(name, id)
	p.change.Give = without(p.change.Give, name)
	p.act(actAssigned)
}

// HadAlready takes in that an assignment was there; its id is read when it is
// needed.
func (p Assignments) HadAlready(name string) { p.Given(name, there) }

// NotGiven takes in that an assignment was not made, for no fault of theirs.
func (p Assignments) NotGiven(name string) { p.drop(name) }

// drop forgets an assignment that the user does not have. While a call without an
// answer may still make it, it is perhaps there, and is looked for again.
func (p Assignments) drop(name string) {
	if p.late() {
		p.set(name, perhaps)
		return
	}
	delete(p.Link.Assigned, name)
}

// GiveRefused takes in the refusal of an assignment.
func (p Assignments) GiveRefused(name string, e *salesforce.Error) {
	p.drop(name)
	f := Diagnose(Refusal{Err: e, Operation: OpAssign})
	if e.Class == salesforce.Reference && !p.call.resolvedAgain {
		p.call.stale = f
		return
	}
	p.refused(f)
}

// refused notes why an assignment was not made; the first one counts: what it
// needs is given before it.
func (p Assignments) refused(f *events.Failure) {
	if p.call.fault == nil {
		p.call.fault = f
	}
}

// Missing takes in that an assignment that is too many is not there. One that may
// still come is looked for again.
func (p Assignments) Missing(name string) {
	if p.late() {
		p.change.Take = without(p.change.Take, name)
		return
	}
	p.Taken(name)
}

// Taken takes in that an assignment is gone.
func (p Assignments) Taken(name string) {
	p.drop(name)
	p.change.Take = without(p.change.Take, name)
	p.act(actUnassigned)
}

// TakeRefused takes in that an assignment stays. Everything else of the person is
// done all the same.
func (p Assignments) TakeRefused(name string, e *salesforce.Error) {
	p.change.Take = without(p.change.Take, name)
	p.call.untaken = Diagnose(Refusal{Err: e, Operation: OpUnassign})
}

func (p Assignments) set(name, id string) {
	if p.Link.Assigned == nil {
		p.Link.Assigned = map[string]string{}
	}
	p.Link.Assigned[name] = id
}

func without(list []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(n string) bool { return n == name })
}

// Gone says whether a refusal to delete means that nothing is there to delete.
func Gone(e *salesforce.Error) bool {
	return e.Class == salesforce.NotFound || e.Class == salesforce.Deleted || e.Class == salesforce.Reference
}

// AssignmentQueries ask which of the named assignments users have.
type AssignmentQueries struct {
	SOQL []string
	// asked are the fields of each query's answer.
	asked []asked
	// names are those asked for, by the id they stand for.
	names map[string]string
}

type asked struct{ user, target string }

// QueryAssignments asks for all that people have or should have, as far as their
// names stand for something: a query for each field that refers to a target.
func QueryAssignments(people []*Person, c *Catalogue) AssignmentQueries {
	q := AssignmentQueries{names: map[string]string{}}
	ids := map[string][]string{}
	var users []string
	for _, p := range people {
		users = append(users, p.Link.UserID)
		for _, name := range p.Assignments().All() {
			if t, ok := c.Target(name); ok && q.names[t.ID] == "" {
				q.names[t.ID] = name
				ids[t.Field] = append(ids[t.Field], t.ID)
			}
		}
	}
	for _, k := range events.AssignmentKinds() {
		for _, target := range k.Targets {
			if len(ids[target.Field]) == 0 {
				continue
			}
			q.SOQL = append(q.SOQL, "SELECT Id,"+k.User+","+target.Field+" FROM "+k.Object+
				" WHERE "+salesforce.In(k.User, users)+" AND "+salesforce.In(target.Field, ids[target.Field]))
			q.asked = append(q.asked, asked{user: k.User, target: target.Field})
		}
	}
	return q
}

// Read takes the answers in, in the order of the queries: by user id, by name,
// the id of the assignment.
func (q AssignmentQueries) Read(lists [][]salesforce.Record) map[string]map[string]string {
	out := map[string]map[string]string{}
	for i, list := range lists {
		for _, r := range list {
			userID, name := r.String(q.asked[i].user), q.names[r.String(q.asked[i].target)]
			if name == "" {
				continue
			}
			if out[userID] == nil {
				out[userID] = map[string]string{}
			}
			out[userID][name] = r.ID()
		}
	}
	return out
}

// gapOf is the failure of a person for whom something to be assigned is not there. Everything else of theirs is done.
func gapOf(absent map[string]bool, withheld bool) *events.Failure {
	missing := slices.Sorted(maps.Keys(absent))
	for i, name := range missing {
		_, rest, _ := strings.Cut(name, "/")
		missing[i] = kindOf(name).One + " " + rest
	}
	done := ". Everything else was applied. "
	if withheld {
		done = ". Everything else was given, and nothing of the kind taken away: the name was never there, and may be misspelt. "
	}
	return &events.Failure{Cause: events.CauseGroupMapping, Operation: OpResolve,
		Message: "Not in the org: " + strings.Join(missing, ", ") + done + "Make it in Salesforce, or correct the name in config.",
		Value:   strings.Join(missing, ", ")}
}
