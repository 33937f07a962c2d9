package refresh

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/internal/trust"
)

// bucket is what the service needs of the tokens bucket.
type bucket interface {
	Get(ctx context.Context, key string) (bus.Entry, error)
	Set(ctx context.Context, key string, data []byte, lastSeq uint64) (uint64, error)
	Follow(ctx context.Context, keys []string, each func(bus.Entry)) error
	Now(ctx context.Context) (time.Time, error)
	Time() time.Time
}

// Service is token-refresher. Any number may run at once.
type Service struct {
	cfg     Config
	bus     *bus.Bus
	bucket  bucket
	sealer  *seal.Sealer
	tel     *telemetry.Telemetry
	metrics *metrics
	// now is the server's time: replicas judge each other's leases by it.
	now    func() time.Time
	holder string
	orgs   map[string]*org
}

// New returns a Service; Run starts it.
func New(cfg Config, b *bus.Bus, t *telemetry.Telemetry) (*Service, error) {
	if b == nil || t == nil {
		return nil, errors.New("token-refresher needs a bus and telemetry")
	}
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	sealer, err := seal.Load(cfg.KeyFile)
	if err != nil {
		return nil, err
	}
	if sealer.OpenToOthers() {
		t.Log.Warn("token key file may be read by others: set its mode to 0600", "file", cfg.KeyFile)
	}
	m, err := newMetrics(t.Meter)
	if err != nil {
		return nil, err
	}
	s := &Service{
		cfg: cfg, bus: b, bucket: b.Bucket(events.BucketTokens), sealer: sealer, tel: t, metrics: m,
		holder: rand.Text(), orgs: make(map[string]*org, len(cfg.Orgs)),
	}
	s.now = func() time.Time { return s.bucket.Time() }
	return s, s.addOrgs()
}

func (s *Service) addOrgs() error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(s.cfg.Orgs)) {
		o, err := s.newOrg(name, s.cfg.Orgs[name])
		if err != nil {
			faults = append(faults, fmt.Errorf("orgs.%s.connect: %w", name, err))
			continue
		}
		s.orgs[name] = o
	}
	return errors.Join(faults...)
}

func (s *Service) newOrg(name string, c config.Connect) (*org, error) {
	f, err := flowOf(c)
	if err != nil {
		return nil, err
	}
	conf, err := oauthConfig(s.cfg, c, s.tel)
	if err != nil {
		return nil, err
	}
	oauth, err := salesforce.NewOAuth(conf)
	if err != nil {
		return nil, err
	}
	return &org{Service: s, name: name, connect: c, flow: f, oauth: oauth, wake: make(chan struct{}, 1)}, nil
}

func oauthConfig(cfg Config, c config.Connect, t *telemetry.Telemetry) (salesforce.OAuthConfig, error) {
	transport, err := trust.Extend(cfg.Transport, c.CAFile)
	return salesforce.OAuthConfig{
		LoginURL: c.LoginURL, ClientID: c.ClientID,
		ClientSecret:        c.ClientSecret().Read,
		ExpectedOrgID:       c.OrgID,
		AllowedHostSuffixes: c.HostSuffixes,
		AllowLoopbackHTTP:   c.AllowLoopbackHTTP,
		Transport:           t.Transport(transport),
		CallTimeout:         cfg.CallTimeout,
	}, err
}

// Alone says whether it serves logins at a port, which only one can.
func (s *Service) Alone() bool { return s.cfg.Callback.Listen != "" }

// Ready returns nil while the service can do its work.
func (s *Service) Ready() error { return s.bus.Ready() }

// Run works until ctx ends and returns nil then, having finished what it asked
// the token endpoint.
func (s *Service) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	all.Go(func() { cancel(s.watchTokens(ctx)) })
	all.Go(func() { cancel(s.watchHealth(ctx)) })
	if s.cfg.Callback.Listen != "" {
		all.Go(func() { cancel(s.serveLogin(ctx)) })
	}
	for _, o := range s.orgs {
		all.Go(func() { o.run(ctx) })
	}
	all.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
