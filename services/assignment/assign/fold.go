package assign

import (
	"errors"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// folded says what an event did to the state it was folded into.
type folded int

const (
	// foldApplied: the state is now what the event says.
	foldApplied folded = iota
	// foldSuperseded: the state already had this event, or a newer one.
	foldSuperseded
)

// position is where an event stands among those of its source.
type position struct {
	seq     uint64
	version string
}

// supersedes decides between what is folded and a new event; the rules are in
// the package comment. It fails where the two cannot be compared.
func (have position) supersedes(next position) (bool, error) {
	if have.version == "" || next.version == "" {
		return next.seq <= have.seq, nil
	}
	order, err := events.CompareSourceVersions(next.version, have.version)
	switch {
	case err == nil:
		return order <= 0, nil
	case errors.Is(err, events.ErrVersionKind) && next.seq <= have.seq:
		return true, nil // an old event read again: it was judged when it was new
	}
	return false, &events.EventError{Where: "/sourceversion",
		Reason: "cannot be compared with the one before: one is a number, the other a time (an event without sourceversion starts anew)"}
}

// foldPerson folds a person's event into state.
func foldPerson(state *events.PersonState, in *incoming) (folded, error) {
	have, known := state.Sources[in.source]
	if known {
		old, err := position{have.Origin.Seq, have.SourceVersion}.supersedes(in.position())
		if err != nil {
			return foldSuperseded, err
		}
		if old {
			return foldSuperseded, nil
		}
	}
	next := events.SourceState{Origin: in.origin, SourceVersion: in.event.SourceVersion, Removed: in.event.Removed()}
	if !next.Removed {
		next.Person = in.event.Person
	}
	if state.Sources == nil {
		state.Sources = make(map[string]events.SourceState, 1)
	}
	state.Sources[in.source] = next
	state.CorrelationID = in.correlationID
	return foldApplied, nil
}

// foldGroup folds a group's event into state.
func foldGroup(state *events.GroupState, in *incoming) (folded, error) {
	if state.V != 0 {
		old, err := position{state.Origin.Seq, state.SourceVersion}.supersedes(in.position())
		if err != nil {
			return foldSuperseded, err
		}
		if old {
			return foldSuperseded, nil
		}
	}
	origin := in.origin
	// A newer sourceversion may come with an older sequence; the members'
	// guard is the group's sequence, so it only ever rises.
	origin.Seq = max(origin.Seq, state.Origin.Seq)
	*state = events.GroupState{
		V: events.Version, Key: in.key, Source: in.source, Origin: origin,
		SourceVersion: in.event.SourceVersion, Removed: in.event.Removed(),
		Group: keptGroup(in.event),
	}
	return foldApplied, nil
}

// keptGroup is what is kept of a group: its members by correlation id only. The
// keys are derived when they are needed, which keeps the largest group that can
// be published below the largest message that can be stored.
func keptGroup(e *events.Event) *events.Group {
	g := &events.Group{ExternalID: e.Group.ExternalID, ID: e.Group.ID, DisplayName: e.Group.DisplayName}
	if e.Removed() {
		return g
	}
	g.Members = make([]events.Member, 0, len(e.Group.Members))
	for _, m := range e.Group.Members {
		if isPerson(m) {
			g.Members = append(g.Members, events.Member{Value: m.Value})
		}
	}
	return g
}

// isPerson tells a member from a nested group, whose members are its own.
func isPerson(m events.Member) bool { return m.Type != "Group" }

// checkMembers refuses members that cannot be named.
func checkMembers(g *events.Group) error {
	for i, m := range g.Members {
		if isPerson(m) && m.Value == "" {
			return &events.EventError{Where: fmt.Sprintf("/data/members/%d/value", i), Reason: "is missing"}
		}
	}
	return nil
}

// groupName is the name under which rules and expressions know a group.
func groupName(g *events.Group) string {
	if g.DisplayName != "" {
		return g.DisplayName
	}
	return g.Identity()
}
