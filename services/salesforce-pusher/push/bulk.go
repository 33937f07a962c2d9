package push

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
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
	// trouble is what a load met that holds the org, for the loop to find.
	trouble atomic.Pointer[events.Failure]
}

func newBulk(o *org) *bulk {
	own := &org{
		cfg: o.cfg, worker: o.worker + "-bulk", bus: o.bus, reader: o.reader, sessions: o.sessions, client: o.client,
		hold: o.hold, catalogue: newCatalogue(o.cfg.Names), match: o.match, log: o.log, tracer: o.tracer, metrics: o.metrics,
	}
	own.cfg.ClaimTTL *= bulkClaims
	return &bulk{org: own, above: o.cfg.BulkAbove}
}

// wait bounds the wait for more while people are gathered.
func (b *bulk) wait(ctx context.Context) (context.Context, context.CancelFunc) {
	if !b.gathering {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, gatherQuiet)
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
	c, err := b.org.bus.Consumer(ctx, events.StreamRoster, events.WorkConsumer(b.org.cfg.Name, events.LaneBackfill))
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

// launch loads those gathered. Until that is done, the backfill lane waits.
func (b *bulk) launch(ctx context.Context, feeds *bus.Priority) {
	lane := slices.Index(events.Lanes(), events.LaneBackfill)
	msgs := b.waiting
	b.waiting, b.gathering = nil, false
	feeds.Mute(lane, true)
	b.running.Go(func() {
		defer feeds.Mute(lane, false)
		if f := b.org.load(ctx, msgs); f != nil {
			b.trouble.Store(f)
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
	s, done := o.newStep(ctx, events.LaneBackfill)
	defer done()
	s.people = group(msgs, s.lane)
	s.trace.begin(s.people)
	defer s.trace.end(s.people)
	if err := s.prepare(); err != nil {
		s.broken = err
		s.close(time.Now())
		return nil
	}
	newcomers, others := s.newcomers()
	s.inParts(others, nil)
	var results map[*person]result
	if n := rows(newcomers); len(n) >= bulkWorth && !s.stopped() {
		results = s.ingest(ctx, n)
	}
	s.inParts(newcomers, results)
	if s.trouble != nil {
		o.held(context.WithoutCancel(ctx), s.trouble)
	}
	return s.trouble
}

// newcomers are those for whom an insert is all there is to do first, planned.
// Two of one username are not among them: a job's results are told apart by it.
func (s *step) newcomers() (newcomers, others []*person) {
	usernames := map[string]bool{}
	for _, p := range s.people {
		name, _ := p.desired.Fields[fieldUsername].(string)
		if p.fate != open || p.link.UserID != "" || !s.mayInsert(p) || name == "" || usernames[fold(name)] ||
			protects(s.org.cfg.Protected, name, p.username()) {
			others = append(others, p)
			continue
		}
		usernames[fold(name)] = true
		newcomers = append(newcomers, p)
	}
	if len(newcomers) < bulkWorth {
		return nil, s.people
	}
	s.resolve(newcomers)
	for _, p := range newcomers {
		if p.fate == open && !s.stopped() {
			s.planInsert(p)
		}
	}
	return newcomers, others
}

// rows are those whose insert a job takes; the others are left to ordinary calls.
func rows(people []*person) []*person {
	return those(people, func(p *person) bool {
		return p.fate == open && p.todo.create != nil && salesforce.FitsBulk(p.todo.create) == nil
	})
}

// inParts works people off in steps of a batch each, those with a result going
// on from there.
func (s *step) inParts(people []*person, results map[*person]result) {
	kept := time.Now()
	for chunk := range slices.Chunk(people, batchMax) {
		began := time.Now()
		if began.Sub(kept) > keepEvery {
			kept = began
			s.keep()
		}
		part := &step{org: s.org, lane: s.lane, ctx: s.ctx, people: chunk, trace: s.trace, taken: s.taken,
			trouble: s.trouble, broken: s.broken, late: s.late}
		part.work(part.rest(results))
		if part.broken == nil { // else every part would wait in vain
			part.record()
		}
		part.close(began)
		s.trouble, s.broken = part.trouble, part.broken
	}
}

// rest are the phases that a part of a load still needs.
func (s *step) rest(results map[*person]result) []func() {
	if results == nil {
		return s.phases()
	}
	tried := those(s.people, func(p *person) bool { _, ok := results[p]; return ok })
	got := make([]result, len(tried))
	for i, p := range tried {
		got[i] = results[p]
	}
	// What a job did is taken in even where no more calls may be made.
	if stale := s.inserted(tried, got); len(stale) > 0 && !s.stopped() {
		s.again(stale, func(p *person) { s.planInsert(p) })
	}
	return []func(){s.create, s.update, s.assign}
}
