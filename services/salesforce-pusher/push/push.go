package push

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/pauses"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/handover"
)

// Service pushes people to Salesforce, one loop per org.
type Service struct {
	roster roster
	pauses *pauses.Watch
	orgs   []*org
	admin  *handover.Service
	calls  atomic.Uint64
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
	s := &Service{roster: b, pauses: pauses.New(b, t.Log), admin: handover.New(b, t)}
	worker := rand.Text()
	var faults []error
	for _, c := range cfg.Orgs {
		org, err := s.newOrg(c, worker, b, o, t)
		if err != nil {
			faults = append(faults, fmt.Errorf("org %s: %w", c.Name, err))
		}
		s.orgs = append(s.orgs, org)
	}
	return s, errors.Join(faults...)
}

// Run pushes until ctx ends, and lets the batches in hand finish.
func (s *Service) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.pauses.Read(ctx) != nil {
		return nil // told to stop before anything began
	}
	var wg sync.WaitGroup
	errs := make([]error, len(s.orgs)+1)
	wg.Go(func() { s.pauses.Run(ctx) })
	wg.Go(func() {
		if errs[len(s.orgs)] = s.admin.Run(ctx); errs[len(s.orgs)] != nil {
			cancel()
		}
	})
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
	return s.roster.Ready()
}

// APICalls is how many HTTP requests were sent to Salesforce so far.
func (s *Service) APICalls() uint64 { return s.calls.Load() }

// counting counts requests.
type counting struct {
	base  http.RoundTripper
	calls *atomic.Uint64
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.calls.Add(1)
	return c.base.RoundTrip(r)
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
