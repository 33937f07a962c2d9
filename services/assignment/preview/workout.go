package preview

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/gate"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// subject is one person to be looked at.
type subject struct {
	key events.Key
	// entry is the person as stored; Seq 0 for nobody.
	entry bus.Entry
	// said are events about them that are not stored, in order; none where only
	// the configuration is another.
	said []rules.Event
}

// outcome is what becomes of one person in every org.
type outcome struct {
	state   *events.PersonState
	changes []*Change
	// superseded counts events that say nothing new.
	superseded int
}

// workOut works out some people as assignment would, and reads what it needs.
func (p *Preview) workOut(ctx context.Context, people []subject) ([]*outcome, error) {
	orgs := append(slices.Clone(p.rules.Orgs()), p.dropped...)
	subjects := make([]string, 0, len(people)*len(orgs))
	for _, s := range people {
		for _, org := range orgs {
			subjects = append(subjects, events.DesiredSubject(org, s.key))
		}
	}
	have, err := p.roster.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return nil, fmt.Errorf("read desired states: %w", err)
	}
	out := make([]*outcome, 0, len(people))
	for _, s := range people {
		o, err := p.one(s, have)
		if err != nil {
			p.plan.Unreadable++
			continue
		}
		out = append(out, o)
	}
	return out, p.findUsers(ctx, out)
}

// one is what assignment does with one person, up to the commit.
func (p *Preview) one(s subject, have map[string]bus.Entry) (*outcome, error) {
	state, err := stateOf(s)
	if err != nil {
		return nil, err
	}
	o := &outcome{state: state}
	before := state
	if len(s.said) > 0 {
		if o.superseded = fold(state, s.said); o.superseded == len(s.said) {
			return o, nil // assignment would not look at them either
		}
		if before, err = stateOf(s); err != nil {
			return nil, err
		}
	}
	if s.entry.Seq == 0 || !p.rules.Gone(state) {
		before = nil
	}
	for _, org := range p.dropped {
		if d, err := desiredOf(have, org, s.key); err == nil && active(d) {
			p.plan.leave(org)
		}
	}
	return o, p.desire(o, before, s, have)
}

func (p *Preview) desire(o *outcome, before *events.PersonState, s subject, have map[string]bus.Entry) error {
	previous := make(map[string]*events.Desired, len(p.rules.Orgs()))
	for _, org := range p.rules.Orgs() {
		d, err := desiredOf(have, org, s.key)
		if err != nil {
			return err
		}
		previous[org] = d
	}
	wishes, err := p.rules.Desire(o.state, before, previous)
	if err != nil {
		return err
	}
	for _, org := range p.rules.Orgs() {
		c := &Change{Org: org, Key: s.key, Is: previous[org], Next: previous[org]}
		if wish := wishes[org]; wish != nil {
			if err := p.judge(o, c, wish, before, s, have); err != nil {
				return err
			}
		}
		o.changes = append(o.changes, c)
	}
	return nil
}

// judge is what a wish comes to at the gate, and whether that is anything new.
func (p *Preview) judge(o *outcome, c *Change, wish *events.Desired, before *events.PersonState, s subject, have map[string]bus.Entry) error {
	k := gate.Case{Is: c.Is, Wish: wish, IsAt: have[events.DesiredSubject(c.Org, s.key)].Time,
		Cause: func(events.Aspect) events.ChangeCause { return s.cause() }}
	if len(gate.Takes(c.Is, wish)[events.AspectActive]) > 0 {
		var err error
		if k.Kept, err = p.rules.Kept(c.Org, o.state, before, c.Is); err != nil {
			return err
		}
	}
	v := p.gates.judge(c.Org, k)
	c.Held, c.taken = v.Desired.Held, v.Taken
	data, err := rules.Seal(v.Desired, c.Is, events.LaneBackfill, events.Origin{})
	if err == nil && data != nil {
		c.Next = v.Desired
	}
	return err
}

// cause is what takes something from the person, if anything is taken.
func (s subject) cause() events.ChangeCause {
	if len(s.said) == 0 {
		return events.CauseConfig
	}
	return events.CauseSource(s.said[len(s.said)-1].Origin.Source)
}

func stateOf(s subject) (*events.PersonState, error) {
	if s.entry.Seq == 0 {
		return &events.PersonState{Key: s.key}, nil
	}
	state, err := events.Decode[events.PersonState](s.entry.Data)
	return &state, err
}

// fold folds events into a state, and says how many of them made no difference.
func fold(state *events.PersonState, said []rules.Event) int {
	superseded := 0
	for _, e := range said {
		if rules.FoldPerson(state, e) == rules.FoldSuperseded {
			superseded++
		}
	}
	return superseded
}

func desiredOf(have map[string]bus.Entry, org string, key events.Key) (*events.Desired, error) {
	e, ok := have[events.DesiredSubject(org, key)]
	if !ok {
		return nil, nil //nolint:nilnil // nothing before is a state, not an error
	}
	d, err := events.Decode[events.Desired](e.Data)
	return &d, err
}

// findUsers asks of those who become active or inactive whether Salesforce has a
// user of theirs.
func (p *Preview) findUsers(ctx context.Context, outcomes []*outcome) error {
	asked := map[string]*Change{}
	for _, o := range outcomes {
		for _, c := range o.changes {
			if c.Changed() && active(c.Is) != c.Next.Active {
				asked[events.LinkSubject(c.Org, c.Key)] = c
			}
		}
	}
	if len(asked) == 0 {
		return nil
	}
	have, err := p.roster.Latest(ctx, events.StreamRoster, slices.Sorted(maps.Keys(asked)))
	if err != nil {
		return fmt.Errorf("read links: %w", err)
	}
	for subject, e := range have {
		link, err := events.Decode[events.Link](e.Data)
		if c := asked[subject]; c != nil && err == nil {
			c.HasUser = link.UserID != ""
		}
	}
	return nil
}

// nameOf is what an operator knows somebody by.
func nameOf(state *events.PersonState, c *Change) string {
	for _, d := range []*events.Desired{c.Next, c.Is} {
		if d != nil && d.Match.Username != "" {
			return d.Match.Username
		}
	}
	for _, source := range slices.Sorted(maps.Keys(state.Sources)) {
		if p := state.Sources[source].Person; p != nil && p.UserName != "" {
			return p.UserName
		}
	}
	return cmp.Or(state.CorrelationID, string(c.Key))
}
