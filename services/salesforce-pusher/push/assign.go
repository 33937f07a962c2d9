package push

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

const (
	objectSet    = "PermissionSetAssignment"
	objectMember = "GroupMember"
)

// assign gives and takes permission sets and memberships, for everybody in as
// few calls as there are 200 records.
func (s *step) assign() {
	for range 2 {
		stale := s.give(s.units(func(p *person) []string { return p.todo.give }))
		if len(stale) == 0 {
			break
		}
		s.again(stale, func(p *person) {
			p.todo.give = slices.DeleteFunc(p.todo.give, func(name string) bool { return p.absent[name] })
		})
	}
	s.take()
}

// units are the open work of a kind, permission sets before memberships: a call
// may change its object only a few times.
func (s *step) units(list func(p *person) []string) []unit {
	var out []unit
	for _, p := range s.ready(those(s.people, func(p *person) bool { return isOpen(p) && p.planned && p.todo.create == nil && len(p.todo.update) == 0 })) {
		for _, name := range list(p) {
			out = append(out, unit{p: p, name: name})
		}
	}
	slices.SortStableFunc(out, func(a, b unit) int { return cmp.Compare(kindOf(b.name), kindOf(a.name)) })
	return out
}

func kindOf(name string) string {
	kind, _, _ := strings.Cut(name, "/")
	return kind
}

func objectOf(name string) string {
	if kindOf(name) == kindGroup {
		return objectMember
	}
	return objectSet
}

// targetOf is what an assignment's name stands for.
func (s *step) targetOf(name string) (target, bool) {
	kind, rest, _ := strings.Cut(name, "/")
	return s.org.catalogue.find(kind, rest)
}

// asked says whether the absence of an assignment means anything: only what was
// asked for by its id can be found.
func (s *step) asked(name string) bool {
	kind, rest, _ := strings.Cut(name, "/")
	return s.org.catalogue.asked(kind, rest)
}

// give makes assignments and returns people whose targets have to be resolved
// again.
func (s *step) give(units []unit) []*person {
	var stale []*person
	for chunk := range slices.Chunk(units, batchMax) {
		chunk = s.intend(s.stillOurs(chunk))
		if len(chunk) == 0 {
			break
		}
		results := s.collect(opAssign, objectOf(chunk[0].name), chunk, s.sendGive)
		var doubt []unit
		for i, u := range chunk {
			switch r := results[i]; {
			case r.err == nil:
				u.p.given(u.name, r.id)
			case r.err.Class == salesforce.AlreadyDone:
				u.p.given(u.name, there) // its id is read when it is needed
			case s.excused(r, opAssign):
				delete(u.p.link.Assigned, u.name)
			case r.err.Outcome == salesforce.MaybeApplied:
				u.p.why, doubt = r.err, append(doubt, u)
			default:
				u.p.why = r.err
				delete(u.p.link.Assigned, u.name)
				u.p.fail(failureOf(r.err, opAssign))
				if s.unresolved(u.p) && !slices.Contains(stale, u.p) {
					stale = append(stale, u.p)
				}
			}
		}
		s.settleAssignments(doubt, opAssign)
	}
	return stale
}

func (s *step) sendGive(ctx context.Context, part []unit) ([]salesforce.Result, error) {
	records := make([]salesforce.Record, len(part))
	for i, u := range part {
		t, _ := s.targetOf(u.name)
		u.p.touched = true
		if objectOf(u.name) == objectMember {
			records[i] = typed(objectMember, salesforce.Record{fieldGroupID: t.id, "UserOrGroupId": u.p.link.UserID})
			continue
		}
		records[i] = typed(objectSet, salesforce.Record{t.field: t.id, "AssigneeId": u.p.link.UserID})
	}
	return s.org.client.CreateMixed(ctx, records)
}

// intend commits what is about to be given, and with it the users just made. If
// the answer gets lost, or this worker, and the person is not to have it any
// more by the time somebody looks again, it would otherwise stay for ever:
// nobody takes away what Rollcall does not know it gave.
func (s *step) intend(units []unit) []unit {
	if len(units) == 0 {
		return nil
	}
	for _, u := range units {
		if u.p.link.Assigned == nil {
			u.p.link.Assigned = map[string]string{}
		}
		u.p.link.Assigned[u.name] = perhaps
	}
	if err := s.checkpoint(peopleOf(units)); err != nil {
		s.broken = err
		return nil
	}
	return slices.DeleteFunc(units, func(u unit) bool { return u.p.fate != open && u.p.link.UserID == "" || u.p.fate == fenced })
}

