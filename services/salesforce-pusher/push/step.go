package push

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// giveBack is when a person comes again whose work was interrupted.
const giveBack = time.Second

// step is one batch of one org and lane on its way from messages to acks.
type step struct {
	*batch
	tasks []*task
}

// newStep makes a step of messages. Its context outlives ctx, so that no API
// call is cut in half, but not for longer than a claim.
func (o *org) newStep(ctx context.Context, lane events.Lane, msgs []*bus.Message) (*step, context.Context, context.CancelFunc) {
	o.policy.Integration = o.integrationUser(ctx)
	o.policy.SelfUnknown = o.policy.Integration == ""
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(o.cfg.ClaimTTL, cancel) })
	trace := &stepTrace{tracer: o.tracer, org: o.cfg.Name, lane: lane}
	books := &ledger{org: o.cfg.Name, worker: o.worker, ttl: o.cfg.ClaimTTL, margin: o.cfg.margin(), policy: &o.policy, roster: o.roster, trace: trace, metrics: o.metrics}
	b := &batch{
		org: o, lane: lane, ledger: books, trace: trace, taken: map[string]events.Key{},
		caller: &caller{client: o.client, timeout: o.cfg.CallTimeout, ledger: books, trace: trace, metrics: o.metrics, reader: o.reader, began: o.self.asked},
	}
	return &step{batch: b, tasks: gather(msgs, lane)}, own, func() { stop(); cancel() }
}

// run works a batch off and returns what holds the whole org, if it met that.
// Whatever happens, nothing is acked that is not committed.
func (s *step) run(ctx context.Context) *events.Failure {
	began := time.Now()
	s.trace.begin(ctx, s.tasks)
	defer func() { s.trace.end(s.tasks) }()
	if err := s.prepare(ctx); err != nil {
		s.close(ctx, began, err)
		return nil
	}
	return s.finish(ctx, began, s.work(ctx, s.tasks)).trouble
}

// finish records what became of everybody and answers the messages; halted is
// why no more calls were made, nil where nobody needs one.
func (s *step) finish(ctx context.Context, began time.Time, halted error) halt {
	s.tasks, s.joined = append(s.tasks, s.joined...), nil
	for _, t := range s.tasks {
		t.Stop(&s.org.policy)
	}
	why := haltIn(halted)
	if err := s.ledger.record(ctx, s.tasks); err != nil {
		why.roster = err
	}
	s.close(ctx, began, why.roster)
	return why
}

// close answers the messages and says how the step went; broken is NATS not
// having answered.
func (s *step) close(ctx context.Context, began time.Time, broken error) {
	s.answer(ctx, broken != nil)
	s.tell()
	s.org.metrics.step(ctx, s, time.Since(began))
	if broken != nil {
		s.org.log.WarnContext(ctx, "batch given back: NATS did not answer", "org", s.org.cfg.Name, "lane", s.lane, "error", broken)
	}
}

// prepare reads everybody's state, says who needs what, and claims those for
// whom Salesforce has to be asked.
func (s *step) prepare(ctx context.Context) error {
	if err := s.read(ctx); err != nil {
		return err
	}
	if err := s.ledger.discarded(ctx, s.tasks); err != nil {
		return err
	}
	for _, t := range s.tasks {
		t.CheckDesired()
	}
	return s.ledger.claim(ctx, those(s.tasks, isOpen))
}

// read takes in desired and link of everybody at once, as they are after the
// newest message of the batch.
func (s *step) read(ctx context.Context) error {
	if len(s.tasks) == 0 {
		return nil
	}
	subjects := make([]string, 0, 2*len(s.tasks))
	newest := s.tasks[0].messages[0]
	for _, t := range s.tasks {
		subjects = append(subjects, events.DesiredSubject(s.org.cfg.Name, t.Key), events.LinkSubject(s.org.cfg.Name, t.Key))
		for _, m := range t.messages {
			if m.Seq > newest.Seq {
				newest = m
			}
		}
	}
	now, err := s.org.roster.Now(ctx)
	if err != nil {
		return err
	}
	entries, err := s.org.roster.LatestAsOf(ctx, events.StreamRoster, subjects, newest.Subject, newest.Seq)
	if err != nil {
		return fmt.Errorf("read desired and link: %w", err)
	}
	for _, t := range s.tasks {
		if err := s.ledger.load(t, entries, now); err != nil {
			// A newer version of Rollcall wrote it; whoever can read it will.
			s.org.log.WarnContext(ctx, "state cannot be read", "org", s.org.cfg.Name, "key", t.Key, "error", err)
			t.Wait(30 * giveBack)
		}
	}
	return nil
}

// answer acks the messages of those who have ended and puts the rest back.
func (s *step) answer(ctx context.Context, broken bool) {
	// One delay for all: spread out, they would come back in many small batches
	// and take as many API calls.
	late := jitter(conflictDelay)
	for _, t := range s.tasks {
		for _, m := range t.messages {
			if err := t.reply(m, late, broken); err != nil {
				// Acks are hints: the message comes again and finds nothing to do.
				s.org.log.DebugContext(ctx, "ack not sent", "org", s.org.cfg.Name, "key", t.Key, "error", err)
			}
		}
	}
}

// reply is the one place where a person's fate becomes an ack or a return.
func (t *task) reply(m *bus.Message, late time.Duration, broken bool) error {
	switch {
	case t.Open() || broken && t.Fate() != plan.Idle:
		return m.Nak(late + giveBack)
	}
	return m.Ack()
}

// tell logs who was not made as they should be: what, never the values.
func (s *step) tell() {
	for _, t := range s.tasks {
		if f := t.Failure(); f != nil && t.Fate() == plan.Failed {
			s.org.log.InfoContext(t.span.ctx, "person not applied", "org", s.org.cfg.Name, "key", t.Key,
				"event_id", t.Desired.Origin.EventID, "attempt", t.attempt, "cause", f.Cause, "operation", f.Operation)
		}
	}
}
