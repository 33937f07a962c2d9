package push

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/internal/tokens"
	"github.com/rollcall-sync/rollcall/services/internal/trust"
)

const (
	// prefetch keeps the next batch at hand while one is worked on.
	prefetch = 2 * batchMax
	// firstToken is how long a start waits for a token before it says that the
	// org is held for lack of one.
	firstToken = 15 * time.Second
)

// Service pushes people to Salesforce, one loop per org.
type Service struct {
	bus   *bus.Bus
	orgs  []*org
	calls atomic.Uint64
}

// org is the loop of one org and what it needs.
type org struct {
	cfg       OrgConfig
	worker    string
	bus       *bus.Bus
	reader    *tokens.Reader
	sessions  *sessions
	client    *salesforce.Client
	hold      *hold
	catalogue *catalogue
	match     matcher
	log       *slog.Logger
	tracer    trace.Tracer
	metrics   *metrics

	bulk *bulk

	// trouble is what holds the org, as far as this loop knows.
	trouble *events.Failure
	running atomic.Bool
}

// Option changes how a Service is made.
type Option func(*options)

type options struct {
	transport http.RoundTripper
	sealer    *seal.Sealer
}

// WithTransport carries the API calls, in place of the network.
func WithTransport(t http.RoundTripper) Option { return func(o *options) { o.transport = t } }

// WithSealer opens tokens, in place of Config.TokensKeyFile.
func WithSealer(s *seal.Sealer) Option { return func(o *options) { o.sealer = s } }

// New makes the pusher of all configured orgs.
func New(cfg Config, b *bus.Bus, t *telemetry.Telemetry, opts ...Option) (*Service, error) {
	o := options{transport: newTransport()}
	for _, opt := range opts {
		opt(&o)
	}
	if o.sealer == nil {
		sealer, err := seal.Load(cfg.TokensKeyFile)
		if err != nil {
			return nil, fmt.Errorf("open tokens: %w", err)
		}
		o.sealer = sealer
	}
	s := &Service{bus: b}
	worker := rand.Text()
	var faults []error
	for _, c := range cfg.Orgs {
		org, err := s.newOrg(c, worker, o, t)
		if err != nil {
			faults = append(faults, fmt.Errorf("org %s: %w", c.Name, err))
		}
		s.orgs = append(s.orgs, org)
	}
	return s, errors.Join(faults...)
}

