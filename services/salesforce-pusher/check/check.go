package check

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

const (
	// lease is how long a replica has for the rest of a turn, beside its call.
	lease = 20 * time.Second
	// longAgo: after a pause longer than this, only the round finds what was changed
	// meanwhile; a query for all of it could be of any size.
	longAgo = 24 * time.Hour
	// heldWait is how soon an org that is held is looked at again.
	heldWait = 15 * time.Second
)

// Roster is what a check needs of the bus.
type Roster interface {
	Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error)
	Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error)
	Scan(ctx context.Context, stream, filter string, from uint64, each func(bus.Entry) error) error
	Now(ctx context.Context) (time.Time, error)
}

// Org is what a check needs to know of the org.
type Org struct {
	Client   *salesforce.Client
	Sessions salesforce.Sessions
	// Held returns why nothing is sent to the org, nil where it is well.
	Held func(ctx context.Context) (*events.Failure, error)
	// Called counts an API call.
	Called func(ctx context.Context, operation string, err error)
}

// Checker reads one org, in turns with those of other replicas.
type Checker struct {
	cfg     Config
	worker  string
	roster  Roster
	org     Org
	client  *salesforce.Client
	called  func(ctx context.Context, operation string, err error)
	log     *slog.Logger
	metrics *metrics
	// plainUsers is set once a field that config sets turned out not to be there.
	plainUsers bool
	warned     map[string]bool
}

// New is a checker that runs with Run.
func New(cfg Config, worker string, roster Roster, org Org, t *telemetry.Telemetry) (*Checker, error) {
	m, err := newMetrics(t.Meter, cfg.Org)
	if err != nil {
		return nil, err
	}
	return &Checker{cfg: cfg, worker: worker, roster: roster, org: org, client: org.Client, called: org.Called, log: t.Log, metrics: m, warned: map[string]bool{}}, nil
}

