package assign

import (
	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
)

// folded says what an event did to the state it was folded into.
type folded int

const (
	// foldSuperseded: the state had this event already, or what supersedes it.
	foldSuperseded folded = iota
	// foldKept: the event is superseded, and kept in the state all the same: it
	// counts if a removal before it is read later.
	foldKept
	// foldApplied: it is by this event that the state says what it says.
	foldApplied
)

// foldPerson folds a person's event into state.
func foldPerson(state *events.PersonState, in *incoming) folded {
	have := state.Sources[in.source]
	s := &series{kind: in.versions, start: have.Series, active: have.Active}
	s.said = standing(have.Removed || have.Person == nil, events.Superseded{
		Origin: have.Origin, SourceVersion: have.SourceVersion, Person: have.Person,
	}, have.Superseded)
	person := *in.event.Person
	person.Active = nil
	if !s.take(in, events.Superseded{Person: &person}, in.event.Person.Active) {
		return foldSuperseded
	}
	next := events.SourceState{Series: s.start, Active: s.active}
	now, removed, rest := s.outcome()
	next.Origin, next.SourceVersion, next.Removed, next.Person, next.Superseded = now.Origin, now.SourceVersion, removed, now.Person, rest
	if state.Sources == nil {
		state.Sources = make(map[string]events.SourceState, 1)
	}
	state.Sources[in.source] = next
	state.CorrelationID = in.correlationID
	if next.Origin.Seq == have.Origin.Seq && deciding(next.Active) == deciding(have.Active) {
		return foldKept
	}
	return foldApplied
}

// deciding is the event that says whether the person is active, 0 for none.
func deciding(active []events.Activity) uint64 {
	if len(active) == 0 {
		return 0
	}
	return active[0].Seq
}

// foldGroup folds a group's event into state.
func foldGroup(state *events.GroupState, in *incoming) folded {
	s := &series{kind: in.versions, start: state.Series}
	s.said = standing(state.Removed || state.Group == nil, events.Superseded{
		Origin: state.Origin, SourceVersion: state.SourceVersion, Group: state.Group,
	}, state.Superseded)
	if !s.take(in, events.Superseded{Group: keptGroup(in.event)}, nil) {
		return foldSuperseded
	}
	next := events.GroupState{Key: in.key, Source: in.source, Revision: state.Revision + 1, Series: s.start}
	now, removed, rest := s.outcome()
	next.Origin, next.SourceVersion, next.Removed, next.Group, next.Superseded = now.Origin, now.SourceVersion, removed, now.Group, rest
	did := foldApplied
	if next.Origin.Seq == state.Origin.Seq {
		did = foldKept
	}
	*state = next
	return did
}

// standing is what a stored state holds of a series: the event that counts,
// where that is no removal, before those that may come to count.
func standing(none bool, counts events.Superseded, rest []events.Superseded) []events.Superseded {
	if none {
		return rest
	}
	return append([]events.Superseded{counts}, rest...)
}

// take takes an event in, and says whether it may ever count.
func (s *series) take(in *incoming, word events.Superseded, active *bool) bool {
	if in.event.Removed() {
		return s.remove(events.Removal{Origin: in.origin, SourceVersion: in.event.SourceVersion})
	}
	word.Origin, word.SourceVersion = in.origin, in.event.SourceVersion
	return s.add(word, active)
}

// outcome is the event that counts, and the others that may come to count.
func (s *series) outcome() (now events.Superseded, removed bool, rest []events.Superseded) {
	if first := s.counts(); first != nil {
		return *first, false, s.said[1:]
	}
	return events.Superseded{Origin: s.start.Origin, SourceVersion: s.start.SourceVersion}, true, s.said
}

// keptGroup is what is kept of a group: its members by correlation id only. The
// keys are derived when they are needed, which keeps the largest group that can
// be published below the largest message that can be stored.
func keptGroup(e *events.Event) *events.Group {
	g := &events.Group{ExternalID: e.Group.ExternalID, ID: e.Group.ID, DisplayName: e.Group.DisplayName}
	g.Members = make([]events.Member, 0, len(e.Group.Members))
	for _, m := range e.Group.Members {
		if correlation.IsPerson(m) {
			g.Members = append(g.Members, events.Member{Value: m.Value})
		}
	}
	return g
}

// groupName is the name under which rules and expressions know a group.
func groupName(g *events.Group) string {
	if g.DisplayName != "" {
		return g.DisplayName
	}
	return g.Identity()
}
