package stage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/test/chaos/plan"
)

const (
	// settleWithin is how long all may take to be quiet once everything is healed.
	settleWithin = 75 * time.Second
	// looks is how often in a row all has to be quiet.
	looks = 4
	// retries is how often an admin asks again for everybody who is parked.
	retries = 4
	// calmWithin is how long those who are well may take while others are not.
	calmWithin = 20 * time.Second
)

// heal ends all trouble: every process runs, every org is well.
func (s *Stage) heal() error {
	defer func() { s.healed = time.Now() }()
	for _, p := range s.procs {
		p.resume()
		if err := p.start(); err != nil {
			return err
		}
	}
	return s.sf.heal()
}

// settle waits until all is quiet, and has those tried again who are parked then.
func (s *Stage) settle(ctx context.Context) error {
	for range retries {
		if err := s.quiet(ctx); err != nil {
			return err
		}
		parked, err := s.parked(ctx)
		if err != nil || parked == 0 {
			return err
		}
		if err := s.again(ctx); err != nil {
			return err
		}
	}
	return s.quiet(ctx)
}

// quiet waits until nothing is on its way any more.
func (s *Stage) quiet(ctx context.Context) error {
	calm := 0
	return eventually(ctx, settleWithin, func(ctx context.Context) error {
		if err := s.busy(ctx); err != nil {
			calm = 0
			return err
		}
		if calm++; calm < looks {
			return errors.New("quiet, though not for long yet")
		}
		return nil
	})
}

// busy says what is on its way.
func (s *Stage) busy(ctx context.Context) error {
	if n := len(s.sf.server.Late().Calls()); n > 0 {
		return fmt.Errorf("%d calls are still to be applied", n)
	}
	for _, name := range []string{events.StreamDirectory, events.StreamRoster, events.StreamOperator} {
		stream, err := s.js.Stream(ctx, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for c := range stream.ListConsumers(ctx).Info() {
			if c.NumPending > 0 || c.NumAckPending > 0 {
				return fmt.Errorf("%s has %d waiting, %d in hand", c.Name, c.NumPending, c.NumAckPending)
			}
		}
	}
	if n, err := s.count(ctx, events.StreamRoster, events.RetrySubject("*", "*")); err != nil || n > 0 {
		return errors.Join(fmt.Errorf("%d people are to be tried again", n), err)
	}
	if err := s.turns(ctx); err != nil {
		return err
	}
	if err := s.unread(); err != nil {
		return err
	}
	return s.unsure(ctx)
}

// readings is how often an org is to be read after the last change, by hand or by
// Rollcall, upon which a flow may strip somebody: one may have begun before it, and
// each is written down when it begins and when it ends.
const readings = 4

// unread says of which org it was not seen yet what it has by now.
func (s *Stage) unread() error {
	left := map[string]int{}
	for _, org := range []string{plan.Acme, plan.Bravo} {
		left[events.CheckSubject(org)] = readings
	}
	for _, m := range s.heard.all() {
		a, err := events.ParseSubject(m.Subject)
		if _, watched := left[m.Subject]; watched && m.Time.After(s.healed) {
			left[m.Subject]--
		} else if err == nil && m.Subject == events.OutcomeSubject(a.Org, a.Key) {
			left[events.CheckSubject(a.Org)] = readings
		}
	}
	for subject, n := range left {
		if n > 0 {
			return fmt.Errorf("%s is to be written %d times more", subject, n)
		}
	}
	return nil
}

// turnsWithin is longer than anybody waits for a turn.
const turnsWithin = 8 * time.Second

// turns says whether somebody waits for a worker who is at them. An old schedule is
// one that is back after a crash of NATS, as below.
func (s *Stage) turns(ctx context.Context) error {
	stream, err := s.js.Stream(ctx, events.StreamRoster)
	if err != nil {
		return fmt.Errorf("turns: %w", err)
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(events.TurnsAll))
	if err != nil {
		return fmt.Errorf("turns: %w", err)
	}
	for subject := range info.State.Subjects {
		m, err := stream.GetLastMsgForSubject(ctx, subject)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // it has fired meanwhile
		}
		if err != nil || time.Since(m.Time) < turnsWithin {
			return errors.Join(fmt.Errorf("%s waits", subject), err)
		}
	}
	return nil
}

