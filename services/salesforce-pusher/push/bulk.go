package push

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

const (
	// bulkMax is how many people one job takes: some megabytes of CSV, and no
	// more unacked than the consumer allows.
	bulkMax = 10_000
	// bulkWorth is how many new users are worth a job: it takes about eight
	// calls, and seconds at the least.
	bulkWorth = 5 * batchMax
	// bulkClaims is how many times an ordinary claim a bulk claim lasts. It is
	// renewed long before.
	bulkClaims = 3
	// gatherQuiet is how long no more may come before a load begins.
	gatherQuiet = 500 * time.Millisecond
	// backlogEvery bounds how often the backlog is asked for.
	backlogEvery = time.Second
)

// bulk makes the new users of a large first load by the Bulk API, beside the
// loop of its org: leavers and changes go on meanwhile. ADR 0013.
type bulk struct {
	// org has a worker's name, a catalogue and claims of its own: to the loop, a
	// person in a load is one that somebody else works on.
	org   *org
	above int

	waiting   []*bus.Message
	gathering bool
	grew      time.Time
	looked    time.Time
	running   sync.WaitGroup
	// troubles are what loads met that holds the org, for the loop to find.
	troubles chan *events.Failure
}

func newBulk(o *org) *bulk {
	own := &org{
		cfg: o.cfg, policy: o.policy, worker: o.worker + "-bulk", roster: o.roster, pauses: o.pauses, reader: o.reader, client: o.client,
		health: o.health, catalogue: plan.NewCatalogue(o.cfg.Names), log: o.log, tracer: o.tracer, metrics: o.metrics,
	}
	own.cfg.ClaimTTL *= bulkClaims
	return &bulk{org: own, above: o.cfg.BulkAbove, troubles: make(chan *events.Failure, 1)}
}

// wait bounds the wait for more while people are gathered.
func (b *bulk) wait(ctx context.Context) (context.Context, context.CancelFunc) {
	if !b.gathering {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, gatherQuiet)
}

// met returns what a load met since, nil if nothing.
func (b *bulk) met() *events.Failure {
	select {
	case f := <-b.troubles:
		return f
	default:
		return nil
	}
}

// take keeps messages for a load, where there is or will be one.
func (b *bulk) take(ctx context.Context, msgs []*bus.Message) bool {
	if b.above == 0 || !b.gathering && !b.behind(ctx) {
		return false
	}
	b.gathering, b.grew = true, time.Now()
	b.waiting = append(b.waiting, msgs...)
	return true
}

// behind says whether enough is waiting for a load.
func (b *bulk) behind(ctx context.Context) bool {
	if time.Since(b.looked) < backlogEvery {
		return false
	}
	b.looked = time.Now()
	c, err := b.org.roster.Consumer(ctx, events.StreamRoster, events.WorkConsumer(b.org.cfg.Name, events.LaneBackfill))
	if err != nil {
		b.org.log.DebugContext(ctx, "backlog is not known", "org", b.org.cfg.Name, "error", err)
		return false
	}
	return c.Pending+uint64(c.AckPending) > uint64(b.above) //nolint:gosec // counts
}

// due says whether to wait for no more: there are enough, or none came for a
// while, whatever other lanes bring.
func (b *bulk) due() bool {
	return len(b.waiting) >= bulkMax || b.gathering && time.Since(b.grew) >= gatherQuiet
}

// launch loads those gathered, unless the lane is paused. Until that is done, the
// backfill lane waits.
func (b *bulk) launch(ctx context.Context, feeds *bus.Priority) {
	if b.org.paused(events.LaneBackfill) {
		return
	}
	lane := slices.Index(events.Lanes(), events.LaneBackfill)
	msgs := b.waiting
	b.waiting, b.gathering = nil, false
	feeds.Mute(lane, true)
	b.running.Go(func() {
		defer feeds.Mute(lane, false)
		trouble := b.org.load(ctx, msgs)
		b.org.report(ctx, trouble)
		if trouble == nil {
			return
		}
		select {
		case b.troubles <- trouble:
		default: // one is enough to stop the loop
		}
	})
}

