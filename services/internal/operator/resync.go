package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// Resynced is one person who is to be read anew, or was.
type Resynced struct {
	Org      string     `json:"org"`
	Key      events.Key `json:"key"`
	Username string     `json:"username,omitempty"`
	// Active is what is desired, Drift what is known to differ, Seen when somebody
	// last looked.
	Active bool          `json:"active"`
	Drift  *events.Drift `json:"drift,omitempty"`
	Seen   time.Time     `json:"seen,omitzero"`
	// Outcome is what came of it, nil as long as nothing has.
	Outcome *events.Outcome `json:"outcome,omitempty"`

	before uint64 // the outcome's sequence before anybody asked
}

// Find returns the key of the person with this key, correlation id or username. It
// returns [ErrNobody] or [ErrSeveral].
func (o *Operator) Find(ctx context.Context, name string) (events.Key, error) {
	return o.find(ctx, name)
}

// Select returns those whom a selection takes by now, by key. Whom a request finds is
// decided when it is handled.
func (o *Operator) Select(ctx context.Context, s events.Selection) ([]Resynced, error) {
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("select: %w", err)
	}
	all := map[events.Key]*Resynced{}
	wishes := map[events.Key]events.Desired{}
	links := map[events.Key]events.Link{}
	wish := func(e bus.Entry) error {
		d, err := events.Decode[events.Desired](e.Data)
		wishes[d.Key] = d
		return err
	}
	link := func(e bus.Entry) error {
		l, err := events.Decode[events.Link](e.Data)
		links[l.Key] = l
		return err
	}
	who := s.Keys
	if len(who) == 0 {
		who = []events.Key{"*"}
	}
	for _, key := range who {
		err := o.bus.Scan(ctx, events.StreamRoster, events.DesiredSubject(s.Org, key), 1, wish)
		if err == nil {
			err = o.bus.Scan(ctx, events.StreamRoster, events.LinkSubject(s.Org, key), 1, link)
		}
		if err != nil {
			return nil, fmt.Errorf("select: %w", err)
		}
	}
	for key, d := range wishes {
		if l := links[key]; s.Takes(d, l) {
			all[key] = &Resynced{Org: s.Org, Key: key, Username: d.Match.Username, Active: d.Active, Drift: l.Drift, Seen: l.Seen}
		}
	}
	return o.withOutcomes(ctx, s.Org, all)
}

// withOutcomes notes which outcome each has by now.
func (o *Operator) withOutcomes(ctx context.Context, org string, all map[events.Key]*Resynced) ([]Resynced, error) {
	out := make([]Resynced, 0, len(all))
	for _, r := range all {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Resynced) int { return compareKeys(a.Key, b.Key) })
	found, err := o.outcomes(ctx, org, out)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i].before = found[events.OutcomeSubject(org, out[i].Key)].Seq
	}
	return out, nil
}

func compareKeys(a, b events.Key) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (o *Operator) outcomes(ctx context.Context, org string, list []Resynced) (map[string]bus.Entry, error) {
	subjects := make([]string, len(list))
	for i, r := range list {
		subjects[i] = events.OutcomeSubject(org, r.Key)
	}
	found, err := o.bus.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return nil, fmt.Errorf("read outcomes: %w", err)
	}
	return found, nil
}

// Resync asks for people to be read anew from Salesforce; it returns when the
// request is stored.
func (o *Operator) Resync(ctx context.Context, by, reason string, s events.Selection) (Asked, error) {
	if by == "" {
		return Asked{}, errors.New("request: it must say who asks")
	}
	if err := s.Check(); err != nil {
		return Asked{}, fmt.Errorf("request resync: %w", err)
	}
	r := events.OperatorRequest{By: by, Reason: reason, Targets: []events.Target{}, Select: &s}
	asked, err := o.enter(ctx, events.VerbResync, r)
	if err != nil {
		return asked, fmt.Errorf("request resync: %w", err)
	}
	return asked, nil
}

// Await fills in what came of each, until all have an outcome newer than that which
// they had when they were selected, or ctx ends, which is no error.
func (o *Operator) Await(ctx context.Context, list []Resynced) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		open, err := o.fill(ctx, list)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil || open == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// fill looks once, and returns how many have no new outcome yet.
func (o *Operator) fill(ctx context.Context, list []Resynced) (open int, err error) {
	byOrg := map[string][]Resynced{}
	for _, r := range list {
		if r.Outcome == nil {
			byOrg[r.Org] = append(byOrg[r.Org], r)
		}
	}
	found := map[string]bus.Entry{}
	for org, part := range byOrg {
		got, err := o.outcomes(ctx, org, part)
		if err != nil {
			return 0, err
		}
		for subject, e := range got {
			found[subject] = e
		}
	}
	for i, r := range list {
		if r.Outcome != nil {
			continue
		}
		e, ok := found[events.OutcomeSubject(r.Org, r.Key)]
		if !ok || e.Seq <= r.before {
			open++
			continue
		}
		if list[i].Outcome, err = read[events.Outcome](e); err != nil {
			return 0, err
		}
	}
	return open, nil
}