// stillOurs renews claims where needed and drops units of people lost since.
func (s *step) stillOurs(units []unit) []unit {
	if len(s.ready(peopleOf(units))) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(units), func(u unit) bool { return u.p.fate == fenced })
}

func (p *person) given(name, id string) {
	if p.link.Assigned == nil {
		p.link.Assigned = map[string]string{}
	}
	p.link.Assigned[name] = id
	p.todo.give = without(p.todo.give, name)
	p.act(actAssigned)
}

func (p *person) taken(name string) {
	delete(p.link.Assigned, name)
	p.todo.take = without(p.todo.take, name)
	p.act(actUnassigned)
}

func without(list []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(n string) bool { return n == name })
}

// take removes assignments that Rollcall gave and that are not desired any more.
func (s *step) take() {
	units := s.units(func(p *person) []string { return p.todo.take })
	s.findIDs(units)
	units = slices.DeleteFunc(units, func(u unit) bool {
		if u.p.fate == open && u.nameless() && !s.stopped() && s.asked(u.name) {
			u.p.taken(u.name) // not there any more
			return true
		}
		return u.p.fate != open || u.nameless()
	})
	for chunk := range slices.Chunk(units, batchMax) {
		chunk = s.stillOurs(chunk)
		if len(chunk) == 0 {
			return
		}
		results := s.collect(opUnassign, objectOf(chunk[0].name), chunk, s.sendTake)
		var doubt []unit
		for i, u := range chunk {
			switch r := results[i]; {
			case r.err == nil || gone(r.err):
				u.p.taken(u.name)
			case s.excused(r, opUnassign):
			case r.err.Outcome == salesforce.MaybeApplied:
				u.p.why, doubt = r.err, append(doubt, u)
			default:
				u.p.fail(failureOf(r.err, opUnassign))
			}
		}
		s.settleAssignments(doubt, opUnassign)
	}
}

// nameless says whether the id of an assignment is not known.
func nameless(id string) bool { return id == perhaps || id == there }

func (u unit) nameless() bool { return nameless(u.p.link.Assigned[u.name]) }

func gone(e *salesforce.Error) bool {
	return e.Class == salesforce.NotFound || e.Class == salesforce.Deleted || e.Class == salesforce.Reference
}

func (s *step) sendTake(ctx context.Context, part []unit) ([]salesforce.Result, error) {
	ids := make([]string, len(part))
	for i, u := range part {
		ids[i] = u.p.link.Assigned[u.name]
		u.p.touched = true
	}
	return s.org.client.DeleteRecords(ctx, ids)
}

// findIDs reads the ids of assignments that were there when we made them.
func (s *step) findIDs(units []unit) {
	var people []*person
	for _, u := range units {
		if u.nameless() && !slices.Contains(people, u.p) {
			people = append(people, u.p)
		}
	}
	if len(people) == 0 {
		return
	}
	have, e := s.queryAssignments(people)
	if e != nil {
		s.failAll(people, e, opUnassign)
		return
	}
	for _, u := range units {
		if id, ok := have[u.p.link.UserID][u.name]; ok && u.nameless() {
			u.p.link.Assigned[u.name] = id
		}
	}
}

// settleAssignments reads back assignments whose call got lost.
func (s *step) settleAssignments(units []unit, operation string) {
	if len(units) == 0 {
		return
	}
	people := peopleOf(units)
	for _, p := range people {
		p.link.Unsure = true
	}
	if len(s.stillOurs(units)) == 0 {
		return
	}
	have, e := s.queryAssignments(people)
	if e != nil {
		if !s.stopped() {
			for _, p := range people {
				p.fail(lost(p.why, operation))
			}
		}
		return
	}
	for _, p := range people {
		p.link.Unsure = false
	}
	for _, u := range units {
		id, has := have[u.p.link.UserID][u.name]
		switch {
		case operation == opAssign && has:
			u.p.given(u.name, id)
		case operation == opUnassign && !has && s.asked(u.name):
			u.p.taken(u.name)
		default:
			// A call without an answer may still take effect: what was to be
			// given stays noted as perhaps given.
			u.p.fail(lost(u.p.why, operation))
		}
	}
}

