package push

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// commitTimeout bounds the last commit of a step, which is made even when the
// step's own time is over: what is known must not be lost. It never lasts longer
// than a claim: after that somebody else is at it.
const commitTimeout = 15 * time.Second

// record commits what became of everybody: the link released and with what is
// now true, the outcome if there is one, and the owner of a new user, together
// or not at all.
func (s *step) record() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), min(commitTimeout, s.org.cfg.ClaimTTL))
	defer cancel()
	s.ctx = ctx // reads and commits of what follows have their own time
	if err := s.write(those(s.people, recorded)); err != nil {
		s.broken = err
		return
	}
	if err := s.raiseFenced(); err != nil {
		s.broken = err
	}
}

// recorded says whether a person's end is written down. Those still open are
// given back: their claim is released with whatever was found out or done.
func recorded(p *person) bool {
	switch p.fate {
	case current, applied, failed, discarded:
		return true
	case open:
		return p.claimed
	}
	return false
}

func (s *step) write(people []*person) error {
	if len(people) == 0 {
		return nil
	}
	now := time.Now()
	groups := make([]bus.Group, len(people))
	for i, p := range people {
		g, err := s.group(p, now)
		if err != nil {
			return err
		}
		groups[i] = g
	}
	done, err := s.org.bus.Commit(s.ctx, events.StreamRoster, groups)
	if err != nil {
		return fmt.Errorf("commit outcomes: %w", err)
	}
	var clash, owned []*person
	for i, p := range people {
		switch {
		case done[i].Err == nil:
		case p.owner == "":
			p.fate = fenced
			s.org.metrics.claimLost(s.ctx)
		default:
			clash = append(clash, p)
		}
	}
	if err := s.explain(clash); err != nil {
		return err
	}
	for _, p := range clash {
		if p.fate != fenced {
			owned = append(owned, p)
		}
	}
	// Without owner records, each of these either goes through or is fenced.
	return s.write(owned)
}

func (s *step) group(p *person, now time.Time) (bus.Group, error) {
	p.link = settle(p, now)
	p.link.Org = s.org.cfg.Name
	link, err := s.linkWrite(p, p.link)
	if err != nil {
		return nil, err
	}
	g := bus.Group{link}
	if p.fate != open {
		data, err := events.Encode(outcomeOf(p, p.link))
		if err != nil {
			return nil, fmt.Errorf("outcome: %w", err)
		}
		g = append(g, bus.Write{Subject: events.OutcomeSubject(s.org.cfg.Name, p.key), Data: data, Header: link.Header})
	}
	if p.owner != "" {
		owner, err := s.ownerWrite(p, p.owner)
		if err != nil {
			return nil, err
		}
		g = append(g, owner)
	}
	return g, nil
}

// raiseFenced asks for those to be looked at again whom somebody else took
// over: both of us may have written, and only the newest desired may stand.
func (s *step) raiseFenced() error {
	var groups []bus.Group
	for _, p := range s.people {
		if p.fate != fenced {
			continue
		}
		data, err := events.Encode(events.Work{Reason: events.ReasonFenced})
		if err != nil {
			return fmt.Errorf("work: %w", err)
		}
		groups = append(groups, bus.Group{{
			Subject: events.WorkSubject(s.org.cfg.Name, p.lane, p.key), Data: data, Header: s.trace.header(p),
		}})
	}
	if len(groups) == 0 {
		return nil
	}
	if _, err := s.org.bus.Commit(s.ctx, events.StreamRoster, groups); err != nil {
		return fmt.Errorf("publish work of fenced: %w", err)
	}
	return nil
}