// unsure says whose link is not settled. Looks themselves are not counted: one that
// was replaced and has fired may be back after a crash of NATS (docs/decisions/0014),
// and is not armed then.
func (s *Stage) unsure(ctx context.Context) error {
	stream, err := s.js.Stream(ctx, events.StreamRoster)
	if err != nil {
		return fmt.Errorf("links: %w", err)
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(events.LinkSubject("*", "*")))
	if err != nil {
		return fmt.Errorf("links: %w", err)
	}
	for subject := range info.State.Subjects {
		m, err := stream.GetLastMsgForSubject(ctx, subject)
		if err != nil {
			return fmt.Errorf("links: %w", err)
		}
		link, err := events.Decode[events.Link](m.Data)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", subject, err)
		case link.Attempts > 0 && time.Now().After(link.UnsureUntil) && (link.Claim == nil || time.Since(link.Claim.Until) > turnsWithin):
			continue // failed since: parked, and looked at anew when somebody says again, whoever died at it
		case !link.UnsureUntil.IsZero(), link.Unsure:
			return fmt.Errorf("%s is unsure until %s", subject, link.UnsureUntil)
		case link.Claim != nil:
			return fmt.Errorf("%s is claimed until %s", subject, link.Claim.Until)
		}
	}
	return nil
}

func (s *Stage) count(ctx context.Context, stream, filter string) (int, error) {
	one, err := s.js.Stream(ctx, stream)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", stream, err)
	}
	info, err := one.Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", stream, err)
	}
	return len(info.State.Subjects), nil
}

// parked counts those who may be well again: not events that nobody can read, nor
// the person whose user is protected.
func (s *Stage) parked(ctx context.Context) (int, error) {
	all := 0
	for _, org := range []string{plan.Acme, plan.Bravo} {
		for _, cause := range events.Causes() {
			if cause == events.CauseProtected {
				continue
			}
			n, err := s.count(ctx, events.StreamDead, events.DeadFilter(org, cause, ""))
			if err != nil {
				return 0, err
			}
			all += n
		}
	}
	return all, nil
}

// confusing is what Salesforce may say of one record: it names what would hold a
// whole org, were it said of that.
const confusing = "REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded. INVALID_SESSION_ID: Session expired. UNABLE_TO_LOCK_ROW. SERVER_UNAVAILABLE"

// probe has one person, one org and one group in trouble, and changes others
// meanwhile: how long those take is what the checker judges.
func (s *Stage) probe(ctx context.Context, speak *speaker) error {
	person := s.plan.People[plan.Troubled]
	err := s.sf.plan(emulator.Fault{Field: "FederationIdentifier", Value: person.Number, Effect: emulator.EffectRecordError,
		Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: confusing})
	if err != nil {
		return fmt.Errorf("have a person in trouble: %w", err)
	}
	if err := s.sf.orgs[plan.Bravo].Deny("", emulator.DenyWrites); err != nil {
		return fmt.Errorf("have an org in trouble: %w", err)
	}
	s.probeFrom = time.Now()
	defer func() { s.probeTo = time.Now() }()
	steps := []plan.Step{{Verb: plan.Upsert, Person: plan.Troubled, Version: 999_999, Title: "Title 999999", Department: plan.Support}}
	if err := speak.tell(ctx, append(steps, s.plan.Last...), time.Now()); err != nil {
		return err
	}
	_ = eventually(ctx, calmWithin, s.steadyAreDone) // the checker says who was not
	return nil
}

func (s *Stage) steadyAreDone(context.Context) error {
	for i := range s.plan.Steady {
		step := s.plan.Last[len(s.plan.Last)-s.plan.Steady+i]
		u, _ := s.sf.orgs[plan.Acme].UserByUsername(username(s.plan.People[step.Person], plan.Acme))
		if u.Fields["Title"] != step.Title {
			return errors.New("not all are changed")
		}
	}
	return nil
}
