package emulator

import (
	"crypto/rsa"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/faults"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/journal"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// Server holds one or more orgs and answers for them. It is an http.Handler
// and safe for concurrent use.
type Server struct {
	opts    options
	faults  *faults.Plan
	journal *journal.Journal

	// mu guards everything that is data: orgs, rows, seats, cursors.
	mu        sync.RWMutex
	orgs      map[string]*Org
	order     []*Org
	elsewhere map[string]struct{} // usernames taken in orgs outside this server

	keyOnce sync.Once
	key     *rsa.PrivateKey // signs id tokens
}

type options struct {
	clock       func() time.Time
	journalSize int
	adminOff    bool
	loginHosts  map[string]bool
	seed        uint64
	rate        float64
	sleep       func(r *http.Request, d time.Duration)
}

// Option changes a Server.
type Option func(*options)

// WithClock replaces time.Now; sessions, propagation and limits follow it.
func WithClock(now func() time.Time) Option { return func(o *options) { o.clock = now } }

// WithJournalSize bounds the journal; default 100,000 entries. Counters are
// never lost.
func WithJournalSize(entries int) Option { return func(o *options) { o.journalSize = entries } }

// WithoutAdmin takes the resources under /_emulator/ away.
func WithoutAdmin() Option { return func(o *options) { o.adminOff = true } }

// WithLoginHosts names hosts (host or host:port) that stand for
// login.salesforce.com: OAuth only, and no client credentials.
func WithLoginHosts(hosts ...string) Option {
	return func(o *options) {
		for _, h := range hosts {
			o.loginHosts[strings.ToLower(h)] = true
		}
	}
}

// WithHostility makes the emulator misbehave by itself: about rate (0..1) of
// all data calls meet a fault that Salesforce is known for. The same seed gives
// the same sequence of decisions.
func WithHostility(seed uint64, rate float64) Option {
	return func(o *options) { o.seed, o.rate = seed, rate }
}

// WithSleep replaces the waiting of "slow" faults.
func WithSleep(sleep func(r *http.Request, d time.Duration)) Option {
	return func(o *options) { o.sleep = sleep }
}

// New makes a server without orgs.
func New(opts ...Option) *Server {
	o := options{clock: time.Now, journalSize: 100_000, loginHosts: map[string]bool{}, sleep: waitFor}
	for _, opt := range opts {
		opt(&o)
	}
	return &Server{
		opts:      o,
		faults:    faults.NewPlan(o.seed, o.rate),
		journal:   journal.New(o.journalSize),
		orgs:      map[string]*Org{},
		elsewhere: map[string]struct{}{},
	}
}

// waitFor waits, or stops early when the client goes away.
func waitFor(r *http.Request, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

func (s *Server) now() time.Time { return s.opts.clock() }

// AddOrg adds an org. It panics when cfg.Validate reports an error or when a
// seed user breaks a rule: both are mistakes in the caller's own text.
func (s *Server) AddOrg(cfg OrgConfig) *Org {
	if err := cfg.Validate(); err != nil {
		panic("emulator: AddOrg: " + err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	org := newOrg(s, cfg, len(s.order))
	if _, taken := s.orgs[store.ShortID(org.id)]; taken {
		panic("emulator: AddOrg: org " + org.id + " is there already")
	}
	if err := org.seed(); err != nil {
		panic("emulator: AddOrg: " + err.Error())
	}
	s.orgs[store.ShortID(org.id)] = org
	s.order = append(s.order, org)
	return org
}

// Orgs lists the orgs in the order they were added.
func (s *Server) Orgs() []*Org {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append([]*Org(nil), s.order...)
}

// Org finds an org by its 15 or 18 character id, or nil.
func (s *Server) Org(id string) *Org {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.orgs[store.ShortID(id)]
}

// TakeUsernames plants usernames that some org outside this server holds.
func (s *Server) TakeUsernames(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range names {
		s.elsewhere[strings.ToLower(n)] = struct{}{}
	}
}

// ReleaseUsernames takes planted usernames back.
func (s *Server) ReleaseUsernames(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range names {
		delete(s.elsewhere, strings.ToLower(n))
	}
}

// usernameTaken looks in every org and elsewhere; name is in lower case.
func (s *Server) usernameTaken(name string) bool {
	if _, ok := s.elsewhere[name]; ok {
		return true
	}
	for _, o := range s.order {
		if len(o.Table("User").Matches(o.user.username, name)) > 0 {
			return true
		}
	}
	return false
}
