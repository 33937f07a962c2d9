package push

import (
	"context"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// update makes existing users as they are desired: fields, activation,
// deactivation. Freezing is another object and so another call.
func (s *step) update() {
	s.setFrozen(those(s.people, func(p *person) bool { return isOpen(p) && p.todo.freeze }), true)
	for _, p := range s.people {
		p.todo.freeze = false // a precaution: the deactivation does not wait for it
	}
	for range 2 {
		stale := s.send(s.ready(those(s.people, func(p *person) bool { return len(p.todo.update) > 0 })))
		if len(stale) == 0 {
			break
		}
		s.again(stale, func(p *person) { s.plan(p) })
	}
	s.setFrozen(those(s.people, func(p *person) bool { return isOpen(p) && p.todo.unfreeze && p.link.Active }), false)
}

// send sends one update call and returns those whose references have to be
// resolved again.
func (s *step) send(people []*person) []*person {
	if len(people) == 0 {
		return nil
	}
	results := s.collect(opUpdate, "User", unitsOf(people), func(ctx context.Context, part []unit) ([]salesforce.Result, error) {
		records := make([]salesforce.Record, len(part))
		for i, u := range part {
			records[i] = withID(u.p.link.UserID, u.p.todo.update)
			u.p.touched = true
		}
		return s.org.client.UpdateRecords(ctx, "User", records)
	})
	var doubt, refused []*person
	for i, p := range people {
		switch r := results[i]; {
		case r.err == nil:
			p.updated()
		case s.excused(r, opUpdate):
		case r.err.Outcome == salesforce.MaybeApplied:
			p.why, doubt = r.err, append(doubt, p)
		case keptActive(p, r.err):
			p.why, refused = r.err, append(refused, p)
		default:
			p.why = r.err
			p.refuseUpdate(r.err)
		}
	}
	s.readBack(doubt)
	s.freezeRefused(refused)
	return those(people, s.unresolved)
}

func (p *person) updated() {
	for name, v := range p.todo.update {
		switch {
		case name != fieldActive:
			p.link.FieldHashes = setHash(p.link.FieldHashes, name, v)
			p.act(actUpdated)
		case v == true:
			p.link.Active = true
			p.act(actReactivated)
		default:
			p.link.Active = false
			p.act(actDeactivated)
		}
	}
	slices.Sort(p.actions)
	p.todo.update = nil
}

func setHash(m map[string]string, name string, v any) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[name] = hashValue(v)
	return m
}

func (p *person) refuseUpdate(e *salesforce.Error) {
	switch e.Class {
	case salesforce.NotFound, salesforce.Deleted, salesforce.Reference:
		p.link.Unsure = true // the user may be gone: look before the next call
	}
	p.fail(failureOf(e, p.operation()))
}

func (p *person) operation() string {
	if p.todo.update[fieldActive] == false {
		return opDeactivate
	}
	return opUpdate
}

// keptActive says whether Salesforce refused a deactivation for a reason of the
// org's own. Which code it uses is not documented, so every refusal counts that
// does not clearly mean something else.
func keptActive(p *person, e *salesforce.Error) bool {
	if p.operation() != opDeactivate || len(p.todo.update) != 1 {
		return false
	}
	switch e.Class {
	case salesforce.Locked, salesforce.Timeout, salesforce.NotFound, salesforce.Deleted, salesforce.Halted, salesforce.Programming:
		return false
	case salesforce.Unknown:
		return e.Status == 0 || e.Status >= 400 && e.Status < 500
	}
	return true
}

// freezeRefused shuts out the people whom Salesforce keeps active.
func (s *step) freezeRefused(people []*person) {
	s.setFrozen(those(people, func(p *person) bool { return !p.link.Frozen }), true)
	for _, p := range people {
		f := failureOf(p.why, opDeactivate)
		f.Cause = events.CauseDeactivationRefused
		p.fail(f)
	}
}

// readBack reads users whose update got lost, and judges by what they are.
func (s *step) readBack(people []*person) {
	if len(people) == 0 {
		return
	}
	for _, p := range people {
		p.link.Unsure = true
		if _, ok := p.todo.update[fieldRole]; ok {
			p.link.FieldHashes = withRole(p.link.FieldHashes)
		}
	}
	if people = s.ready(people); len(people) == 0 {
		return
	}
	users, e := s.readUsers(opLookup, people)
	if e != nil && s.stopped() {
		return
	}
	for _, p := range people {
		u := users.byID[p.link.UserID]
		if u == nil {
			p.fail(lost(p.why, p.operation()))
			continue
		}
		sent := p.todo
		p.link.Unsure = false
		p.user, p.link.Active = u, u.active
		s.plan(p)
		if p.fate != open {
			continue
		}
		if len(p.todo.update) > 0 {
			p.link.Unsure = true // it may still take effect: read again next time
			p.fail(lost(p.why, p.operation()))
			continue
		}
		p.todo = sent
		p.updated()
	}
}

// setFrozen sets UserLogin.IsFrozen, which shuts a user out or lets them in
// without touching the licence. It is the only change that may fail quietly: a
// freeze is a precaution, and an unfreeze is tried again with the person.
func (s *step) setFrozen(people []*person, frozen bool) {
	if people = s.ready(people); len(people) == 0 {
		return
	}
	logins, e := s.readLogins(people)
	if e != nil {
		s.notFrozen(people, e, frozen)
		return
	}
	var list []*person
	for _, p := range people {
		l := logins[p.link.UserID]
		if l == nil || l.Bool("IsFrozen") == frozen {
			p.frozenIs(frozen && l != nil) // no row: nobody can sign in by it, and nothing to set
			continue
		}
		list = append(list, p)
	}
	if list = s.ready(list); len(list) == 0 {
		return
	}
	results := s.collect(opFreeze, "UserLogin", unitsOf(list), func(ctx context.Context, part []unit) ([]salesforce.Result, error) {
		records := make([]salesforce.Record, len(part))
		for i, u := range part {
			records[i] = withID(logins[u.p.link.UserID].ID(), map[string]any{"IsFrozen": frozen})
			u.p.touched = true
		}
		return s.org.client.UpdateRecords(ctx, "UserLogin", records)
	})
	for i, p := range list {
		if results[i].err != nil {
			s.notFrozen([]*person{p}, results[i].err, frozen)
			continue
		}
		p.frozenIs(frozen)
		if frozen {
			p.act(actFrozen)
		} else {
			p.act(actUnfrozen)
		}
	}
}

func (p *person) frozenIs(frozen bool) {
	p.link.Frozen, p.todo.unfreeze = frozen, false
}

func (s *step) notFrozen(people []*person, e *salesforce.Error, frozen bool) {
	for _, p := range people {
		if !frozen && !s.stopped() && !s.excused(result{err: e}, opFreeze) {
			p.fail(judged(e, opFreeze))
		}
	}
}

func (s *step) readLogins(people []*person) (map[string]salesforce.Record, *salesforce.Error) {
	ids := make([]string, len(people))
	for i, p := range people {
		ids[i] = p.link.UserID
	}
	q := salesforce.InQuery{From: "UserLogin", Fields: []string{"UserId", "IsFrozen"}, Any: []salesforce.InTerm{{Field: "UserId", Values: ids}}}
	var records []salesforce.Record
	err := s.call(opLookup, "UserLogin", people, func(ctx context.Context) (err error) {
		records, err = s.org.client.QueryIn(ctx, q)
		return err
	})
	if err != nil {
		return nil, salesforceError(err)
	}
	out := make(map[string]salesforce.Record, len(records))
	for _, r := range records {
		out[r.String("UserId")] = r
	}
	return out, nil
}
