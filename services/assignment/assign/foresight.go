package assign

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/services/assignment/gate"
)

// foresight is what is known of changes that are still to come: in which places
// they are too many to let any of them through. Nil knows nothing.
type foresight struct {
	whole map[string][]gate.Place
}

// add takes in what else is known.
func (f *foresight) add(more *foresight) {
	if more == nil {
		return
	}
	for org, places := range more.whole {
		f.whole[org] = append(f.whole[org], places...)
	}
}

func (f *foresight) tell(org string, c *gate.Counter) {
	if f == nil {
		return
	}
	for _, at := range f.whole[org] {
		c.HoldWhole(at)
	}
}

// census counts what changes would take, without making them.
type census struct {
	counters map[string]*gate.Counter
	takes    map[string]map[gate.Place]int
	now      time.Time
}

// censusTaken begins a census: the counters are those of before it, so that what
// is taken meanwhile is not counted in both.
func (s *Service) censusTaken(ctx context.Context) (*census, error) {
	k, err := s.count(ctx, s.rules.Orgs())
	if err != nil {
		return nil, err
	}
	return &census{counters: k.open(s.gates), takes: map[string]map[gate.Place]int{}, now: k.now}, nil
}

// look counts some changes in.
func (s *Service) look(ctx context.Context, n *census, changes []*change) error {
	if len(changes) == 0 {
		return nil
	}
	have, err := s.read(ctx, changes)
	if err != nil {
		return err
	}
	for _, c := range changes {
		d := s.draft(c, have)
		if d == nil {
			continue // nothing to do, or nothing that can be done
		}
		for _, w := range d.wishes {
			n.add(w)
		}
	}
	return nil
}

// add counts what a wish would newly take.
func (n *census) add(w *wish) {
	if !w.Takes() {
		return
	}
	if n.takes[w.org] == nil {
		n.takes[w.org] = map[gate.Place]int{}
	}
	for _, at := range gate.Alone(w.Case) {
		n.takes[w.org][at]++
	}
}

// foresee says what is to be held whole.
func (n *census) foresee() *foresight {
	f := &foresight{whole: map[string][]gate.Place{}}
	for org, places := range n.takes {
		c := n.counters[org]
		for at, people := range places {
			if c != nil && !c.Fits(at, people) {
				f.whole[org] = append(f.whole[org], at)
			}
		}
	}
	return f
}

// foreseeSweep looks at everybody before a sweep changes anybody: what the
// configuration takes from too many it takes from nobody.
func (s *Service) foreseeSweep(ctx context.Context, before uint64) (*foresight, error) {
	n, err := s.censusTaken(ctx)
	if err != nil {
		return nil, err
	}
	err = s.everybody(ctx, before, func(batch []*change) error { return s.look(ctx, n, batch) })
	if err != nil {
		return nil, fmt.Errorf("look at what the configuration takes: %w", err)
	}
	return n.foresee(), nil
}
