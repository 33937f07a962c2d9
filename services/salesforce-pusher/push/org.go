package push

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/pauses"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/internal/tokens"
	"github.com/rollcall-sync/rollcall/services/internal/trust"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/check"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/health"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

const (
	// prefetch keeps the next batch at hand while one is worked on.
	prefetch = 2 * batchMax
	// firstToken is how long a start waits for a token before it says that the
	// org is held for lack of one.
	firstToken = 15 * time.Second
)

// org is the loop of one org and what it needs.
type org struct {
	cfg       OrgConfig
	policy    plan.Policy
	worker    string
	roster    roster
	pauses    *pauses.Watch
	reader    *tokens.Reader
	client    *salesforce.Client
	health    *health.Org
	catalogue *plan.Catalogue
	log       *slog.Logger
	tracer    trace.Tracer
	metrics   *metrics
	bulk      *bulk
	check     *check.Checker
	running   atomic.Bool
	healing   sync.WaitGroup
	heals     atomic.Bool
	self      self
}

func (s *Service) newOrg(c OrgConfig, worker string, b *bus.Bus, opts options, t *telemetry.Telemetry) (*org, error) {
	network, err := trust.Extend(opts.transport, c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	m, err := newMetrics(t.Meter, c.Name)
	if err != nil {
		return nil, err
	}
	o := &org{
		cfg: c, policy: c.policy(), worker: worker, roster: s.roster, pauses: s.pauses, log: t.Log, tracer: t.Tracer, metrics: m,
		reader: tokens.NewReader(b, opts.sealer, c.Name), catalogue: plan.NewCatalogue(c.Names),
	}
	o.health, err = health.New(health.Config{Org: c.Name, CallTimeout: c.CallTimeout, Probe: c.Probe, Called: m.call}, worker, s.roster, o.reader, t)
	if err != nil {
		return nil, err
	}
	o.client, err = salesforce.NewClient(salesforce.Config{
		APIVersion: c.APIVersion, Sessions: o.health.Sessions(), Transport: t.Transport(counting{base: network, calls: &s.calls}),
		AllowedHostSuffixes: c.HostSuffixes, AllowLoopbackHTTP: c.AllowLoopbackHTTP,
		CallTimeout: c.CallTimeout, UserAgent: "rollcall",
		OnUsage: o.health.Learn,
	})
	if err != nil {
		return nil, err
	}
	o.bulk = newBulk(o)
	about := check.Org{Client: o.client, Sessions: o.health.Sessions(), Held: o.heldForCheck, Called: m.call}
	o.check, err = check.New(c.Check, worker, b, about, t)
	return o, err
}

// run is the loop of one org.
func (o *org) run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var watching error
	wg.Go(func() {
		if watching = o.reader.Run(ctx); watching != nil {
			cancel()
		}
	})
	wg.Go(func() { o.health.TellUsage(ctx) })
	feeds, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer feeds.Close()
	wg.Go(func() { o.heed(ctx, feeds) })
	trouble, err := o.start(ctx)
	if err != nil {
		return err
	}
	o.running.Store(true)
	wg.Go(func() { o.check.Run(ctx) })
	o.loop(ctx, feeds, trouble)
	cancel()
	wg.Wait()
	o.healing.Wait()
	return watching
}

// heldForCheck returns what holds the org, and has it probed: the loop need not know
// of it, which works on and heals only what it met itself. A check may have met it, or
// a replica that is gone.
// Nobody reads an org, or probes it, that an admin has paused, or its lane of checks.
func (o *org) heldForCheck(ctx context.Context) (*events.Failure, error) {
	if o.paused(events.LaneCheck) {
		return &events.Failure{Message: "paused by an admin"}, nil
	}
	f, err := o.health.Held(ctx)
	if f != nil && o.heals.CompareAndSwap(false, true) {
		o.healing.Go(func() {
			defer o.heals.Store(false)
			_ = o.health.Heal(ctx, o.client) // its only error is that of ctx
		})
	}
	return f, err
}

