package push

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// plan sets what is to be done to an existing user, and refuses what config
// forbids.
func (s *step) plan(p *person) {
	if p.user != nil && p.made && p.user.fields[strings.ToLower(fieldRole)] != nil {
		// Whatever role a user of ours has, we gave it, even if the answer got lost.
		p.link.FieldHashes = withRole(p.link.FieldHashes)
	}
	p.todo = planExisting(p.desired, p.link, p.user, p.ids, s.org.cfg.FreezeFirst)
	p.planned = true
	// What is desired but not there any more is no reason to take it away.
	p.todo.take = slices.DeleteFunc(p.todo.take, func(name string) bool { return p.absent[name] })
	if p.desired.Active {
		p.keepHashes()
	}
	_, setsActive := p.todo.update[fieldActive]
	switch {
	case !p.desired.Active && setsActive && !s.org.cfg.Deactivate:
		p.fail(&events.Failure{Cause: events.CauseDeactivateDisabled, Operation: opDeactivate,
			Message: "The person should not be active any more, and config forbids deactivating in this org (push.deactivate)."})
	case p.desired.Active && p.todo.modifies() && !s.org.cfg.Update:
		p.fail(&events.Failure{Cause: events.CauseUpdateDisabled, Operation: opUpdate,
			Message: "The person's Salesforce user differs from what is desired, and config forbids updating in this org (push.update)."})
	}
}

// withRole marks the role as given by Rollcall, with a value not known.
func withRole(hashes map[string]string) map[string]string {
	out := make(map[string]string, len(hashes)+1)
	maps.Copy(out, hashes)
	if out[fieldRole] == "" {
		out[fieldRole] = "?"
	}
	return out
}

// keepHashes notes the fields that are right already, and forgets those that
// are not managed any more.
func (p *person) keepHashes() {
	wanted := wantedFields(p.desired, p.link, p.ids)
	kept := make(map[string]string, len(wanted))
	for name, v := range wanted {
		if _, changes := p.todo.update[name]; !changes {
			kept[name] = hashValue(v)
		} else if h, ok := p.link.FieldHashes[name]; ok {
			kept[name] = h
		}
	}
	p.link.FieldHashes = kept
}

// create makes new users. A refusal may mean that the person has a user
// already, so whoever is refused is looked up before being judged. An id that
// turns out to be wrong is resolved again, once.
func (s *step) create() {
	for range 2 {
		stale := s.insert(s.ready(those(s.people, func(p *person) bool { return p.todo.create != nil })))
		if len(stale) == 0 {
			return
		}
		s.again(stale, func(p *person) { s.planInsert(p) })
	}
}

// insert sends one create call and returns those whose references have to be
// resolved again.
func (s *step) insert(people []*person) []*person {
	if len(people) == 0 {
		return nil
	}
	results := s.collect(opCreate, "User", unitsOf(people), func(ctx context.Context, part []unit) ([]salesforce.Result, error) {
		records := make([]salesforce.Record, len(part))
		for i, u := range part {
			records[i] = u.p.todo.create
			u.p.touched = true
		}
		return s.org.client.CreateRecords(ctx, "User", records)
	})
	return s.inserted(people, results)
}

// inserted takes in what became of people's inserts, and returns those whose
// references have to be resolved again.
func (s *step) inserted(people []*person, results []result) []*person {
	var refused []*person
	for i, p := range people {
		switch r := results[i]; {
		case r.err == nil:
			s.created(p, r.id)
		case s.excused(r, opCreate):
		default:
			p.why, p.todo.create, p.planned = r.err, nil, false
			refused = append(refused, p)
		}
	}
	s.lookUpRefused(refused)
	return those(refused, s.unresolved)
}

// lookUpRefused looks for users of people whose create failed. If that cannot
// be done any more, a create that may have been applied leaves them unsure.
func (s *step) lookUpRefused(people []*person) {
	if s.stopped() {
		s.failAll(people, nil, opCreate)
		return
	}
	s.lookUp(people)
}

func (s *step) created(p *person, id string) {
	p.link.UserID, p.link.Active = id, true
	p.link.FieldHashes = hashFields(p.todo.create)
	delete(p.link.FieldHashes, fieldActive)
	for name, v := range wantedFields(p.desired, events.Link{}, p.ids) {
		if v == nil {
			p.link.FieldHashes[name] = hashValue(nil)
		}
	}
	p.owner, p.made = byCreated, true
	s.taken[id] = p.key
	p.todo.create = nil
	p.act(actCreated)
}

// unresolved says whether a person failed for a wrong id that may have changed
// since it was looked up.
func (s *step) unresolved(p *person) bool {
	return p.fate == failed && p.why != nil && p.why.Class == salesforce.Reference && !s.refreshed
}

// again resolves names anew for people who were refused for a wrong id, and
// lets those try once more whose ids were indeed stale.
func (s *step) again(people []*person, replan func(p *person)) {
	s.refreshed = true
	was := make(map[*person]string, len(people))
	failure := make(map[*person]*events.Failure, len(people))
	for _, p := range people {
		was[p], failure[p] = s.idsOf(p), p.failure
		p.fate, p.failure = open, nil
		s.forgetNames(p)
	}
	s.resolve(people)
	for _, p := range people {
		if p.fate != open || s.stopped() {
			continue
		}
		if was[p] == s.idsOf(p) {
			p.fail(failure[p])
			continue
		}
		p.why = nil
		replan(p)
	}
}

// forgetNames drops what the catalogue knows of the names a person's open work
// uses, and nothing else: other people's work rests on the rest.
func (s *step) forgetNames(p *person) {
	s.org.catalogue.forget(kindProfile, p.desired.Profile)
	s.org.catalogue.forget(kindRole, p.desired.Role)
	for _, name := range p.todo.give {
		kind, rest, _ := strings.Cut(name, "/")
		s.org.catalogue.forget(kind, rest)
	}
}

// idsOf are all ids that a person's open work uses.
func (s *step) idsOf(p *person) string {
	all := p.ids.profile + " " + p.ids.role
	for _, name := range p.todo.give {
		t, _ := s.targetOf(name)
		all += " " + t.id
	}
	return all
}

// withID is a record to update.
func withID(id string, fields map[string]any) salesforce.Record {
	r := make(salesforce.Record, len(fields)+1)
	maps.Copy(r, fields)
	r[fieldID] = id
	return r
}
