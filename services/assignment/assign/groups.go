package assign

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
)

// handleGroup folds a group's event: first its members, then the group, so that
// a crash in between repeats the rest. It fails where the bus does; what is
// wrong with this group alone is noted in the event.
func (s *Service) handleGroup(ctx context.Context, in *incoming) error {
	touched := map[string]bool{}
	for round := range maxRounds {
		if round > 0 {
			s.metrics.conflicts.Add(ctx, 1)
			if err := sleep(ctx, roundWait<<round); err != nil {
				return err
			}
		}
		done, err := s.groupRound(ctx, in, touched)
		if errors.Is(err, errUnreadable) {
			s.unreadable(ctx, in, err)
			return nil
		}
		if done || err != nil {
			return err
		}
	}
	return nil
}

// groupRound tries once. It is not done where another replica changed the group
// meanwhile. touched gathers whom the rounds have changed, perhaps in vain: the
// next round looks at them again.
func (s *Service) groupRound(ctx context.Context, in *incoming, touched map[string]bool) (bool, error) {
	entry, state, err := s.readGroup(ctx, in.key)
	if err == nil && forgotten(entry) {
		err = s.membersOf(ctx, in.key, touched)
	}
	if err != nil {
		return false, err
	}
	before := state
	in.folded = rules.FoldGroup(&state, in.said())
	data, err := encodeGroup(&state)
	if err != nil {
		return false, err
	}
	if len(data) > maxStateBytes {
		in.fault = &events.EventError{Where: "/data/members", Reason: fmt.Sprintf("is too big: the group would be %d bytes, the limit is %d", len(data), maxStateBytes)}
		return true, nil
	}
	changed, err := s.spread(ctx, newSpread(in, &before, &state, touched))
	if err != nil {
		return false, err
	}
	if in.folded != rules.FoldSuperseded {
		stored, err := s.commitGroup(ctx, in, data, entry.Seq)
		if !stored {
			return false, err
		}
	}
	switch {
	case in.folded != rules.FoldApplied:
		s.finish(in, verdictSuperseded)
	case changed:
		s.finish(in, verdictApplied)
	default:
		s.finish(in, verdictUnchanged)
	}
	return true, nil
}

// commitGroup says whether the group was stored; where it was not and there is
// no error, another replica changed it first.
func (s *Service) commitGroup(ctx context.Context, in *incoming, data []byte, lastSeq uint64) (bool, error) {
	results, err := s.roster.Commit(ctx, events.StreamRoster, []bus.Group{{{
		Subject: events.GroupSubject(in.key), Data: data, Header: headerOf(in.context), Guarded: true, LastSeq: lastSeq,
	}}})
	if err != nil {
		return false, fmt.Errorf("commit group: %w", err)
	}
	return !errors.Is(results[0].Err, bus.ErrConflict), nil
}

// encodeGroup writes a state. One that does not fit into a message is written
// without what is superseded: that is needed only where a removal is read late.
func encodeGroup(state *events.GroupState) ([]byte, error) {
	data, err := events.Encode(*state)
	if err == nil && len(data) > maxStateBytes && len(state.Superseded) > 0 {
		state.Superseded = nil
		data, err = events.Encode(*state)
	}
	return data, err
}

func (s *Service) readGroup(ctx context.Context, key events.Key) (bus.Entry, events.GroupState, error) {
	subject := events.GroupSubject(key)
	have, err := s.roster.Latest(ctx, events.StreamRoster, []string{subject})
	if err != nil {
		return bus.Entry{}, events.GroupState{}, fmt.Errorf("read group: %w", err)
	}
	entry, ok := have[subject]
	if !ok || forgotten(entry) {
		return entry, events.GroupState{}, nil
	}
	state, err := events.Decode[events.GroupState](entry.Data)
	if err != nil {
		return entry, state, fmt.Errorf("%w: %w", errUnreadable, &unreadable{entry.Subject, err})
	}
	return entry, state, nil
}

// spread is what a group's newest state means for the people it concerns.
type spread struct {
	in *incoming
	// state is the group as it is, or as the event makes it.
	state *events.GroupState
	name  string
	// members are in the group; concerned are those whose membership may have
	// to change, by correlation id.
	members   map[string]bool
	concerned []string
	touched   map[string]bool
	// check also writes down that somebody is not a member who was not known to
	// be one: see newSpread.
	check bool
}