// loop works batches off until ctx ends; trouble is what holds the org at the
// beginning.
func (o *org) loop(ctx context.Context, feeds *bus.Priority, trouble *events.Failure) {
	defer o.bulk.close()
	for {
		if trouble != nil && o.health.Heal(ctx, o.client) != nil {
			return
		}
		lane, msgs, err := o.fetch(ctx, feeds)
		trouble = o.bulk.met() // what a load met stops the loop as well
		switch {
		case ctx.Err() != nil && err != nil:
			return
		case trouble != nil:
			giveBackAll(msgs)
		case err != nil: // it is quiet: everybody there is has been gathered
			o.bulk.launch(ctx, feeds)
		case lane == events.LaneBackfill && o.bulk.take(ctx, msgs):
		default:
			trouble = o.step(ctx, lane, msgs)
		}
		if trouble == nil && o.bulk.due() {
			o.bulk.launch(ctx, feeds)
		}
	}
}

// fetch returns the next messages of the first lane that has some; an error
// where none came while people are gathered for a load, or ctx ended.
func (o *org) fetch(ctx context.Context, feeds *bus.Priority) (events.Lane, []*bus.Message, error) {
	lanes := events.Lanes()
	wait, cancel := o.bulk.wait(ctx)
	defer cancel()
	i, msgs, err := feeds.Next(wait, batchMax, func(i int) time.Duration { return o.cfg.linger(lanes[i]) })
	if err != nil {
		return "", msgs, err
	}
	return lanes[i], msgs, nil
}

// giveBackAll puts back messages that were not looked at; a hint, for unacked
// they come again anyway.
func giveBackAll(msgs []*bus.Message) {
	for _, m := range msgs {
		_ = m.Nak(giveBack)
	}
}

func (o *org) open(ctx context.Context) (*bus.Priority, error) {
	var feeds []*bus.Feed
	for _, lane := range events.Lanes() {
		f, err := o.roster.Feed(ctx, events.StreamRoster, events.WorkConsumer(o.cfg.Name, lane), prefetch)
		if err != nil {
			for _, open := range feeds {
				open.Close()
			}
			return nil, fmt.Errorf("org %s: %w", o.cfg.Name, err)
		}
		feeds = append(feeds, f)
	}
	p := bus.NewPriority(feeds...)
	lanes := events.Lanes()
	p.Heed(func(i int) bool { return o.paused(lanes[i]) })
	return p, nil
}

// start takes over what other replicas, or an earlier run, know of the org, and
// waits for the first token. It returns what holds the org.
func (o *org) start(ctx context.Context) (*events.Failure, error) {
	held, err := o.health.Held(ctx)
	if err != nil {
		return nil, fmt.Errorf("org %s: %w", o.cfg.Name, err)
	}
	if held != nil {
		return held, nil
	}
	first, cancel := context.WithTimeout(ctx, firstToken)
	defer cancel()
	err = o.health.FirstSession(first)
	if err == nil || ctx.Err() != nil {
		return nil, nil //nolint:nilnil // nothing holds the org, or nobody asks any more
	}
	f := health.Trouble(err, plan.OpProbe)
	if f == nil {
		f = &events.Failure{Cause: events.CauseCredentials, Operation: plan.OpProbe,
			Message: "There is no token for this org yet. Is token-refresher running, and are the credentials in config right?"}
	}
	o.report(ctx, f)
	return f, nil
}

// step works one batch off and returns what holds the org.
func (o *org) step(ctx context.Context, lane events.Lane, msgs []*bus.Message) *events.Failure {
	s, own, done := o.newStep(ctx, lane, msgs)
	defer done()
	trouble := s.run(own)
	o.report(ctx, trouble)
	return trouble
}

// report says to everybody what holds the org, if anything does.
func (o *org) report(ctx context.Context, f *events.Failure) {
	if f == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	if err := o.health.Report(ctx, f); err != nil {
		o.log.WarnContext(ctx, "trouble of the org not reported", "org", o.cfg.Name, "cause", f.Cause, "error", err)
	}
}
