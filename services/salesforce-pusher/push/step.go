package push

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// giveBack is when a person comes again whose work was interrupted.
const giveBack = time.Second

// step is one batch of one org and lane on its way from messages to acks.
type step struct {
	org    *org
	lane   events.Lane
	ctx    context.Context //nolint:containedctx // the step's life: it outlives the loop's
	people []*person
	trace  *stepTrace

	// trouble is what holds the whole org; broken is NATS not answering; late
	// is a step that took longer than its claims.
	trouble *events.Failure
	broken  error
	late    bool

	// refreshed is set once names were resolved anew because of a wrong id.
	refreshed bool
	// rights are what the integration user may do, once somebody had to ask.
	rights *rights
	// taken are the users of this step by id, so that two people of one batch
	// cannot have one.
	taken map[string]events.Key
}

// run works a batch off. Whatever happens, nothing is acked that is not
// committed.
func (s *step) run(msgs []*bus.Message) {
	began := time.Now()
	s.people = group(msgs, s.lane)
	s.trace.begin(s.people)
	if err := s.prepare(); err != nil {
		s.broken = err
	} else {
		s.work(s.phases())
		s.record()
	}
	s.close(began)
	s.trace.end(s.people)
}

// close answers the messages and says how the step went.
func (s *step) close(began time.Time) {
	s.answer()
	s.tell()
	s.org.metrics.step(s.ctx, s, time.Since(began))
	if s.broken != nil {
		s.org.log.WarnContext(s.ctx, "batch given back: NATS did not answer", "org", s.org.cfg.Name, "lane", s.lane, "error", s.broken)
	}
}

// group makes one person of all messages about one key.
func group(msgs []*bus.Message, lane events.Lane) []*person {
	byKey := make(map[events.Key]*person, len(msgs))
	var out []*person
	for _, m := range msgs {
		a, err := events.ParseSubject(m.Subject)
		if err != nil {
			continue // the consumer's filter lets no other subject through
		}
		p := byKey[a.Key]
		if p == nil {
			p = &person{key: a.Key, lane: lane}
			byKey[a.Key] = p
			out = append(out, p)
		}
		p.messages = append(p.messages, m)
	}
	return out
}

// prepare reads everybody's state, says who needs what, and claims those for
// whom Salesforce has to be asked.
func (s *step) prepare() error {
	if err := s.read(); err != nil {
		return err
	}
	if err := s.dropDiscarded(); err != nil {
		return err
	}
	for _, p := range those(s.people, isOpen) {
		if p.desired.Problem != nil {
			f := *p.desired.Problem
			if f.Cause == "" {
				f.Cause = events.CauseMapping
			}
			p.fail(&f)
		}
	}
	return s.claim(s.ctx, those(s.people, isOpen))
}

// read takes in desired and link of everybody at once, as they are after the
// newest message of the batch.
func (s *step) read() error {
	if len(s.people) == 0 {
		return nil
	}
	subjects := make([]string, 0, 2*len(s.people))
	newest := s.people[0].messages[0]
	for _, p := range s.people {
		subjects = append(subjects, events.DesiredSubject(s.org.cfg.Name, p.key), events.LinkSubject(s.org.cfg.Name, p.key))
		for _, m := range p.messages {
			if m.Seq > newest.Seq {
				newest = m
			}
		}
	}
	entries, err := s.org.bus.LatestAsOf(s.ctx, events.StreamRoster, subjects, newest.Subject, newest.Seq)
	if err != nil {
		return fmt.Errorf("read desired and link: %w", err)
	}
	now := time.Now()
	for _, p := range s.people {
		if err := s.load(p, entries, now); err != nil {
			// A newer version of Rollcall wrote it; whoever can read it will.
			s.org.log.WarnContext(s.ctx, "state cannot be read", "org", s.org.cfg.Name, "key", p.key, "error", err)
			p.fate, p.again = busy, 30*giveBack
		}
	}
	return nil
}

