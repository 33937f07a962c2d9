package push

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// conflictDelay is when somebody is looked at again whose link another worker
// wrote a moment ago.
const conflictDelay = 100 * time.Millisecond

// roster is what the pusher needs of the bus.
type roster interface {
	Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error)
	LatestAsOf(ctx context.Context, stream string, subjects []string, subject string, seq uint64) (map[string]bus.Entry, error)
	Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error)
	Feed(ctx context.Context, stream, consumer string, prefetch int) (*bus.Feed, error)
	Consumer(ctx context.Context, stream, consumer string) (bus.ConsumerStatus, error)
	Ready() error
	Now(ctx context.Context) (time.Time, error)
}

// ledger is what a step writes to ROSTER: who works on whom, and what is known.
type ledger struct {
	org     string
	worker  string
	ttl     time.Duration
	margin  time.Duration
	policy  *plan.Policy
	roster  roster
	trace   *stepTrace
	metrics *metrics
}

// claim takes people: from here on, no other worker touches them until the
// claim ends. Those somebody else got first become busy (or fenced, if they
// were ours until now).
func (l *ledger) claim(ctx context.Context, tasks []*task) error {
	if len(tasks) == 0 {
		return nil
	}
	began := time.Now()
	now, err := l.roster.Now(ctx)
	if err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	until := now.Add(l.ttl)
	groups := make([]bus.Group, len(tasks))
	for i, t := range tasks {
		w, err := l.interim(t, until)
		if err != nil {
			return err
		}
		groups[i] = bus.Group{w}
	}
	done, err := l.roster.Commit(ctx, events.StreamRoster, groups)
	if err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	for i, t := range tasks {
		if done[i].Err != nil {
			l.lose(ctx, t)
			continue
		}
		t.linkSeq, t.until, t.claimed, t.claim = done[i].Seqs[0], began.Add(l.ttl), true, until
		t.announced = t.Link.UserID == ""
		t.Claimed(until, l.policy)
	}
	return nil
}

// lose takes note that another worker wrote somebody's link.
func (l *ledger) lose(ctx context.Context, t *task) {
	l.metrics.claimLost(ctx)
	if t.claimed {
		t.Fence()
		return
	}
	t.Wait(conflictDelay)
}

// left is how long a call for these people may take.
func (l *ledger) left(tasks []*task) time.Duration {
	end := tasks[0].until
	for _, t := range tasks[1:] {
		if t.until.Before(end) {
			end = t.until
		}
	}
	// Both clocks: one of them stands still while a virtual machine does.
	return min(time.Until(end), end.Round(0).Sub(time.Now().Round(0))) - l.margin
}

// checkpoint commits, with the claim kept, what people's links say by now, and
// the owner records that are due: two people whose values lead to one user must
// not both write to it.
func (l *ledger) checkpoint(ctx context.Context, tasks []*task) error {
	if len(tasks) == 0 {
		return nil
	}
	groups := make([]bus.Group, len(tasks))
	for i, t := range tasks {
		link, err := l.interim(t, t.claim)
		if err != nil {
			return err
		}
		if groups[i], err = l.withOwner(bus.Group{link}, t); err != nil {
			return err
		}
	}
	done, err := l.roster.Commit(ctx, events.StreamRoster, groups)
	if err != nil {
		return fmt.Errorf("commit what is under way: %w", err)
	}
	var clash []*task
	for i, t := range tasks {
		if done[i].Err != nil {
			clash = append(clash, t)
			continue
		}
		t.linkSeq, t.owner = done[i].Seqs[0], ""
	}
	return l.explain(ctx, clash)
}

// explain finds out why a link and an owner could not be written together:
// another worker took the person over, or the user belongs to somebody else.
func (l *ledger) explain(ctx context.Context, tasks []*task) error {
	if len(tasks) == 0 {
		return nil
	}
	ids := make([]string, len(tasks))
	for i, t := range tasks {
		ids[i] = t.Link.UserID
	}
	owners, err := l.owners(ctx, ids)
	if err != nil {
		return err
	}
	for i, t := range tasks {
		if o := owners[ids[i]]; o == nil || o.Key == "" || o.Key == t.Key || o.Key == unreadable {
			l.lose(ctx, t)
			continue
		}
		t.Account().BelongsToAnother()
		t.owner = ""
	}
	return nil
}

// unreadable stands for an owner that only a newer version can read.
const unreadable events.Key = "?"