// newSpread works out whom a group's event concerns: whoever joined or left,
// and everybody where the name changed.
//
// A superseded event concerns everybody it names, and every member: a replica
// that died, or lost the race for the group, while it was handling this event
// may have changed people already, and nobody else looks at them again.
func newSpread(in *incoming, before, after *events.GroupState, touched map[string]bool) *spread {
	sp := &spread{in: in, state: after, touched: touched, check: in.folded != rules.FoldApplied}
	if sp.check {
		sp.state = before
	}
	sp.members = memberSet(sp.state.Group)
	if sp.state.Group != nil {
		sp.name = rules.GroupName(sp.state.Group)
	}
	ids := maps.Clone(touched)
	switch was := memberSet(before.Group); {
	case !sp.check:
		renamed := before.Group != nil && rules.GroupName(before.Group) != sp.name
		add(ids, sp.members, func(id string) bool { return renamed || !was[id] })
		add(ids, was, func(id string) bool { return !sp.members[id] })
	case before.Origin.Seq != in.entry.Seq: // else this event made the group what it is
		everybody := func(string) bool { return true }
		add(ids, memberSet(in.event.Group), everybody)
		add(ids, sp.members, everybody)
	}
	sp.concerned = slices.Sorted(maps.Keys(ids))
	return sp
}

func add(to, from map[string]bool, want func(string) bool) {
	for id := range from {
		if want(id) {
			to[id] = true
		}
	}
}

func memberSet(g *events.Group) map[string]bool {
	if g == nil {
		return nil
	}
	out := make(map[string]bool, len(g.Members))
	for _, m := range g.Members {
		if correlation.IsPerson(m) {
			out[m.Value] = true
		}
	}
	return out
}

// apply brings one person's membership in line with the group. Its revision
// rises with the group's even where nothing else changes: what somebody else
// still writes for an older state of the group must not come after it.
func (sp *spread) apply(state *events.PersonState, id string) bool {
	have, known := state.Groups[sp.state.Key]
	if have.Revision > sp.state.Revision {
		return false // a newer state of the group has spoken of them
	}
	left := !sp.members[id]
	if !known && left && !sp.check {
		return false
	}
	right := known && have.Left == left && (left || have.Name == sp.name)
	if right && (sp.check || have.Revision == sp.state.Revision) {
		return false
	}
	if state.Groups == nil {
		state.Groups = make(map[events.Key]events.Membership, 1)
	}
	if state.CorrelationID == "" {
		state.CorrelationID = id
	}
	state.Groups[sp.state.Key] = events.Membership{
		Source: sp.state.Source, Name: sp.name, Revision: sp.state.Revision, Left: left,
	}
	return true
}

// errMembersOpen says that some members were being changed by somebody else
// all the time.
var errMembersOpen = errors.New("members of a group kept changing")

// spread changes everybody concerned, in batches, and says whether anybody's
// desired state changed. Somebody whose record cannot take the membership keeps
// what they have: a group never fails a person. One whose record is of a newer
// version can take it, by another replica.
func (s *Service) spread(ctx context.Context, sp *spread) (bool, error) {
	lane := events.LaneChange
	if sp.in.event.Lane == events.LaneBackfill {
		lane = events.LaneBackfill
	}
	moved := false
	var waiting error
	for start := 0; start < len(sp.concerned); start += batchSize {
		part := sp.concerned[start:min(start+batchSize, len(sp.concerned))]
		changes := make([]*change, len(part))
		for i, id := range part {
			sp.touched[id] = true
			changes[i] = &change{
				key:   s.reader.Person(id),
				apply: func(state *events.PersonState) bool { return sp.apply(state, id) },
				lane:  lane, origin: sp.in.origin, context: sp.in.context,
				taker: events.CauseGroup(sp.in.source, sp.in.key),
			}
		}
		if err := s.revise(ctx, changes); err != nil {
			return moved, err
		}
		for _, c := range changes {
			switch {
			case errors.Is(c.err, events.ErrNewer) || errors.Is(c.err, errUnreadable):
				waiting = fmt.Errorf("%w: %w", errUnreadable, c.err)
			case c.err != nil:
				s.log.ErrorContext(sp.in.context, "membership could not be noted", "key", c.key, "seq", sp.in.entry.Seq, "error", c.err)
			case !c.decided:
				return moved, errMembersOpen
			default:
				moved = moved || len(c.desired) > 0
			}
		}
	}
	return moved, waiting
}
