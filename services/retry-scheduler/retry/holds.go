package retry

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// decision is what an admin decided about one aspect that is held, as it is.
type decision struct {
	events.Target
	hold events.HeldAspect
}

// handleDecision does what an admin decided about what is held: audit entry, then
// the decision, which assignment follows. What is no longer as the admin saw it is
// refused; and assignment follows a decision only about the wish that it names.
func (s *Service) handleDecision(ctx context.Context, r *request) error {
	if r.Reason == "" {
		return s.refuseWhole(ctx, r, "no reason is given")
	}
	have, err := s.heldOf(ctx, r)
	if err != nil {
		return err
	}
	if err := s.answers(ctx, r); err != nil {
		return err
	}
	act, refused := r.weigh(have)
	if err := s.refuse(ctx, r, refused); err != nil {
		return err
	}
	if err := s.recordDecisions(ctx, r, act); err != nil {
		return err
	}
	return s.settleHolds(ctx, r, act)
}

// refuseWhole refuses a request that is understood, and cannot be followed.
func (s *Service) refuseWhole(ctx context.Context, r *request, why string) error {
	list := make([]refusal, len(r.Targets))
	for i, t := range r.Targets {
		list[i] = refusal{t, why}
	}
	return s.refuse(ctx, r, list)
}

// heldOf reads what is held of the people a request names.
func (s *Service) heldOf(ctx context.Context, r *request) (map[string]bus.Entry, error) {
	var subjects []string
	for _, t := range r.Targets {
		if checkHeld(t) == nil {
			subjects = append(subjects, events.HeldSubject(t.Org, t.Key))
		}
	}
	slices.Sort(subjects)
	if subjects = slices.Compact(subjects); len(subjects) == 0 {
		return map[string]bus.Entry{}, nil
	}
	have, err := s.store.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return nil, fmt.Errorf("read what is held: %w", err)
	}
	return have, nil
}

// checkHeld says whether a target can be something that is held. It comes from
// outside and becomes part of a subject.
func checkHeld(t events.Target) error {
	switch {
	case events.CheckName(t.Org) != nil:
		return errors.New("the org is not a name")
	case !slices.Contains(events.Aspects(), t.Aspect):
		return errors.New("there is no such aspect")
	}
	return checkKey(t.Key)
}

// weigh tells what is held as the admin saw it from what is not. What has its
// answer already is gone because of that.
func (r *request) weigh(have map[string]bus.Entry) (act []decision, refused []refusal) {
	seen := map[events.Target]bool{}
	for _, t := range r.Targets {
		if seen[t] {
			continue
		}
		seen[t] = true
		entry, known := have[events.HeldSubject(t.Org, t.Key)]
		held, err := events.Decode[events.Held](entry.Data)
		i := slices.IndexFunc(held.Holds, func(h events.HeldAspect) bool { return h.Aspect == t.Aspect })
		fault := checkHeld(t)
		switch {
		case fault == nil && known && err == nil && i >= 0 && entry.Seq == t.Seq:
			act = append(act, decision{t, held.Holds[i]})
		case r.answered[t]:
		case fault != nil:
			refused = append(refused, refusal{t, fault.Error()})
		case known && err != nil:
			refused = append(refused, refusal{t, "what is held cannot be read"})
		case i >= 0:
			refused = append(refused, refusal{t, fmt.Sprintf("what is held has changed since: it is now number %d", entry.Seq)})
		default:
			refused = append(refused, refusal{t, "nothing is held any more"})
		}
	}
	return act, refused
}

func (s *Service) recordDecisions(ctx context.Context, r *request, act []decision) error {
	verb := events.VerbReleased
	if r.verb == events.VerbReject {
		verb = events.VerbRejected
	}
	var entries []auditEntry
	for _, d := range act {
		if r.answered[d.Target] {
			continue
		}
		entries = append(entries, r.entry(verb, d.Target, 0, r.Reason))
	}
	return s.audit(ctx, entries)
}

// settleHolds writes the decisions, one message for each person. What another request
// decided about other aspects, and assignment has not read yet, stays in it.
func (s *Service) settleHolds(ctx context.Context, r *request, act []decision) error {
	if len(act) == 0 {
		return nil
	}
	byPerson := map[string][]decision{}
	var subjects []string
	for _, d := range act {
		subject := events.ReleaseSubject(d.Org, d.Key)
		if byPerson[subject] == nil {
			subjects = append(subjects, subject)
		}
		byPerson[subject] = append(byPerson[subject], d)
	}
	have, err := s.store.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return fmt.Errorf("read earlier decisions: %w", err)
	}
	groups := make([]bus.Group, len(subjects))
	for i, subject := range subjects {
		w, err := r.decisionWrite(subject, byPerson[subject], have[subject])
		if err != nil {
			return err
		}
		groups[i] = bus.Group{w}
	}
	stored, err := s.store.Commit(ctx, events.StreamRoster, groups)
	if err != nil {
		return fmt.Errorf("write decisions: %w", err)
	}
	for _, c := range stored {
		if c.Err != nil { // another request about the same person: this one comes again
			return fmt.Errorf("write decisions: %w", c.Err)
		}
	}
	return nil
}

func (r *request) decisionWrite(subject string, decisions []decision, before bus.Entry) (bus.Write, error) {
	release := events.Release{Org: decisions[0].Org, Key: decisions[0].Key}
	if before.Seq > 0 {
		earlier, err := events.Decode[events.Release](before.Data)
		if errors.Is(err, events.ErrNewer) {
			return bus.Write{}, err
		}
		release.Wishes = slices.DeleteFunc(earlier.Wishes, func(w events.Wish) bool {
			return slices.ContainsFunc(decisions, func(d decision) bool { return d.Aspect == w.Aspect })
		})
	}
	for _, d := range decisions {
		release.Wishes = append(release.Wishes, events.Wish{
			Aspect: d.Aspect, Wish: d.hold.Wish, Since: d.hold.Since,
			Reject: r.verb == events.VerbReject, Urgent: r.Urgent, By: r.By, At: r.At, Request: r.ID,
		})
	}
	data, err := events.Encode(release)
	return bus.Write{Subject: subject, Data: data, Header: header(r.ctx), Guarded: true, LastSeq: before.Seq}, err
}
