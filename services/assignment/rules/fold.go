package rules

import (
	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
)

// Event is one event of a source as it is folded.
type Event struct {
	*events.Event
	// Origin names its source and its sequence in DIRECTORY, by which it is ordered.
	Origin events.Origin
	// Versions is the kind of sourceversion that the source is configured to send.
	Versions events.VersionKind
	// CorrelationID is the person's, empty for a group; Key is derived from it, or
	// from the group's own id.
	CorrelationID string
	Key           events.Key
}

// Folded says what an event did to the state it was folded into.
type Folded int

const (
	// FoldSuperseded says that the state had this event already, or what supersedes
	// it.
	FoldSuperseded Folded = iota
	// FoldKept says that the event is superseded, and kept in the state all the
	// same: it counts if a removal before it is read later.
	FoldKept
	// FoldApplied says that it is by this event that the state says what it says.
	FoldApplied
)

// FoldPerson folds a person's event into state.
func FoldPerson(state *events.PersonState, in Event) Folded {
	have := state.Sources[in.Origin.Source]
	s := &series{kind: in.Versions, start: have.Series, active: have.Active}
	s.said = standing(have.Removed || have.Person == nil, events.Superseded{
		Origin: have.Origin, SourceVersion: have.SourceVersion, Person: have.Person,
	}, have.Superseded)
	person := *in.Person
	person.Active = nil
	if !s.take(in, events.Superseded{Person: &person}, in.Person.Active) {
		return FoldSuperseded
	}
	next := events.SourceState{Series: s.start, Active: s.active}
	now, removed, rest := s.outcome()
	next.Origin, next.SourceVersion, next.Removed, next.Person, next.Superseded = now.Origin, now.SourceVersion, removed, now.Person, rest
	if state.Sources == nil {
		state.Sources = make(map[string]events.SourceState, 1)
	}
	state.Sources[in.Origin.Source] = next
	state.CorrelationID = in.CorrelationID
	if next.Origin.Seq == have.Origin.Seq && deciding(next.Active) == deciding(have.Active) {
		return FoldKept
	}
	return FoldApplied
}

// deciding is the event that says whether the person is active, 0 for none.
func deciding(active []events.Activity) uint64 {
	if len(active) == 0 {
		return 0
	}
	return active[0].Seq
}

// FoldGroup folds a group's event into state.
func FoldGroup(state *events.GroupState, in Event) Folded {
	s := &series{kind: in.Versions, start: state.Series}
	s.said = standing(state.Removed || state.Group == nil, events.Superseded{
		Origin: state.Origin, SourceVersion: state.SourceVersion, Group: state.Group,
	}, state.Superseded)
	if !s.take(in, events.Superseded{Group: keptGroup(in.Group)}, nil) {
		return FoldSuperseded
	}
	next := events.GroupState{Key: in.Key, Source: in.Origin.Source, Revision: state.Revision + 1, Series: s.start}
	now, removed, rest := s.outcome()
	next.Origin, next.SourceVersion, next.Removed, next.Group, next.Superseded = now.Origin, now.SourceVersion, removed, now.Group, rest
	did := FoldApplied
	if next.Origin.Seq == state.Origin.Seq {
		did = FoldKept
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
func (s *series) take(in Event, word events.Superseded, active *bool) bool {
	if in.Removed() {
		return s.remove(events.Removal{Origin: in.Origin, SourceVersion: in.SourceVersion})
	}
	word.Origin, word.SourceVersion = in.Origin, in.SourceVersion
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
func keptGroup(said *events.Group) *events.Group {
	g := &events.Group{ExternalID: said.ExternalID, ID: said.ID, DisplayName: said.DisplayName}
	g.Members = make([]events.Member, 0, len(said.Members))
	for _, m := range said.Members {
		if correlation.IsPerson(m) {
			g.Members = append(g.Members, events.Member{Value: m.Value})
		}
	}
	return g
}

// GroupName is the name under which rules and expressions know a group.
func GroupName(g *events.Group) string {
	if g.DisplayName != "" {
		return g.DisplayName
	}
	return g.Identity()
}
