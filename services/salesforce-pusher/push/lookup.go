package push

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// matchValueMax is longer than any value Salesforce could hold in a field that
// is matched; a longer one would make the whole batch's query too long.
const matchValueMax = 512

// identify finds out who has a user. A link that is sure says so itself. For
// the others an insert is the cheapest look-up, where it may be made and is
// sure to find; the rest are looked up together.
func (s *step) identify() {
	var ask []*person
	for _, p := range those(s.people, isOpen) {
		switch {
		case s.refuseProtected(p, p.link.UserID, p.username()):
		case p.link.UserID != "" && !p.link.Unsure:
			s.plan(p)
		case p.link.UserID == "" && s.mayInsert(p):
			s.planInsert(p)
		default:
			ask = append(ask, p)
		}
	}
	s.lookUp(ask)
}

func (s *step) mayInsert(p *person) bool {
	return p.desired.Active && s.org.cfg.Create && !p.link.Unsure && p.link.Job == "" && s.org.match.sureOfInsert(p.desired)
}

func (s *step) planInsert(p *person) {
	p.todo, p.planned = planCreate(p.desired, p.ids), true
}

// lookUp reads people's users and decides for each: adopt, create or fail.
func (s *step) lookUp(people []*person) {
	if people = s.ready(people); len(people) == 0 {
		return
	}
	users, e := s.readUsers(opLookup, people)
	if e != nil {
		s.failAll(people, e, opLookup)
		return
	}
	var have []*person
	for _, p := range people {
		if s.decide(p, users) {
			have = append(have, p)
		}
	}
	s.adopt(have)
}

// decide settles one person by what was read; true: they have the user in p.user.
func (s *step) decide(p *person, users userIndex) bool {
	u, failure := s.userOf(p, users)
	p.link.Unsure = p.link.Unsure && u != nil // of a user found, more has to be read
	switch {
	case failure != nil:
		p.fail(failure)
	case u != nil:
		p.user = u
		return true
	case !p.desired.Active:
		p.planned = true // nobody to deactivate
	case p.why != nil:
		p.link.Unsure = p.link.Unsure || p.why.Outcome == salesforce.MaybeApplied
		p.fail(judged(p.why, opCreate))
	case !s.org.cfg.Create:
		p.fail(&events.Failure{Cause: events.CauseCreateDisabled, Operation: opCreate,
			Message: "The person has no Salesforce user, and config forbids creating one in this org (push.create)."})
	default:
		s.planInsert(p)
	}
	return false
}

// judged is the failure of a refused or lost call.
func judged(e *salesforce.Error, operation string) *events.Failure {
	if e.Outcome == salesforce.MaybeApplied {
		return lost(e, operation)
	}
	return failureOf(e, operation)
}

// userOf is the user a person has among those read. A known id goes before the
// rules; one that is gone means another org behind the same name, so the rules
// decide anew.
func (s *step) userOf(p *person, users userIndex) (*user, *events.Failure) {
	if p.link.UserID != "" {
		if u := users.byID[p.link.UserID]; u != nil {
			return u, nil
		}
		p.link.UserID, p.link.Active, p.link.Frozen = "", false, false
		p.link.FieldHashes, p.link.Assigned = nil, nil
	}
	return s.org.match.recognise(p.desired, users.candidates(s.org.match, p.desired))
}

// userIndex finds users by id and by the values that rules compare.
type userIndex struct {
	byID    map[string]*user
	byValue map[string][]*user
}

func indexUsers(m matcher, list []*user) userIndex {
	x := userIndex{byID: make(map[string]*user, len(list)), byValue: make(map[string][]*user, 2*len(list))}
	for _, u := range list {
		x.byID[u.id] = u
		for _, rule := range m.order {
			if v := m.of(rule, u); v != "" {
				at := rule + "/" + strings.ToLower(v)
				x.byValue[at] = append(x.byValue[at], u)
			}
		}
	}
	return x
}