// readAssignments learns what users just found have already. What a user had
// before Rollcall came is theirs and stays; on a user that Rollcall made, it
// can only be from a call of ours that got lost.
func (s *step) readAssignments(people []*person) {
	people = those(people, func(p *person) bool {
		return len(p.desired.PermissionSets)+len(p.desired.Groups)+len(p.link.Assigned) > 0
	})
	if people = s.ready(people); len(people) == 0 {
		return
	}
	have, e := s.queryAssignments(people)
	if e != nil {
		s.failAll(people, e, opLookup)
		return
	}
	for _, p := range people {
		mine := map[string]string{}
		for name, id := range have[p.link.UserID] {
			if was, ok := p.link.Assigned[name]; ok && was == found || !ok && !p.made {
				id = found
			}
			mine[name] = id
		}
		for name, id := range p.link.Assigned {
			if _, known := s.targetOf(name); !known {
				mine[name] = id // could not be asked for
			}
		}
		p.link.Assigned = mine
	}
}

// queryAssignments reads which of the managed permission sets and groups users
// have: by user id, by name, the id of the assignment.
func (s *step) queryAssignments(people []*person) (map[string]map[string]string, *salesforce.Error) {
	soqls, names := s.assignmentQueries(people)
	if len(soqls) == 0 {
		return nil, nil
	}
	var lists [][]salesforce.Record
	err := s.call(opLookup, objectSet, people, func(ctx context.Context) error {
		got, errs, err := s.org.client.CompositeQueries(ctx, soqls)
		lists = got
		return cmp.Or(err, first(errs))
	})
	if err != nil {
		return nil, salesforceError(err)
	}
	out := map[string]map[string]string{}
	for _, r := range slices.Concat(lists...) {
		userID := cmp.Or(r.String("AssigneeId"), r.String("UserOrGroupId"))
		for _, id := range []string{r.String(fieldBundle), r.String(fieldSetID), r.String(fieldGroupID)} {
			if name, ok := names[id]; ok && id != "" {
				if out[userID] == nil {
					out[userID] = map[string]string{}
				}
				out[userID][name] = r.ID()
				break
			}
		}
	}
	return out, nil
}

// assignmentQueries are the questions, and the names by the ids asked for.
func (s *step) assignmentQueries(people []*person) (soqls []string, names map[string]string) {
	names = map[string]string{}
	ids := map[string][]string{}
	var users []string
	for _, p := range people {
		users = append(users, p.link.UserID)
		for _, name := range managedNames(p) {
			if t, ok := s.targetOf(name); ok && names[t.id] == "" {
				names[t.id] = name
				ids[t.field] = append(ids[t.field], t.id)
			}
		}
	}
	ask := func(object, user, field string) {
		if len(ids[field]) > 0 {
			soqls = append(soqls, "SELECT Id,"+user+","+field+" FROM "+object+
				" WHERE "+salesforce.In(user, users)+" AND "+salesforce.In(field, ids[field]))
		}
	}
	ask(objectSet, "AssigneeId", fieldSetID)
	ask(objectSet, "AssigneeId", fieldBundle)
	ask(objectMember, "UserOrGroupId", fieldGroupID)
	return soqls, names
}

func managedNames(p *person) []string {
	var out []string
	for _, n := range p.desired.PermissionSets {
		out = append(out, kindPermissionSet+"/"+n)
	}
	for _, n := range p.desired.Groups {
		out = append(out, kindGroup+"/"+n)
	}
	for name := range p.link.Assigned {
		out = append(out, name)
	}
	return out
}

func first(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// gapOf is the failure of a person for whom permission sets or groups are not
// there. Everything else of theirs is done.
func gapOf(absent map[string]bool) *events.Failure {
	missing := slices.Sorted(maps.Keys(absent))
	for i, name := range missing {
		kind, rest, _ := strings.Cut(name, "/")
		missing[i] = map[string]string{kindPermissionSet: "permission set ", kindGroup: "public group or queue "}[kind] + rest
	}
	return &events.Failure{Cause: events.CauseGroupMapping, Operation: opResolve,
		Message: "Not in the org: " + strings.Join(missing, ", ") + ". Everything else was applied. Make it in Salesforce, or correct the name in config.",
		Value:   strings.Join(missing, ", ")}
}
