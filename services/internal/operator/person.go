package operator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// PersonView is all that is known of one person.
type PersonView struct {
	Key events.Key `json:"key"`
	// Person is what every source last said; nil where only an org knows them.
	Person *events.PersonState `json:"person,omitempty"`
	Orgs   []PersonOrg         `json:"orgs"`
	Audit  []AuditEntry        `json:"audit,omitempty"`
	// TraceIDs are the traces that tell the story, oldest change first.
	TraceIDs []string `json:"traceIds,omitempty"`
}

// PersonOrg is one person in one org.
type PersonOrg struct {
	Org string `json:"org"`
	// Desired is what they should have, Revision its number, DesiredAt since when.
	Desired   *events.Desired `json:"desired,omitempty"`
	Revision  uint64          `json:"revision,omitempty"`
	DesiredAt time.Time       `json:"desiredAt,omitzero"`
	// Seen is when the user was last looked at, as the link has it or by a round that
	// compared everybody; zero where nobody ever has. What the link says of the user
	// is of then.
	Seen time.Time `json:"seen,omitzero"`
	// Link is what Salesforce has, Outcome how the last attempt ended.
	Link    *events.Link    `json:"link,omitempty"`
	Outcome *events.Outcome `json:"outcome,omitempty"`
	Owner   *events.Owner   `json:"owner,omitempty"`
	// Discarded is set where an admin gave a revision up.
	Discarded *events.Discarded `json:"discarded,omitempty"`
	// NextTry is when they are looked at again, if a retry is scheduled.
	NextTry time.Time `json:"nextTry,omitzero"`
	// Held is what is not as wished: it waits for an operator, or one rejected it.
	Held  []events.HeldAspect `json:"held,omitempty"`
	Tasks []Task              `json:"tasks,omitempty"`
}

