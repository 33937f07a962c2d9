package push

import (
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// Who made a user, as its owner record says.
const (
	byCreated = "created"
	byAdopted = "adopted"
)

// adopt takes the users found for people as theirs and plans what is to be done
// to them. Ownership is committed before anything is sent: two people whose
// values lead to one user must not both write to it.
func (s *step) adopt(people []*person) {
	var fresh []*person
	for _, p := range people {
		if s.refuseProtected(p, p.user.id, p.user.username) {
			continue
		}
		if !p.desired.Active && !p.user.active && p.link.UserID == "" {
			p.planned = true // nothing to do to them, so nothing to own
			continue
		}
		if other, ok := s.taken[p.user.id]; ok && other != p.key {
			p.fail(ownedByOther(p.user.id))
			continue
		}
		s.taken[p.user.id] = p.key
		fresh = append(fresh, p)
	}
	if len(fresh) == 0 {
		return
	}
	if err := s.own(fresh); err != nil {
		s.broken = err
		return
	}
	mine := those(fresh, isOpen)
	s.readAssignments(those(mine, func(p *person) bool { return p.desired.Active }))
	for _, p := range those(mine, isOpen) {
		s.planFound(p)
	}
}

// planFound plans for a user just read.
func (s *step) planFound(p *person) {
	p.link.Unsure = false // everything has been read
	s.plan(p)
	switch {
	case p.fate != open || !p.fresh:
	case p.made:
		p.act(actCreated)
	default:
		p.act(actAdopted)
	}
}

// lostCreate says whether a user just read is the one of a create whose answer
// got lost: it has exactly what was sent.
func lostCreate(p *person) bool {
	return p.why != nil && p.why.Outcome == salesforce.MaybeApplied &&
		len(planExisting(p.desired, p.link, p.user, p.ids, false).update) == 0
}

// own commits, for those whose user it is not yet, the owner record and the
// link that names the user.
func (s *step) own(people []*person) error {
	owners, err := s.owners(people)
	if err != nil {
		return err
	}
	var unowned []*person
	for _, p := range people {
		o, taken := owners[p.user.id]
		if taken && o.Key != p.key {
			p.fail(ownedByOther(p.user.id))
			continue
		}
		p.fresh = p.link.UserID == ""
		p.link.UserID, p.link.Active = p.user.id, p.user.active
		if taken {
			p.made = o.By == byCreated
			continue
		}
		p.made, p.owner = lostCreate(p), byAdopted
		if p.made {
			p.owner = byCreated
		}
		unowned = append(unowned, p)
	}
	return s.checkpoint(unowned)
}

// checkpoint commits, with the claim kept, what people's links say by now, and
// the owner records that are due.
func (s *step) checkpoint(people []*person) error {
	if len(people) == 0 {
		return nil
	}
	groups := make([]bus.Group, len(people))
	for i, p := range people {
		g, err := s.interim(p)
		if err != nil {
			return err
		}
		groups[i] = g
	}
	done, err := s.org.bus.Commit(s.ctx, events.StreamRoster, groups)
	if err != nil {
		return fmt.Errorf("commit what is under way: %w", err)
	}
	var clash []*person
	for i, p := range people {
		if done[i].Err != nil {
			clash = append(clash, p)
			continue
		}
		p.linkSeq, p.owner = done[i].Seqs[0], ""
	}
	return s.explain(clash)
}

func (s *step) interim(p *person) (bus.Group, error) {
	l := p.link
	l.Org, l.Key = s.org.cfg.Name, p.key
	l.Claim = &events.Claim{Worker: s.org.worker, Revision: p.revision, Until: p.until.UTC()}
	if p.touched {
		l.AppliedHash = ""
	}
	link, err := s.linkWrite(p, l)
	if err != nil || p.owner == "" {
		return bus.Group{link}, err
	}
	owner, err := s.ownerWrite(p, p.owner)
	return bus.Group{link, owner}, err
}

// explain finds out why a link and an owner could not be written together:
// another worker took the person over, or the user belongs to somebody else.
func (s *step) explain(people []*person) error {
	if len(people) == 0 {
		return nil
	}
	owners, err := s.owners(people)
	if err != nil {
		return err
	}
	for _, p := range people {
		o, taken := owners[p.link.UserID]
		if !taken || o.Key == p.key {
			s.lose(p)
			continue
		}
		p.fail(ownedByOther(p.link.UserID))
		p.link.UserID, p.link.Active, p.owner = "", false, ""
		p.link.FieldHashes, p.link.Assigned = nil, nil
	}
	return nil
}

// owners reads whose the users of people are, by user id.
func (s *step) owners(people []*person) (map[string]events.Owner, error) {
	subjects := make([]string, 0, len(people))
	ids := make([]string, 0, len(people))
	for _, p := range people {
		id := p.link.UserID
		if id == "" && p.user != nil {
			id = p.user.id
		}
		ids = append(ids, id)
		subjects = append(subjects, events.OwnerSubject(s.org.cfg.Name, id))
	}
	entries, err := s.org.bus.Latest(s.ctx, events.StreamRoster, subjects)
	if err != nil {
		return nil, fmt.Errorf("read owners: %w", err)
	}
	out := make(map[string]events.Owner, len(entries))
	for i, subject := range subjects {
		e, ok := entries[subject]
		if !ok {
			continue
		}
		o, err := events.Decode[events.Owner](e.Data)
		if err != nil {
			return nil, err
		}
		out[ids[i]] = o
	}
	return out, nil
}

func (s *step) ownerWrite(p *person, by string) (bus.Write, error) {
	data, err := events.Encode(events.Owner{Key: p.key, By: by})
	if err != nil {
		return bus.Write{}, fmt.Errorf("owner: %w", err)
	}
	return bus.Write{
		Subject: events.OwnerSubject(s.org.cfg.Name, p.link.UserID), Data: data,
		Header: s.trace.header(p), Guarded: true,
	}, nil
}

func ownedByOther(userID string) *events.Failure {
	return &events.Failure{Cause: events.CauseDuplicate, Operation: opLookup,
		Message: "Salesforce user " + userID + " belongs to another person. Two people have the same username, federation id or external id: correct one of them in HR."}
}
