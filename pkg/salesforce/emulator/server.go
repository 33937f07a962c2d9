package emulator

import (
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/bulk"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/faults"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/journal"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/late"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/oauth"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/rest"
)

// Server holds one or more orgs and answers for them. It is an http.Handler
// and safe for concurrent use.
type Server struct {
	adminOff bool
	set      *org.Set
	faults   *faults.Plan
	journal  *journal.Journal
	env      *call.Env
	oauth    *oauth.API
	rest     *rest.API
	bulk     *bulk.API
	shown    map[*org.Org]*Org // the state lock guards it
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

// WithClock replaces time.Now; sessions, propagation, limits and late calls
// follow it.
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
	o := options{journalSize: 100_000, loginHosts: map[string]bool{}, sleep: waitFor}
	for _, opt := range opts {
		opt(&o)
	}
	machines := o.clock == nil
	if machines {
		o.clock = time.Now
	}
	s := &Server{adminOff: o.adminOff, faults: faults.NewPlan(), journal: journal.New(o.journalSize), shown: map[*org.Org]*Org{}}
	s.set = org.NewSet(o.clock, s.show)
	s.env = &call.Env{Orgs: s.set, Faults: s.faults, Journal: s.journal, Late: late.New(o.clock, machines), LoginHosts: o.loginHosts, Sleep: o.sleep}
	s.SetHostility(o.seed, o.rate)
	s.oauth, s.bulk = oauth.New(), bulk.New()
	s.rest = rest.New(s.bulk.Route)
	return s
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

// AddOrg adds an org. It panics when cfg.Validate reports an error or when a
// seed user breaks a rule: both are mistakes in the caller's own text.
func (s *Server) AddOrg(cfg OrgConfig) *Org {
	if err := cfg.Validate(); err != nil {
		panic("emulator: AddOrg: " + err.Error())
	}
	o, err := s.add(cfg)
	if err != nil {
		panic("emulator: AddOrg: " + err.Error())
	}
	return o
}

func (s *Server) add(cfg OrgConfig) (*Org, error) {
	s.set.State.Lock()
	defer s.set.State.Unlock()
	o, err := s.set.Add(cfg)
	if err != nil {
		return nil, err
	}
	return s.shown[o], nil
}

// show gives an org that has just been added its public face and room for jobs.
// The state lock is held.
func (s *Server) show(o *org.Org) {
	s.shown[o] = &Org{server: s, org: o}
	s.bulk.Open(o)
}

// Orgs lists the orgs in the order they were added.
func (s *Server) Orgs() []*Org {
	all := s.set.All()
	s.set.State.RLock()
	defer s.set.State.RUnlock()
	out := make([]*Org, 0, len(all))
	for _, o := range all {
		out = append(out, s.shown[o])
	}
	return out
}

// Org finds an org by its 15 or 18 character id, or nil.
func (s *Server) Org(id string) *Org {
	o := s.set.Find(id)
	s.set.State.RLock()
	defer s.set.State.RUnlock()
	return s.shown[o]
}

// TakeUsernames plants usernames that some org outside this server holds.
func (s *Server) TakeUsernames(names ...string) { s.set.TakeUsernames(names...) }

// ReleaseUsernames takes planted usernames back.
func (s *Server) ReleaseUsernames(names ...string) { s.set.ReleaseUsernames(names...) }
