package handover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

const (
	// busyWait is how soon a request is looked at again whose people are in hand.
	busyWait = 2 * time.Second
	// unreadableWait is how long a request waits for a newer version of Rollcall.
	unreadableWait = 5 * time.Minute
	// lateFor and skew are as the pusher's: until when a call may be applied after
	// the claim it was made under, and how far clocks differ.
	lateFor = 10 * time.Minute
	skew    = 2 * time.Second
	atOnce  = 8
	tries   = 5
)

// store is what the service needs of the bus.
type store interface {
	reader
	// Now is the server's time, in which claims and doubts are written.
	Now(ctx context.Context) (time.Time, error)
	Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error)
	Feed(ctx context.Context, stream, consumer string, prefetch int) (*bus.Feed, error)
}

// Service does what admins ask for. Any number may run at once.
type Service struct {
	store store
	tel   *telemetry.Telemetry
}

// New returns a Service; Run starts it.
func New(s store, t *telemetry.Telemetry) *Service { return &Service{store: s, tel: t} }

// Run works until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	consumers := []string{events.ConsumerMerge, events.ConsumerUnlink, events.ConsumerAllow}
	errs := make([]error, len(consumers))
	for i, name := range consumers {
		feed, err := s.store.Feed(ctx, events.StreamOperator, name, atOnce)
		if err != nil {
			errs[i] = fmt.Errorf("take what admins ask for: %w", err)
			break
		}
		defer feed.Close()
		wg.Go(func() { s.consume(ctx, feed) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (s *Service) consume(ctx context.Context, feed *bus.Feed) {
	for {
		msgs, err := feed.Next(ctx, atOnce, 0)
		for _, m := range msgs {
			s.answer(context.WithoutCancel(ctx), m)
		}
		if err != nil {
			return
		}
	}
}

// answer does what one request asks for, and acks it once the audit log says what
// came of it.
func (s *Service) answer(ctx context.Context, m *bus.Message) {
	ctx = telemetry.Extract(ctx, m.Header)
	wait, err := s.handle(ctx, m.Entry)
	if err != nil {
		s.tel.Log.WarnContext(ctx, "admin's request is put back", "seq", m.Seq, "error", err)
		wait = busyWait
	}
	settle := m.Ack
	if wait > 0 {
		settle = func() error { return m.Nak(wait) }
	}
	if err := settle(); err != nil {
		s.tel.Log.DebugContext(ctx, "message was not settled", "seq", m.Seq, "error", err)
	}
}

// result is what came of a request, or when to look again.
type result struct {
	verb events.Verb
	note string
	wait time.Duration
}

func refused(format string, args ...any) result {
	return result{verb: events.VerbRefused, note: fmt.Sprintf(format, args...)}
}

func later(d time.Duration) result { return result{wait: d} }

func (s *Service) handle(ctx context.Context, e bus.Entry) (time.Duration, error) {
	verb := events.Verb(e.Subject[strings.LastIndexByte(e.Subject, '.')+1:])
	r, err := events.Decode[events.OperatorRequest](e.Data)
	if errors.Is(err, events.ErrNewer) {
		return unreadableWait, nil
	}
	if err == nil {
		err = check(verb, r)
	}
	var got result
	if err != nil {
		got = refused("%s: %s", verb, err)
	} else if got, err = s.try(ctx, verb, r); err != nil {
		return 0, err
	}
	if got.wait > 0 {
		return got.wait, nil
	}
	return 0, s.audit(ctx, e, r, got)
}

// check says what is wrong with a request as a whole. It comes from outside, and
// becomes part of subjects.
func check(verb events.Verb, r events.OperatorRequest) error {
	want := map[events.Verb]int{events.VerbMerge: 2, events.VerbUnlink: 1, events.VerbAllow: 1}[verb]
	if r.ID == "" || r.By == "" {
		return errors.New("the request has no id, or does not say who asks")
	}
	if len(r.Targets) != want {
		return fmt.Errorf("the request names %d people, not %d", len(r.Targets), want)
	}
	if r.UserID == "" && verb == events.VerbMerge || !plain(r.UserID) || !plain(r.Drops) {
		return errors.New("the user id is none")
	}
	if verb == events.VerbAllow && (r.Asks == nil || r.Asks.UserID == "" && len(r.Asks.Grants) == 0) {
		return errors.New("the request does not say what is allowed")
	}
	for _, t := range r.Targets {
		if events.CheckName(t.Org) != nil || t.Org != r.Targets[0].Org {
			return errors.New("the org is not the name of one org")
		}
		if t.Key == "" || !plain(string(t.Key)) {
			return errors.New("a key is not a key")
		}
	}
	if want == 2 && r.Targets[0].Key == r.Targets[1].Key {
		return errors.New("both are one person already")
	}
	return nil
}

func plain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

// try tries until nobody else writes meanwhile.
func (s *Service) try(ctx context.Context, verb events.Verb, r events.OperatorRequest) (result, error) {
	for range tries {
		var people []*Predecessor
		for i, t := range r.Targets {
			userID := r.UserID
			if i == 1 && r.Drops != "" {
				userID = r.Drops
			}
			p, err := Read(ctx, s.store, t.Org, userID, t.Key)
			if err != nil {
				return result{}, err
			}
			if p == nil {
				return later(unreadableWait), nil
			}
			people = append(people, p)
		}
		now, err := s.store.Now(ctx)
		if err != nil {
			return result{}, err
		}
		got, group, err := decide(verb, r, people, now, header(ctx))
		if err != nil || group == nil {
			return got, err
		}
		done, err := s.store.Commit(ctx, events.StreamRoster, []bus.Group{group})
		if err != nil {
			return result{}, err
		}
		if done[0].Err == nil {
			s.tel.Log.InfoContext(ctx, "what an admin asked for is written", "request", r.ID, "verb", string(verb), "org", r.Targets[0].Org)
			return got, nil
		}
	}
	return later(busyWait), nil
}

func decide(verb events.Verb, r events.OperatorRequest, people []*Predecessor, now time.Time, h bus.Header) (result, bus.Group, error) {
	if slices.ContainsFunc(people, func(p *Predecessor) bool { return p.Busy(now, skew) }) {
		return later(busyWait), nil, nil
	}
	switch verb {
	case events.VerbMerge:
		return mergeOf(r, people[0], people[1], now, h)
	case events.VerbAllow:
		return allowOf(r, people[0], now, h)
	}
	return releaseOf(r, people[0], now, h)
}

// mergeOf moves a user from one person to another, whatever their values are.
func mergeOf(r events.OperatorRequest, from, to *Predecessor, now time.Time, h bus.Header) (result, bus.Group, error) {
	owner := from.Owner.Key
	switch {
	case to.Link.UserID == r.UserID && owner == to.Key:
		return result{verb: events.VerbMerged, note: r.Reason}, nil, nil // it is done
	case to.Desired == nil:
		return refused("merge: %s is not known in org %s, and so has nothing to do with a user there", to.Key, to.org), nil, nil
	case to.Link.UserID != "" && to.Link.UserID != r.UserID && to.Link.UserID != r.Drops:
		return refused("merge: %s has a user of their own by now, %s: look again", to.Key, to.Link.UserID), nil, nil
	case owner != from.Key && (owner != "" || from.Link.UserID != r.UserID):
		return refused("merge: user %s is not that of %s (any more): look again", r.UserID, from.Key), nil, nil
	}
	b := batch{header: h, seqs: to.seqs}
	next := to.Link
	if wait := doubt(next, now); next.UserID == "" && next.SentUsername != "" && wait > 0 {
		return later(wait), nil, nil // a user of their own may still come of a create
	}
	if next.UserID != "" && next.UserID != r.UserID {
		if wait := doubt(next, now); wait > 0 {
			return later(wait), nil, nil
		}
		if user := events.OwnerSubject(to.org, to.user); to.Owner.Key == to.Key {
			put(&b, user, user, events.Owner{By: to.Owner.By, From: to.Key})
		}
		next = plan.LetGo(next, next.UserID, r.ID, now)
	}
	if c := next.Claim; c != nil {
		next = plan.Doubted(next, c.Until.Add(lateFor)) // its holder is gone, and may have sent something
		next.Claim = nil
	}
	link, rest := plan.Succeed(next, from.Predecessor, r.UserID, r.ID, now, lateFor)
	put(&b, events.LinkSubject(to.org, to.Key), events.LinkSubject(to.org, to.Key), link)
	by := from.Owner.By
	if by == "" {
		by = plan.ByAdopted
	}
	theirs, err := from.Batch(rest, events.Owner{Key: to.Key, By: by, From: from.Key}, now, h)
	if err = errors.Join(b.err, err); err != nil {
		return result{}, nil, err
	}
	again, err := look(to, h)
	return result{verb: events.VerbMerged, note: r.Reason}, append(append(b.group, theirs...), again), err
}

// releaseOf takes a user away from a person, or the memory of one that moved on.
func releaseOf(r events.OperatorRequest, p *Predecessor, now time.Time, h bus.Header) (result, bus.Group, error) {
	done := result{verb: events.VerbUnlinked, note: r.Reason}
	l := p.Link
	owns := r.UserID != "" && p.Owner.Key == p.Key
	switch {
	case l.Moved != nil && l.Moved.Request == r.ID:
		return done, nil, nil
	case l.UserID != r.UserID && !owns, r.UserID == "" && l.Moved == nil:
		return refused("release: user %q is not that of %s (any more): look again", r.UserID, p.Key), nil, nil
	}
	if wait := doubt(l, now); wait > 0 {
		return later(wait), nil, nil
	}
	b := batch{header: h, seqs: p.seqs}
	at := events.LinkSubject(p.org, p.Key)
	if l.UserID == r.UserID || l.UserID == "" {
		userID := r.UserID
		if userID == "" {
			userID = l.Moved.UserID
		}
		l = plan.LetGo(l, userID, r.ID, now)
	}
	l.Org, l.Key = p.org, p.Key
	put(&b, at, at, l)
	if owns {
		user := events.OwnerSubject(p.org, r.UserID)
		put(&b, user, user, events.Owner{By: p.Owner.By, From: p.Key})
	}
	again, err := look(p, h)
	return done, append(b.group, again), errors.Join(b.err, err)
}

// doubt is how long a call may still be applied to a person's user; whose would it be
// then?
func doubt(l events.Link, now time.Time) time.Duration {
	until := l.UnsureUntil
	if l.Claim != nil {
		until = l.Claim.Until.Add(lateFor)
	}
	return min(until.Sub(now), lateFor)
}

// look has a person looked at as things are by now.
func look(p *Predecessor, h bus.Header) (bus.Write, error) {
	data, err := events.Encode(events.Work{Reason: events.ReasonReplay})
	return bus.Write{Subject: events.WorkSubject(p.org, events.LaneChange, p.Key), Data: data, Header: h}, err
}

func header(ctx context.Context) bus.Header {
	h := bus.Header{events.HeaderContentType: {events.ContentTypeJSON}}
	telemetry.Inject(ctx, h)
	return h
}

// audit writes what came of a request: once, for its id is made of the request.
func (s *Service) audit(ctx context.Context, e bus.Entry, r events.OperatorRequest, got result) error {
	out := events.OperatorResult{Request: r.ID, By: r.By, At: time.Now().UTC(), Note: got.note}
	if n := len(r.Targets); n > 0 {
		out.Target = r.Targets[n-1]
	}
	data, err := events.Encode(out)
	if err != nil {
		return err
	}
	_, err = s.store.Commit(ctx, events.StreamOperator, []bus.Group{{{
		Subject: events.OperatorSubject(got.verb), Data: data, Header: header(ctx), MsgID: fmt.Sprintf("handover:%d", e.Seq),
	}}})
	if err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	return nil
}
