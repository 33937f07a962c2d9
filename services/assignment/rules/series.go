package rules

import (
	"cmp"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// maxStanding bounds what is kept of a series. There is hardly ever more than
// one of a kind: each further one was read with a higher sequence and an older
// sourceversion than the one before.
const maxStanding = 8

// series is what a source said of one person or group since it last removed
// them, as far as it counts or may come to count. It is the same whatever order
// the events were read in; the package comment has the rules.
type series struct {
	kind  events.VersionKind
	start *events.Removal // what began it, nil before any removal
	// said and active are by sequence. In both, each is newer than all after it:
	// the first counts, and a removal read late may bring the next to count.
	said   []events.Superseded
	active []events.Activity
}

func positionOf(e events.Superseded) events.Position {
	return events.Position{Seq: e.Origin.Seq, SourceVersion: e.SourceVersion}
}

func positionOfActivity(a events.Activity) events.Position { return a.Position }

// remove begins a new series, and says whether it did.
func (s *series) remove(r events.Removal) bool {
	if !s.reaches(r.Origin.Seq) {
		return false
	}
	s.start = &r
	// What is stored shares these; it is not for us to change.
	s.said = slices.DeleteFunc(slices.Clone(s.said), func(e events.Superseded) bool { return e.Origin.Seq < r.Origin.Seq })
	s.active = slices.DeleteFunc(slices.Clone(s.active), func(a events.Activity) bool { return a.Seq < r.Origin.Seq })
	return true
}

// add takes in what an event said, and says whether it may ever count.
func (s *series) add(e events.Superseded, active *bool) bool {
	if !s.reaches(e.Origin.Seq) {
		return false
	}
	var stands, speaks bool
	s.said, stands = enter(s.kind, s.said, e, positionOf)
	if active != nil {
		s.active, speaks = enter(s.kind, s.active, events.Activity{Position: positionOf(e), Active: *active}, positionOfActivity)
	}
	return stands || speaks
}

// reaches says whether an event with this sequence is after the removal.
func (s *series) reaches(seq uint64) bool { return s.start == nil || seq > s.start.Origin.Seq }

// enter puts one among those that stand and drops what can never count: with a
// later one beside it that is newer, it loses in every series both belong to.
// It says whether the one entered is new and stands.
func enter[T any](kind events.VersionKind, have []T, one T, at func(T) events.Position) ([]T, bool) {
	place, known := slices.BinarySearchFunc(have, at(one).Seq, func(e T, seq uint64) int { return cmp.Compare(at(e).Seq, seq) })
	if known {
		return have, false
	}
	all := slices.Insert(slices.Clone(have), place, one)
	first := len(all)
	for i := len(all) - 1; i >= 0; i-- {
		if first < len(all) && kind.Compare(at(all[i]).SourceVersion, at(all[first]).SourceVersion) <= 0 {
			continue
		}
		first--
		all[first] = all[i]
	}
	all = all[first:]
	if len(all) > maxStanding {
		all = slices.Delete(all, 1, 1+len(all)-maxStanding)
	}
	return all, slices.ContainsFunc(all, func(e T) bool { return at(e).Seq == at(one).Seq })
}

// counts is the event whose fields count, nil where that is the removal.
func (s *series) counts() *events.Superseded {
	if len(s.said) == 0 {
		return nil
	}
	first := &s.said[0]
	if s.start != nil && s.kind.Compare(s.start.SourceVersion, first.SourceVersion) > 0 {
		return nil
	}
	return first
}