// close waits for the load and gives back who was gathered for another.
func (b *bulk) close() {
	b.running.Wait()
	for _, m := range b.waiting {
		_ = m.Nak(0) // a hint: unacked they come again anyway
	}
}

// load works many people off: those who may need more than an insert as
// ordinary batches, the others by one job. It returns what holds the org.
func (o *org) load(ctx context.Context, msgs []*bus.Message) *events.Failure {
	s, own, done := o.newStep(ctx, events.LaneBackfill, msgs)
	defer done()
	s.trace.begin(own, s.tasks)
	defer s.trace.end(s.tasks)
	if err := s.prepare(own); err != nil {
		s.close(own, time.Now(), err)
		return nil
	}
	l := &load{step: s}
	newcomers, others, halted := l.newcomers(own)
	halted = l.inParts(own, others, nil, halted)
	var results map[*task]result
	halted = l.orPaused(halted)
	if n := rows(newcomers); len(n) >= bulkWorth && halted == nil {
		results, halted = l.ingest(ctx, own, n)
	}
	return haltIn(l.inParts(own, newcomers, results, halted)).trouble
}

// load is a step of many more people than one call takes.
type load struct{ *step }

// newcomers are those for whom an insert is all there is to do first, planned.
// Two of one username are not among them: a job's results are told apart by it.
func (l *load) newcomers(ctx context.Context) (newcomers, others []*task, halted error) {
	usernames := map[string]bool{}
	for _, t := range l.tasks {
		name, _ := t.Desired.Fields[plan.FieldUsername].(string)
		folded := strings.ToLower(name) // as Salesforce compares them
		if !t.Open() || !t.MayInsert(&l.org.policy) || name == "" || usernames[folded] || l.org.policy.Protects(name, t.Username()) {
			others = append(others, t)
			continue
		}
		usernames[folded] = true
		newcomers = append(newcomers, t)
	}
	if len(newcomers) < bulkWorth {
		return nil, l.tasks, nil
	}
	who, err := l.ready(ctx, newcomers, l.tasks)
	if err != nil {
		return newcomers, others, err
	}
	if len(who) > 0 {
		halted = naming{l.batch}.resolve(ctx, who)
	}
	if halted == nil {
		for _, t := range who {
			t.Next(&l.org.policy)
		}
	}
	return newcomers, others, halted
}

// rows are those whose insert a job takes; the others are left to ordinary calls.
func rows(tasks []*task) []*task {
	return those(tasks, func(t *task) bool {
		insert := t.Change().Create
		return t.Open() && insert != nil && salesforce.FitsBulk(insert) == nil
	})
}

// inParts works people off in steps of a batch each, those with a result going
// on from there. Once the org is in trouble, or NATS, no part makes a call any
// more; a part that ran out of time ends alone.
func (l *load) inParts(ctx context.Context, tasks []*task, results map[*task]result, halted error) error {
	kept := time.Now()
	for chunk := range slices.Chunk(tasks, batchMax) {
		began := time.Now()
		if began.Sub(kept) > keepEvery {
			kept = began
			l.keep(ctx)
		}
		halted = l.orPaused(halted)
		part := &step{batch: l.batch, tasks: chunk}
		why := part.workOff(ctx, began, results, halted)
		if why.trouble != nil || why.roster != nil {
			halted = &why
		}
	}
	return halted
}

// workOff works one part of a load off. What a job did is taken in even where no
// more calls may be made.
func (s *step) workOff(ctx context.Context, began time.Time, results map[*task]result, halted error) halt {
	var tried []unit
	var got []result
	for _, t := range s.tasks {
		if r, ok := results[t]; ok {
			tried, got = append(tried, unit{t: t}), append(got, r)
		}
	}
	halted = creating{s.batch}.created(ctx, halted, tried, got)
	if halted == nil {
		halted = s.work(ctx, s.tasks)
	}
	if why := haltIn(halted); why.roster != nil { // every part would wait in vain
		s.close(ctx, began, why.roster)
		return why
	}
	return s.finish(ctx, began, halted)
}