// Person returns all that is known of the person with this key, correlation id,
// userName, employee number, e-mail address or Salesforce username. It returns
// [ErrNobody] or [ErrSeveral].
func (o *Operator) Person(ctx context.Context, name string) (PersonView, error) {
	key, err := o.find(ctx, name)
	if err != nil {
		return PersonView{}, fmt.Errorf("find person: %w", err)
	}
	v := PersonView{Key: key}
	orgs := map[string]*PersonOrg{}
	for _, add := range []func(context.Context, *PersonView, map[string]*PersonOrg) error{
		o.addState, o.addSeen, o.addOwners, o.addTasks, o.addAudit,
	} {
		if err := add(ctx, &v, orgs); err != nil {
			return v, fmt.Errorf("read person: %w", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(orgs)) {
		v.Orgs = append(v.Orgs, *orgs[name])
	}
	v.TraceIDs = v.traces()
	return v, nil
}

// Key is the key of the person with this key, correlation id or username. It returns
// [ErrNobody] or [ErrSeveral].
func (o *Operator) Key(ctx context.Context, name string) (events.Key, error) {
	return o.find(ctx, name)
}

// find tries what is cheap first.
func (o *Operator) find(ctx context.Context, name string) (events.Key, error) {
	candidates := []events.Key{}
	if plainKey(name) {
		candidates = append(candidates, events.Key(name))
	}
	if o.keyer != nil {
		candidates = append(candidates, o.keyer.Person(name))
	}
	for _, key := range candidates {
		found, err := o.bus.Latest(ctx, events.StreamRoster, []string{events.PersonSubject(key), events.DesiredSubject("*", key)})
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return key, nil
		}
	}
	return o.findByName(ctx, name)
}

func plainKey(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

// addState adds everything that stands under the person's own key.
func (o *Operator) addState(ctx context.Context, v *PersonView, orgs map[string]*PersonOrg) error {
	found, err := o.bus.Latest(ctx, events.StreamRoster, []string{
		events.PersonSubject(v.Key), events.DesiredSubject("*", v.Key), events.LinkSubject("*", v.Key),
		events.OutcomeSubject("*", v.Key), events.DiscardedSubject("*", v.Key), events.RetrySubject("*", v.Key),
		events.HeldSubject("*", v.Key),
	})
	if err != nil {
		return err
	}
	for _, e := range found {
		a, err := events.ParseSubject(e.Subject)
		if err != nil {
			return err
		}
		if a.Kind == "person" {
			if v.Person, err = read[events.PersonState](e); err != nil {
				return err
			}
			continue
		}
		if err := orgOf(orgs, a.Org).take(a.Kind, e); err != nil {
			return err
		}
	}
	return nil
}

func orgOf(orgs map[string]*PersonOrg, name string) *PersonOrg {
	if orgs[name] == nil {
		orgs[name] = &PersonOrg{Org: name}
	}
	return orgs[name]
}

func (p *PersonOrg) take(kind string, e bus.Entry) (err error) {
	switch kind {
	case "desired":
		p.Desired, err = read[events.Desired](e)
		p.Revision, p.DesiredAt = e.Seq, e.Time
	case "link":
		p.Link, err = read[events.Link](e)
	case "outcome":
		p.Outcome, err = read[events.Outcome](e)
	case "discarded":
		p.Discarded, err = read[events.Discarded](e)
	case "held":
		var held *events.Held
		if held, err = read[events.Held](e); err == nil {
			p.Held = held.Holds
		}
	case "retry":
		plan, _ := e.Scheduled()
		p.NextTry = plan.At
	}
	return err
}

func read[P events.Payload](e bus.Entry) (*P, error) {
	p, err := events.Decode[P](e.Data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Subject, err)
	}
	return &p, nil
}

// addSeen adds when the user was last looked at.
func (o *Operator) addSeen(ctx context.Context, _ *PersonView, orgs map[string]*PersonOrg) error {
	found, err := o.bus.Latest(ctx, events.StreamRoster, []string{events.ChecksAll})
	if err != nil {
		return err
	}
	for name, p := range orgs {
		if p.Link == nil || p.Link.UserID == "" {
			continue
		}
		p.Seen = p.Link.Seen
		e, ok := found[events.CheckSubject(name)]
		if !ok {
			continue
		}
		c, err := read[events.Check](e)
		if err != nil {
			return err
		}
		// Whoever was not worked on since the round began was compared in it.
		if c.SeenSince.After(p.Seen) && p.Link.At.Before(c.SeenSince) {
			p.Seen = c.SeenSince
		}
	}
	return nil
}

// addOwners adds who owns the Salesforce user that each link names.
func (o *Operator) addOwners(ctx context.Context, _ *PersonView, orgs map[string]*PersonOrg) error {
	var subjects []string
	for name, p := range orgs {
		if p.Link != nil && p.Link.UserID != "" {
			subjects = append(subjects, events.OwnerSubject(name, p.Link.UserID))
		}
	}
	if len(subjects) == 0 {
		return nil
	}
	found, err := o.bus.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return err
	}
	for name, p := range orgs {
		if p.Link == nil {
			continue
		}
		if e, ok := found[events.OwnerSubject(name, p.Link.UserID)]; ok {
			if p.Owner, err = read[events.Owner](e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *Operator) addTasks(ctx context.Context, v *PersonView, orgs map[string]*PersonOrg) error {
	found, err := o.bus.Latest(ctx, events.StreamDead, []string{events.DeadFilter("", "", v.Key)})
	if err != nil {
		return err
	}
	for _, e := range found {
		t, err := readTask(e)
		if err != nil {
			return err
		}
		p := orgOf(orgs, t.target.Org)
		p.Tasks = append(p.Tasks, t)
	}
	return nil
}

func (o *Operator) addAudit(ctx context.Context, v *PersonView, _ map[string]*PersonOrg) error {
	var err error
	v.Audit, err = o.Audit(ctx, AuditFilter{Key: v.Key})
	for i, e := range v.Audit { // a bulk request names others too
		v.Audit[i].Targets = slices.DeleteFunc(e.Targets, func(t events.Target) bool { return t.Key != v.Key })
	}
	return err
}

// traces returns the traces of the person's changes, each once.
func (v *PersonView) traces() []string {
	var origins []events.Origin
	if v.Person != nil {
		for _, s := range v.Person.Sources {
			origins = append(origins, s.Origin)
		}
	}
	for _, p := range v.Orgs {
		if p.Desired != nil {
			origins = append(origins, p.Desired.Origin)
		}
		if p.Outcome != nil {
			origins = append(origins, p.Outcome.Origin)
		}
	}
	slices.SortFunc(origins, func(a, b events.Origin) int { return a.Time.Compare(b.Time) })
	var out []string
	for _, origin := range origins {
		if id := traceID(origin.Traceparent); id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}
