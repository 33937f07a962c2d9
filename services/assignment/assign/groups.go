package assign

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// handleGroup folds a group's event: first its members, then the group, so that
// a crash in between repeats the rest.
func (s *Service) handleGroup(ctx context.Context, in *incoming) error {
	for round := range maxRounds {
		if round > 0 {
			s.metrics.conflicts.Add(ctx, 1)
			if err := sleep(ctx, roundWait<<round); err != nil {
				return err
			}
		}
		done, err := s.groupRound(ctx, in)
		if done || err != nil {
			return err
		}
	}
	return nil
}

// groupRound tries once. It is not done where another replica changed the group
// meanwhile.
func (s *Service) groupRound(ctx context.Context, in *incoming) (bool, error) {
	entry, state, err := s.readGroup(ctx, in.key)
	if err != nil {
		return false, err
	}
	before := state
	if in.folded, in.fault = foldGroup(&state, in); in.fault != nil {
		return true, nil //nolint:nilerr // it is the event's fault, and noted there
	}
	data, err := events.Encode(state)
	if err != nil {
		return false, err
	}
	if len(data) > maxStateBytes {
		in.fault = &events.EventError{Where: "/data/members", Reason: fmt.Sprintf("is too big: the group would be %d bytes, the limit is %d", len(data), maxStateBytes)}
		return true, nil
	}
	spread := newSpread(in, &before, &state, in.folded == foldSuperseded)
	changed, err := s.spread(ctx, spread)
	if err != nil {
		return false, err
	}
	if in.folded == foldSuperseded {
		s.finish(in, verdictSuperseded)
		return true, nil
	}
	results, err := s.roster.Commit(ctx, events.StreamRoster, []bus.Group{{{
		Subject: events.GroupSubject(in.key), Data: data, Header: headerOf(in.context), Guarded: true, LastSeq: entry.Seq,
	}}})
	if err != nil {
		return false, fmt.Errorf("commit group: %w", err)
	}
	if errors.Is(results[0].Err, bus.ErrConflict) {
		return false, nil
	}
	if changed {
		s.finish(in, verdictApplied)
	} else {
		s.finish(in, verdictUnchanged)
	}
	return true, nil
}

func (s *Service) readGroup(ctx context.Context, key events.Key) (bus.Entry, events.GroupState, error) {
	subject := events.GroupSubject(key)
	have, err := s.roster.Latest(ctx, events.StreamRoster, []string{subject})
	if err != nil {
		return bus.Entry{}, events.GroupState{}, fmt.Errorf("read group: %w", err)
	}
	entry, ok := have[subject]
	if !ok {
		return entry, events.GroupState{}, nil
	}
	state, err := events.Decode[events.GroupState](entry.Data)
	return entry, state, err
}

// spread is what a group's newest state means for the people it concerns.
type spread struct {
	in    *incoming
	state *events.GroupState
	name  string
	// members are in the group; concerned are those whose membership may have
	// to change, by correlation id.
	members   map[string]bool
	concerned []string
	// mark also writes down that somebody is not a member who was not known to
	// be one: see newSpread.
	mark bool
}

// newSpread works out whom a group's event concerns: whoever joined or left,
// and everybody where the name changed.
//
// A superseded event concerns everybody it names, and every member: a replica
// that died, or lost the race for the group, while it was handling this event
// may have changed people already, and nobody else looks at them again.
func newSpread(in *incoming, before, now *events.GroupState, superseded bool) *spread {
	sp := &spread{in: in, state: now, members: memberSet(now), mark: superseded}
	if now.Group != nil {
		sp.name = groupName(now.Group)
	}
	if superseded {
		if before.Origin.Seq == in.entry.Seq {
			return sp // it was this event that made the group what it is
		}
		named := memberSet(&events.GroupState{Group: in.event.Group})
		sp.concern(named, func(string) bool { return true })
		sp.concern(sp.members, func(id string) bool { return !named[id] })
		return sp
	}
	was := memberSet(before)
	renamed := before.Group != nil && groupName(before.Group) != sp.name
	sp.concern(sp.members, func(id string) bool { return renamed || !was[id] })
	sp.concern(was, func(id string) bool { return !sp.members[id] })
	return sp
}

func (sp *spread) concern(ids map[string]bool, want func(string) bool) {
	for id := range ids {
		if want(id) {
			sp.concerned = append(sp.concerned, id)
		}
	}
}

func memberSet(g *events.GroupState) map[string]bool {
	if g.Group == nil || g.Removed {
		return nil
	}
	out := make(map[string]bool, len(g.Group.Members))
	for _, m := range g.Group.Members {
		if isPerson(m) {
			out[m.Value] = true
		}
	}
	return out
}

// apply brings one person's membership in line with the group.
func (sp *spread) apply(state *events.PersonState, id string) bool {
	have, known := state.Groups[sp.state.Key]
	if known && have.Seq > sp.state.Origin.Seq {
		return false // a newer event of the group has spoken of them
	}
	left := !sp.members[id]
	if known && have.Left == left && (left || have.Name == sp.name) {
		return false
	}
	if !known && left && !sp.mark {
		return false
	}
	if state.Groups == nil {
		state.Groups = make(map[events.Key]events.Membership, 1)
	}
	if state.CorrelationID == "" {
		state.CorrelationID = id
	}
	state.Groups[sp.state.Key] = events.Membership{
		Source: sp.state.Source, Name: sp.name, Seq: sp.state.Origin.Seq, Left: left,
	}
	return true
}

// errMembersOpen says that some members were being changed by somebody else
// all the time.
var errMembersOpen = errors.New("members of a group kept changing")

// spread changes everybody concerned, in batches, and says whether anybody's
// desired state changed. Somebody whose record cannot take the membership keeps
// what they have: a group never fails a person.
func (s *Service) spread(ctx context.Context, sp *spread) (bool, error) {
	lane := events.LaneChange
	if sp.in.event.Lane == events.LaneBackfill {
		lane = events.LaneBackfill
	}
	moved := false
	for start := 0; start < len(sp.concerned); start += batchSize {
		part := sp.concerned[start:min(start+batchSize, len(sp.concerned))]
		changes := make([]*change, len(part))
		for i, id := range part {
			changes[i] = &change{
				key:   s.reader.keyer.Person(id),
				apply: func(state *events.PersonState) bool { return sp.apply(state, id) },
				lane:  lane, origin: sp.in.origin, context: sp.in.context,
			}
		}
		if err := s.revise(ctx, changes); err != nil {
			return moved, err
		}
		for _, c := range changes {
			switch {
			case c.err != nil:
				s.log.ErrorContext(sp.in.context, "membership could not be noted", "key", c.key, "seq", sp.in.entry.Seq, "error", c.err)
			case !c.settled:
				return moved, errMembersOpen
			default:
				moved = moved || len(c.desired) > 0
			}
		}
	}
	return moved, nil
}