// Run reads the org until ctx ends.
func (c *Checker) Run(ctx context.Context) {
	if c.cfg.Interval <= 0 {
		c.log.WarnContext(ctx, "what Salesforce has is not read: nobody notices what is changed there by hand (push.check.interval is 0)", "org", c.cfg.Org)
		return
	}
	for {
		wait, err := c.turn(ctx)
		if err != nil && ctx.Err() == nil {
			c.metrics.failed(ctx)
			c.log.WarnContext(ctx, "what Salesforce has could not be read, trying again", "org", c.cfg.Org, "error", err)
		}
		t := time.NewTimer(wait + rand.N(wait/10+time.Millisecond)) //nolint:gosec // keeps replicas apart, keeps no secret
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

// turn reads the org if it is time and nobody else does, and returns how long to
// wait for the next one.
func (c *Checker) turn(ctx context.Context) (time.Duration, error) {
	reg, seq, err := c.register(ctx)
	if err != nil {
		return c.retry(), err
	}
	now, err := c.roster.Now(ctx) // in which links and the register are written
	if err != nil {
		return c.retry(), fmt.Errorf("read the org: %w", err)
	}
	c.metrics.tell(ctx, reg, now)
	if seq == 0 { // the first start: there is nothing to compare with yet
		_, err := c.write(ctx, events.Check{Watermark: now.UTC(), At: now}, 0)
		if errors.Is(err, bus.ErrConflict) {
			err = nil
		}
		return c.cfg.Interval, err
	}
	if wait := due(reg, now, c.cfg.Interval, c.lease()); wait > 0 {
		return wait, nil
	}
	if held, err := c.org.Held(ctx); err != nil || held != nil {
		return min(c.cfg.Interval, heldWait), err
	}
	reg.Holder, reg.Until, reg.At = c.worker, now.Add(c.lease()).UTC(), now
	seq, err = c.write(ctx, reg, seq)
	if errors.Is(err, bus.ErrConflict) {
		return min(c.cfg.Interval, time.Second), nil // somebody else was quicker
	}
	if err != nil {
		return c.retry(), err
	}
	next, err := c.look(ctx, reg, seq, now)
	if err != nil {
		next = reg // nothing is read; whoever comes next begins where this one did
		next.Until = now.Add(c.retry()).UTC()
	} else {
		next.Holder, next.Until = "", time.Time{}
	}
	c.metrics.tell(ctx, next, now)
	_, werr := c.write(ctx, next, seq)
	if errors.Is(werr, bus.ErrConflict) {
		werr = nil // it took longer than the lease, and another replica reads now
	}
	return min(c.cfg.Interval, c.retry()), errors.Join(err, werr)
}

// lease is how long a turn may take, and a failed one keeps others from trying.
func (c *Checker) lease() time.Duration { return max(2*c.cfg.CallTimeout+lease, c.retry()) }

// retry is how soon one tries again.
func (c *Checker) retry() time.Duration { return min(c.cfg.Interval, time.Minute) }

// due is how long to wait for the next turn; no turn takes longer than lease. What
// a clock that was wrong wrote is not waited for.
func due(reg events.Check, now time.Time, interval, lease time.Duration) time.Duration {
	next, free := reg.Watermark.Add(interval).Sub(now), reg.Until.Sub(now)
	if next > interval {
		next = 0
	}
	if free > lease {
		free = 0
	}
	return min(max(next, free, 0), interval)
}

// register reads how far the org has been read.
func (c *Checker) register(ctx context.Context) (events.Check, uint64, error) {
	subject := events.CheckSubject(c.cfg.Org)
	found, err := c.roster.Latest(ctx, events.StreamRoster, []string{subject})
	if err != nil {
		return events.Check{}, 0, fmt.Errorf("read how far the org was read: %w", err)
	}
	e, ok := found[subject]
	if !ok {
		return events.Check{}, 0, nil
	}
	reg, err := events.Decode[events.Check](e.Data)
	return reg, e.Seq, err
}

// write is the compare-and-set of the register; it returns its new sequence.
func (c *Checker) write(ctx context.Context, reg events.Check, seq uint64) (uint64, error) {
	reg.Org = c.cfg.Org
	data, err := events.Encode(reg)
	if err != nil {
		return 0, fmt.Errorf("check: %w", err)
	}
	done, err := c.roster.Commit(ctx, events.StreamRoster, []bus.Group{{{
		Subject: events.CheckSubject(c.cfg.Org), Data: data, Guarded: true, LastSeq: seq, Header: header(),
	}}})
	if err != nil {
		return 0, fmt.Errorf("write how far the org was read: %w", err)
	}
	if done[0].Err != nil {
		return 0, done[0].Err
	}
	return done[0].Seqs[0], nil
}

func header() bus.Header { return bus.Header{events.HeaderContentType: {events.ContentTypeJSON}} }

// look reads, compares, and has people put right. It returns the register as it is
// to be afterwards.
func (c *Checker) look(ctx context.Context, reg events.Check, seq uint64, began time.Time) (events.Check, error) {
	session, err := c.org.Sessions.Session(ctx)
	if err != nil {
		return reg, fmt.Errorf("read the org: %w", err)
	}
	begin(&reg, seq, began)
	p, err := c.next(ctx, reg, began)
	if err != nil {
		return reg, err
	}
	if err := c.remind(ctx, p.overdue); err != nil {
		return reg, err
	}
	seen, err := c.read(ctx, since(reg, began), p.ids(reg.Again))
	if err != nil {
		return reg, err
	}
	if c.elsewhere(ctx, &reg, p, seen, session.OrgID) {
		reg.Watermark = began.UTC()
		return reg, nil
	}
	people, err := c.people(ctx, p, seen)
	if err != nil {
		return reg, err
	}
	found, busy := c.decide(people, seen, began)
	late, err := c.raise(ctx, found, seen)
	if err != nil {
		return reg, err
	}
	c.count(&reg, people, found, p)
	reg.Again = first(slices.Concat(busy, late), againMax)
	reg.Watermark, reg.OrganizationID = began.UTC(), session.OrgID
	advance(&reg, p, began)
	return reg, nil
}

func since(reg events.Check, now time.Time) time.Time {
	if reg.Watermark.After(now) || now.Sub(reg.Watermark) > longAgo {
		return now.Add(-margin)
	}
	return reg.Watermark.Add(-margin)
}

func first(list []string, n int) []string {
	slices.Sort(list)
	list = slices.Compact(list)
	return list[:min(n, len(list))]
}

// elsewhere says whether this is another org than the one whose users Rollcall
// knows: nobody is put right then, and the round stands still.
func (c *Checker) elsewhere(ctx context.Context, reg *events.Check, p page, seen Seen, orgID string) bool {
	gone := 0
	for id := range p.keys {
		if seen.Users[id] == nil {
			gone++
		}
	}
	moved := reg.OrganizationID != "" && orgID != "" && reg.OrganizationID != orgID
	was := reg.Stopped
	reg.Gone, reg.Stopped = gone, ""
	if !plan.Elsewhere(gone, len(p.keys)) && (!moved || 2*gone <= len(p.keys)) {
		return false
	}
	reg.Stopped = fmt.Sprintf("%d of %d users are not in the org", gone, len(p.keys))
	if moved {
		reg.Stopped += fmt.Sprintf(", whose id is %s and was %s", orgID, reg.OrganizationID)
	}
	if was == "" {
		c.log.ErrorContext(ctx, "this is another org than the one whose users are known: nobody is put right", "org", c.cfg.Org, "gone", gone, "asked", len(p.keys))
	}
	return true
}
