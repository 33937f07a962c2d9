package preview

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

const (
	// together is how many people are worked out at once: with one org their
	// desired states fill one read.
	together = 1000
	// maxFaults is how many reasons are kept why events would be rejected.
	maxFaults = 100
)

// Roster is what is needed of the bus; [bus.Bus] has it.
type Roster interface {
	Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error)
	Scan(ctx context.Context, stream, filter string, from uint64, each func(bus.Entry) error) error
}

// Preview works out one plan. Use it once.
type Preview struct {
	roster Roster
	file   config.File
	rules  *rules.Rules
	reader *rules.Reader
	gates  *gates
	// Each, when set, is told of every person what becomes of them in every org.
	Each func(key events.Key, changes []*Change)

	plan    Plan
	orgs    map[string]*Org
	dropped []string
}

// New returns a preview of a configuration. keyer derives the keys of people in
// events; it may be nil where there are none. The error joins every fault of the
// configuration, each expression that does not compile with its place among them.
func New(r Roster, f config.File, keyer *events.Keyer) (*Preview, error) {
	compiled, errRules := rules.Compile(f)
	reader, errSources := rules.NewReader(f.Sources, keyer)
	if err := errors.Join(errSources, errRules); err != nil {
		return nil, err
	}
	p := &Preview{roster: r, file: f, rules: compiled, reader: reader, gates: newGates(f), orgs: map[string]*Org{}}
	for _, org := range compiled.Orgs() {
		p.orgs[org] = newOrg(org, f.Orgs[org].Push.FreezeFirst)
	}
	return p, nil
}

// Everybody is what the configuration would change for all who are known.
func (p *Preview) Everybody(ctx context.Context) (Plan, error) {
	if err := errors.Join(p.findDropped(ctx), p.gates.read(ctx, p.roster)); err != nil {
		return p.plan, err
	}
	var batch []subject
	flush := func() error {
		err := p.take(ctx, batch)
		batch = batch[:0]
		return err
	}
	err := p.roster.Scan(ctx, events.StreamRoster, events.PersonsAll, 1, func(e bus.Entry) error {
		a, err := events.ParseSubject(e.Subject)
		if err != nil {
			return err
		}
		if batch = append(batch, subject{key: a.Key, entry: e}); len(batch) < together {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	return p.finish(), err
}

// findDropped finds orgs that the pusher has worked on and the configuration has
// not.
func (p *Preview) findDropped(ctx context.Context) error {
	have, err := p.roster.Latest(ctx, events.StreamRoster, []string{events.HealthAll})
	if err != nil {
		return fmt.Errorf("read which orgs there are: %w", err)
	}
	for _, subject := range slices.Sorted(maps.Keys(have)) {
		a, err := events.ParseSubject(subject)
		if err != nil {
			return err
		}
		if _, there := p.orgs[a.Org]; !there {
			p.dropped = append(p.dropped, a.Org)
			p.plan.Dropped = append(p.plan.Dropped, Dropped{Org: a.Org})
		}
	}
	return nil
}

// Person is what the configuration, and events of a publication that are about
// them, would change for one person. Read may be nil.
func (p *Preview) Person(ctx context.Context, key events.Key, read Publication, after uint64) (Plan, error) {
	if err := p.gates.read(ctx, p.roster); err != nil {
		return p.plan, err
	}
	var said []rules.Event
	if read != nil {
		p.plan.Rows = &Rows{}
		err := p.read(read, after, func(e rules.Event) error {
			if e.Key == key {
				said = append(said, e)
			}
			return nil
		})
		if err != nil {
			return p.plan, err
		}
	}
	batch, err := p.stored(ctx, []subject{{key: key, said: said}})
	if err != nil {
		return p.plan, err
	}
	outcomes, err := p.workOut(ctx, batch)
	if err != nil {
		return p.plan, err
	}
	for _, o := range outcomes {
		p.count(o)
		coverage, err := p.rules.Cover(o.state)
		if err != nil {
			return p.plan, err
		}
		p.plan.Person = &Person{Key: key, Changes: o.changes, Coverage: coverage}
	}
	return p.finish(), nil
}

// take works out some people and counts what becomes of them.
func (p *Preview) take(ctx context.Context, batch []subject) error {
	outcomes, err := p.workOut(ctx, batch)
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		if err := p.cover(o); err != nil {
			p.plan.Unreadable++
			continue
		}
		p.count(o)
	}
	return nil
}

func (p *Preview) count(o *outcome) {
	p.plan.People++
	changed := false
	for _, c := range o.changes {
		changed = changed || c.Changed()
		p.orgs[c.Org].add(c, nameOf(o.state, c))
	}
	if changed {
		p.plan.Changed++
	}
	if p.plan.Rows != nil {
		p.plan.Rows.Superseded += o.superseded
	}
	if p.Each != nil {
		p.Each(o.state.Key, o.changes)
	}
}

// cover counts how those stand to the rules who get no user.
func (p *Preview) cover(o *outcome) error {
	without := slices.ContainsFunc(o.changes, func(c *Change) bool { return !active(c.Next) })
	if !without {
		return nil
	}
	all, err := p.rules.Cover(o.state)
	if err != nil {
		return err
	}
	for i, c := range o.changes { // both are in the order of the orgs
		if !active(c.Next) {
			p.orgs[c.Org].cover(all[i], c.Key, nameOf(o.state, c))
		}
	}
	return nil
}

func (p *Preview) finish() Plan {
	p.plan.Orgs = []Org{}
	for _, name := range p.rules.Orgs() {
		o := p.orgs[name]
		var names []string
		for _, r := range p.file.Orgs[name].Assign.Rules {
			names = append(names, r.Name)
		}
		o.finish(names, p.gates)
		p.plan.Orgs = append(p.plan.Orgs, *o)
	}
	return p.plan
}

// now is when events of a file would be stored: nothing of a plan hangs on it.
func now() time.Time { return time.Now().UTC() }
