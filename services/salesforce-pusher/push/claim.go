package push

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// conflictDelay is when somebody is looked at again whose link another worker
// wrote a moment ago.
const conflictDelay = 100 * time.Millisecond

// claim takes people: from here on, no other worker touches them until the
// claim ends. Those somebody else got first become busy (or fenced, if they
// were ours until now).
func (s *step) claim(ctx context.Context, people []*person) error {
	if len(people) == 0 {
		return nil
	}
	began := time.Now()
	until := began.Add(s.org.cfg.ClaimTTL)
	groups := make([]bus.Group, len(people))
	for i, p := range people {
		l := p.link
		l.Org, l.Key = s.org.cfg.Name, p.key
		l.Claim = &events.Claim{Worker: s.org.worker, Revision: p.revision, Until: until.UTC()}
		w, err := s.linkWrite(p, l)
		if err != nil {
			return err
		}
		groups[i] = bus.Group{w}
	}
	done, err := s.org.bus.Commit(ctx, events.StreamRoster, groups)
	if err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	for i, p := range people {
		if done[i].Err != nil {
			s.lose(p)
			continue
		}
		p.linkSeq, p.until, p.claimed = done[i].Seqs[0], until, true
	}
	return nil
}

// lose takes note that another worker wrote somebody's link.
func (s *step) lose(p *person) {
	s.org.metrics.claimLost(s.ctx)
	if p.claimed {
		p.fate = fenced
		return
	}
	p.fate, p.again = busy, conflictDelay
}

// linkWrite is the compare-and-set of a person's link.
func (s *step) linkWrite(p *person, l events.Link) (bus.Write, error) {
	data, err := events.Encode(l)
	if err != nil {
		return bus.Write{}, fmt.Errorf("link: %w", err)
	}
	return bus.Write{
		Subject: events.LinkSubject(s.org.cfg.Name, p.key), Data: data,
		Header: bus.Header(s.trace.header(p)), Guarded: true, LastSeq: p.linkSeq,
	}, nil
}

// ready returns those people who may be part of a call now: none once the org
// is in trouble, and only those still ours. Where the claims do not last for a
// whole call they are renewed first.
func (s *step) ready(people []*person) []*person {
	open := those(people, isOpen)
	if len(open) == 0 || s.stopped() {
		return nil
	}
	if s.left(open) >= s.org.cfg.CallTimeout {
		return open
	}
	if err := s.claim(s.ctx, those(s.people, isOpen)); err != nil {
		s.broken = err
		return nil
	}
	return those(people, isOpen)
}

// left is how long a call for these people may take.
func (s *step) left(people []*person) time.Duration {
	end := people[0].until
	for _, p := range people[1:] {
		if p.until.Before(end) {
			end = p.until
		}
	}
	return time.Until(end) - s.org.cfg.margin()
}

func isOpen(p *person) bool { return p.fate == open }

// jitter spreads what would otherwise come back all at once.
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d + rand.N(d/4+1) //nolint:gosec // spreads load, keeps no secret
}