func (s *step) load(p *person, entries map[string]bus.Entry, now time.Time) error {
	desired, ok := entries[events.DesiredSubject(s.org.cfg.Name, p.key)]
	var err error
	if ok {
		p.revision = desired.Seq
		if p.desired, err = events.Decode[events.Desired](desired.Data); err != nil {
			return err
		}
	}
	if link, ok := entries[events.LinkSubject(s.org.cfg.Name, p.key)]; ok {
		p.linkSeq = link.Seq
		if p.link, err = events.Decode[events.Link](link.Data); err != nil {
			return err
		}
	}
	s.trace.about(p)
	sort(p, ok, s.org.worker, now, s.org.cfg.margin())
	return nil
}

// dropDiscarded takes out those whose failed revision an admin gave up.
func (s *step) dropDiscarded() error {
	doubted := those(s.people, func(p *person) bool { return isOpen(p) && doubtful(p) })
	if len(doubted) == 0 {
		return nil
	}
	subjects := make([]string, len(doubted))
	for i, p := range doubted {
		subjects[i] = events.DiscardedSubject(s.org.cfg.Name, p.key)
	}
	entries, err := s.org.bus.Latest(s.ctx, events.StreamRoster, subjects)
	if err != nil {
		return fmt.Errorf("read discarded: %w", err)
	}
	for i, p := range doubted {
		e, ok := entries[subjects[i]]
		if !ok {
			continue
		}
		d, err := events.Decode[events.Discarded](e.Data)
		if err != nil {
			return err
		}
		if givenUp(p, d) {
			p.fate = discarded
		}
	}
	return nil
}

// phases are all there is to do for somebody of whom nothing is known yet.
func (s *step) phases() []func() {
	return []func(){s.endJobs, func() { s.resolve(s.people) }, s.identify, s.create, s.update, s.assign}
}

// work makes the calls, phase by phase. Each phase takes those still open and
// leaves those open who need the next one.
func (s *step) work(phases []func()) {
	for _, phase := range phases {
		if s.stopped() || len(those(s.people, isOpen)) == 0 {
			break
		}
		phase()
	}
	for _, p := range s.people {
		p.finish()
	}
}

// answer acks what is settled and puts the rest back.
func (s *step) answer() {
	// One delay for all: spread out, they would come back in many small batches
	// and take as many API calls.
	late := jitter(conflictDelay)
	for _, p := range s.people {
		for _, m := range p.messages {
			if err := s.reply(p, m, late); err != nil {
				// Acks are hints: the message comes again and finds nothing to do.
				s.org.log.DebugContext(s.ctx, "ack not sent", "org", s.org.cfg.Name, "key", p.key, "error", err)
			}
		}
	}
}

func (s *step) reply(p *person, m *bus.Message, late time.Duration) error {
	switch {
	case p.fate == busy:
		return m.Nak(late + min(p.again, patience(m.Deliveries)))
	case p.fate == open && p.link.Job != "":
		return m.Nak(late + jobPatience(m.Deliveries))
	case p.fate == open || s.broken != nil && p.fate != idle:
		return m.Nak(late + giveBack)
	}
	return m.Ack()
}

// patience is how soon somebody busy is looked at again: soon at first, because
// most claims are given up long before they end.
func patience(deliveries int) time.Duration {
	return min(conflictDelay<<min(deliveries-1, 5), 2*time.Second)
}

// jobPatience is how soon a job is looked at again that has to end first: each
// look is an API call, and a job may take long.
func jobPatience(deliveries int) time.Duration {
	return min(giveBack<<min(deliveries-1, 5), 30*time.Second)
}

// tell logs who was not made as they should be: what, never the values.
func (s *step) tell() {
	for _, p := range s.people {
		if p.fate == failed {
			s.org.log.InfoContext(p.span.ctx, "person not applied", "org", s.org.cfg.Name, "key", p.key,
				"event_id", p.desired.Origin.EventID, "attempt", p.link.Attempts, "cause", p.failure.Cause, "operation", p.failure.Operation)
		}
	}
}