func (s *Service) newOrg(c OrgConfig, worker string, opts options, t *telemetry.Telemetry) (*org, error) {
	network, err := trust.Extend(opts.transport, c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	m, err := newMetrics(t.Meter, c.Name)
	if err != nil {
		return nil, err
	}
	m.hold(context.Background(), false) // said from the start: a metric that is missing looks like one that is well
	o := &org{
		cfg: c, worker: worker, bus: s.bus, log: t.Log, tracer: t.Tracer, metrics: m,
		reader: tokens.NewReader(s.bus, opts.sealer, c.Name), catalogue: newCatalogue(c.Names),
		match: matcher{order: c.Match, externalField: c.ExternalIDField, byEmail: c.AdoptByEmail},
		hold:  &hold{bus: s.bus, cfg: c, worker: worker, log: t.Log, metrics: m, learnt: make(chan struct{}, 1)},
	}
	o.sessions = &sessions{reader: o.reader, hold: o.hold}
	o.client, err = salesforce.NewClient(salesforce.Config{
		APIVersion: c.APIVersion, Sessions: o.sessions, Transport: t.Transport(counting{base: network, calls: &s.calls}),
		AllowedHostSuffixes: c.HostSuffixes, AllowLoopbackHTTP: c.AllowLoopbackHTTP,
		CallTimeout: c.CallTimeout, UserAgent: "rollcall",
		OnUsage: o.hold.learn,
	})
	if err != nil {
		return nil, err //nolint:wrapcheck // says itself what it is about
	}
	o.bulk = newBulk(o)
	return o, nil
}

// Run pushes until ctx ends, and lets the batches in hand finish.
func (s *Service) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	errs := make([]error, len(s.orgs))
	for i, o := range s.orgs {
		wg.Go(func() {
			if errs[i] = o.run(ctx); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Ready returns nil while work is being fetched, or would be if there were any.
func (s *Service) Ready() error {
	for _, o := range s.orgs {
		if !o.running.Load() {
			return fmt.Errorf("org %s: not fetching yet", o.cfg.Name)
		}
	}
	return s.bus.Ready() //nolint:wrapcheck // says itself what it is about
}

// APICalls is how many HTTP requests were sent to Salesforce so far.
func (s *Service) APICalls() uint64 { return s.calls.Load() }

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
	wg.Go(func() { o.hold.tellUsage(ctx) })
	feeds, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer feeds.Close()
	if err := o.start(ctx); err != nil {
		return err
	}
	o.running.Store(true)
	o.loop(ctx, feeds)
	cancel()
	wg.Wait()
	return watching
}

func (o *org) loop(ctx context.Context, feeds *bus.Priority) {
	lanes := events.Lanes()
	defer o.bulk.close()
	for {
		if o.heal(ctx) != nil {
			return
		}
		wait, cancel := o.bulk.wait(ctx)
		i, msgs, err := feeds.Next(wait, batchMax, func(i int) time.Duration { return o.cfg.linger(lanes[i]) })
		cancel()
		if f := o.bulk.trouble.Swap(nil); f != nil {
			o.trouble = f // met by a load: the loop stops as well
		}
		switch {
		case ctx.Err() != nil && err != nil:
			return
		case o.trouble != nil:
			giveBackAll(msgs)
		case err != nil: // it is quiet: everybody there is has been gathered
			o.bulk.launch(ctx, feeds)
		case lanes[i] == events.LaneBackfill && o.bulk.take(ctx, msgs):
		default:
			o.step(ctx, lanes[i], msgs)
		}
		if o.trouble == nil && o.bulk.due() {
			o.bulk.launch(ctx, feeds)
		}
	}
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
		f, err := o.bus.Feed(ctx, events.StreamRoster, events.WorkConsumer(o.cfg.Name, lane), prefetch)
		if err != nil {
			for _, open := range feeds {
				open.Close()
			}
			return nil, fmt.Errorf("org %s: %w", o.cfg.Name, err)
		}
		feeds = append(feeds, f)
	}
	return bus.NewPriority(feeds...), nil
}

// start takes over what other replicas, or an earlier run, know of the org, and
// waits for the first token.
func (o *org) start(ctx context.Context) error {
	health, _, err := o.hold.read(ctx)
	if err != nil {
		return fmt.Errorf("org %s: %w", o.cfg.Name, err)
	}
	if health.State == events.HealthHeld && health.Failure != nil {
		o.trouble = health.Failure
		return nil
	}
	first, cancel := context.WithTimeout(ctx, firstToken)
	defer cancel()
	if _, err := o.sessions.Session(first); err != nil && ctx.Err() == nil {
		f := trouble(err, opProbe)
		if f == nil {
			f = &events.Failure{Cause: events.CauseCredentials, Operation: opProbe,
				Message: "There is no token for this org yet. Is token-refresher running, and are the credentials in config right?"}
		}
		o.held(ctx, f)
	}
	return nil
}

// step works one batch off. It outlives ctx, so that no API call is cut in
// half, but not for longer than a claim.
func (o *org) step(ctx context.Context, lane events.Lane, msgs []*bus.Message) {
	s, done := o.newStep(ctx, lane)
	defer done()
	s.run(msgs)
	if s.trouble != nil {
		o.held(context.WithoutCancel(ctx), s.trouble)
	}
}

func (o *org) newStep(ctx context.Context, lane events.Lane) (s *step, done func()) {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(o.cfg.ClaimTTL, cancel) })
	s = &step{
		org: o, lane: lane, ctx: own, taken: map[string]events.Key{},
		trace: &stepTrace{tracer: o.tracer, ctx: own, org: o.cfg.Name, lane: lane},
	}
	return s, func() { stop(); cancel() }
}

// held makes the loop stop fetching, and says so to everybody.
func (o *org) held(ctx context.Context, f *events.Failure) {
	o.trouble = f
	if err := o.hold.report(ctx, f, o.sessions.generation()); err != nil {
		o.log.WarnContext(ctx, "trouble of the org not reported", "org", o.cfg.Name, "cause", f.Cause, "error", err)
	}
}

// counting counts requests.
type counting struct {
	base  http.RoundTripper
	calls *atomic.Uint64
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.calls.Add(1)
	return c.base.RoundTrip(r) //nolint:wrapcheck // hands on
}

// newTransport bounds what http.DefaultTransport leaves open; the client asks
// for compression itself.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
		MaxResponseHeaderBytes: 256 << 10, DisableCompression: true,
	}
}