func (x userIndex) candidates(m matcher, d events.Desired) []*user {
	var out []*user
	for _, rule := range m.order {
		if v := m.value(rule, d); v != "" {
			out = append(out, x.byValue[rule+"/"+strings.ToLower(v)]...)
		}
	}
	return out
}

// readUsers reads, in one go, every user that any of the people might have.
func (s *step) readUsers(operation string, people []*person) (userIndex, *salesforce.Error) {
	q := salesforce.InQuery{From: "User", Fields: s.fieldsToRead(people), Any: s.terms(people)}
	var records []salesforce.Record
	ask := func() error {
		return s.call(operation, "User", people, func(ctx context.Context) (err error) {
			records, err = s.org.client.QueryIn(ctx, q)
			return err
		})
	}
	err := ask()
	if e := salesforceError(err); err != nil && e.Kind == salesforce.KindSchema && !s.stopped() {
		// A field of somebody's mapping is not there. Their own write will say
		// so; everybody else only needs what a match needs.
		q.Fields = s.fieldsToRead(nil)
		err = ask()
	}
	if err != nil {
		return userIndex{}, salesforceError(err)
	}
	users := make([]*user, len(records))
	for i, r := range records {
		users[i] = userFrom(r, s.org.cfg.ExternalIDField)
	}
	return indexUsers(s.org.match, users), nil
}

func (s *step) fieldsToRead(people []*person) []string {
	fields := map[string]string{}
	add := func(name string) {
		if name != "" {
			fields[strings.ToLower(name)] = name
		}
	}
	for _, name := range []string{fieldUsername, fieldFederation, fieldEmail, fieldActive, fieldProfile, fieldRole, s.org.cfg.ExternalIDField} {
		add(name)
	}
	for _, p := range people {
		for name := range p.desired.Fields {
			add(name)
		}
	}
	return slices.Sorted(maps.Values(fields))
}

func (s *step) terms(people []*person) []salesforce.InTerm {
	var ids []string
	for _, p := range people {
		if p.link.UserID != "" {
			ids = append(ids, p.link.UserID)
		}
	}
	terms := []salesforce.InTerm{{Field: fieldID, Values: ids}}
	for _, rule := range s.org.match.order {
		t := salesforce.InTerm{Field: s.org.match.field(rule)}
		for _, p := range people {
			if v := s.org.match.value(rule, p.desired); v != "" && len(v) <= matchValueMax {
				t.Values = append(t.Values, v)
			}
		}
		terms = append(terms, t)
	}
	return terms
}

func userFrom(r salesforce.Record, externalField string) *user {
	u := &user{
		id: r.ID(), username: r.String(fieldUsername), federation: r.String(fieldFederation),
		email: r.String(fieldEmail), active: r.Bool(fieldActive), fields: make(map[string]any, len(r)),
	}
	if externalField != "" {
		u.external = r.String(externalField)
	}
	for name, v := range r {
		u.fields[strings.ToLower(name)] = v
	}
	return u
}

// failAll gives a failed read to everybody it was for. Where it was the org's
// trouble they are given back instead.
func (s *step) failAll(people []*person, e *salesforce.Error, operation string) {
	if s.stopped() {
		for _, p := range people {
			p.link.Unsure = p.link.Unsure || p.why != nil && p.why.Outcome == salesforce.MaybeApplied
		}
		return
	}
	for _, p := range people {
		if p.why != nil {
			p.link.Unsure = p.link.Unsure || p.why.Outcome == salesforce.MaybeApplied
			p.fail(judged(p.why, opCreate))
			continue
		}
		p.fail(judged(e, operation))
	}
}

// refuseProtected fails a person whose user is on the list that is never
// touched.
func (s *step) refuseProtected(p *person, values ...string) bool {
	if !protects(s.org.cfg.Protected, values...) {
		return false
	}
	p.fail(&events.Failure{Cause: events.CauseProtected, Operation: opLookup,
		Message: "The person's Salesforce user is on the list that Rollcall never touches (push.protect)."})
	return true
}