// owner is whose a user is, nobody's without a key, and where that is said.
type owner struct {
	events.Owner
	seq uint64
}

// by is the record of a person's own user; nil where it is nobody's so far.
func (o *owner) by(t *task) *events.Owner {
	if o == nil || o.Key == "" {
		t.ownerSeq = 0
		if o != nil {
			t.ownerSeq = o.seq
		}
		return nil
	}
	return &o.Owner
}

// owners reads whose users are, by user id.
func (l *ledger) owners(ctx context.Context, ids []string) (map[string]*owner, error) {
	subjects := make([]string, len(ids))
	for i, id := range ids {
		subjects[i] = events.OwnerSubject(l.org, id)
	}
	entries, err := l.roster.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return nil, fmt.Errorf("read owners: %w", err)
	}
	out := make(map[string]*owner, len(entries))
	for i, subject := range subjects {
		e, ok := entries[subject]
		if !ok {
			continue
		}
		o, err := events.Decode[events.Owner](e.Data)
		if err != nil {
			o = events.Owner{Key: unreadable} // a newer version wrote it; whoever can read it will
		}
		out[ids[i]] = &owner{o, e.Seq}
	}
	return out, nil
}

// interim is the write of a link in the middle of a step.
func (l *ledger) interim(t *task, until time.Time) (bus.Write, error) {
	return l.linkWrite(t, t.Interim(events.Claim{Worker: l.worker, Revision: t.Revision, Until: until.UTC()}))
}

// linkWrite is the compare-and-set of a person's link.
func (l *ledger) linkWrite(t *task, link events.Link) (bus.Write, error) {
	link.Org = l.org
	data, err := events.Encode(link)
	if err != nil {
		return bus.Write{}, fmt.Errorf("link: %w", err)
	}
	return bus.Write{
		Subject: events.LinkSubject(l.org, t.Key), Data: data,
		Header: bus.Header(l.trace.header(t)), Guarded: true, LastSeq: t.linkSeq,
	}, nil
}

// withOwner adds the owner record that is due.
func (l *ledger) withOwner(g bus.Group, t *task) (bus.Group, error) {
	if t.owner == "" {
		return g, nil
	}
	data, err := events.Encode(events.Owner{Key: t.Key, By: t.owner})
	if err != nil {
		return nil, fmt.Errorf("owner: %w", err)
	}
	return append(g, bus.Write{
		Subject: events.OwnerSubject(l.org, t.Link.UserID), Data: data,
		Header: l.trace.header(t), Guarded: true, LastSeq: t.ownerSeq,
	}), nil
}

// discarded takes out those whose failed revision an admin gave up.
func (l *ledger) discarded(ctx context.Context, tasks []*task) error {
	doubted := those(tasks, func(t *task) bool { return t.MayBeGivenUp() })
	if len(doubted) == 0 {
		return nil
	}
	subjects := make([]string, len(doubted))
	for i, t := range doubted {
		subjects[i] = events.DiscardedSubject(l.org, t.Key)
	}
	entries, err := l.roster.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return fmt.Errorf("read discarded: %w", err)
	}
	for i, t := range doubted {
		e, ok := entries[subjects[i]]
		if !ok {
			continue
		}
		d, err := events.Decode[events.Discarded](e.Data)
		if err != nil {
			t.Wait(30 * giveBack) // a newer version wrote it; whoever can read it will
			continue
		}
		if t.GivenUp(d) {
			t.GiveUp()
		}
	}
	return nil
}

// jitter spreads what would otherwise come back all at once.
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d + rand.N(d/4+1) //nolint:gosec // spreads load, keeps no secret
}

// load takes in what ROSTER says of a person.
func (l *ledger) load(t *task, entries map[string]bus.Entry, now time.Time) error {
	s := plan.State{Key: t.Key, Lane: t.Lane}
	var err error
	if desired, ok := entries[events.DesiredSubject(l.org, t.Key)]; ok {
		s.Revision = desired.Seq
		if s.Desired, err = events.Decode[events.Desired](desired.Data); err != nil {
			return err
		}
	}
	if link, ok := entries[events.LinkSubject(l.org, t.Key)]; ok {
		t.linkSeq, s.LinkedAt = link.Seq, link.Time
		if s.Link, err = events.Decode[events.Link](link.Data); err != nil {
			return err
		}
	}
	t.Person = plan.New(s)
	l.trace.about(t)
	t.Triage(l.worker, now, l.margin, l.policy)
	return nil
}
