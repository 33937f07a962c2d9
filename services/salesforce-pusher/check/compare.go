package check

import (
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

const (
	// repairsMax is how often in repairsIn the same person is put right: what
	// something else undoes at every turn is reported then, not fought over.
	repairsMax = 3
	repairsIn  = 24 * time.Hour
)

// Seen is what one reading saw, by user id.
type Seen struct {
	// Asked are the users asked for by id: of them, what was not seen is not there.
	Asked map[string]bool
	Users map[string]*plan.User
	// Frozen is UserLogin.IsFrozen, where it was seen.
	Frozen map[string]bool
	// Assigned are assignments by user and name, as [events.Link] has it, in lower case.
	Assigned map[string]map[string]Assignment
	// Unread are the kinds of assignment that the org did not answer for.
	Unread map[string]bool
}

// Assignment is one assignment that was seen; Recent where it was made since the
// last reading.
type Assignment struct {
	ID     string
	Recent bool
}

// Person is one person as ROSTER has them, after Salesforce was read.
type Person struct {
	Key      events.Key
	Desired  events.Desired
	Revision uint64
	Link     events.Link
	LinkSeq  uint64
}

// comparable says whether what Salesforce has should be what the link says: whoever
// is worked on, is in doubt, or was refused differs for a reason that is known.
func (p Person) comparable() bool {
	l := p.Link
	return p.Revision > 0 && l.Claim == nil && !l.Unsure && l.UnsureUntil.IsZero() && l.Job == "" && !l.Drift.Due() && l.AppliedHash == p.Desired.Hash
}

// known is whether a kind of drift is there; a kind that is not in it was not seen.
type known map[string]bool

// Compare says what is different of a person, by kind, and which names that
// concerns. Nothing is known where nothing was seen.
func (c Config) Compare(p Person, s Seen) (kinds map[string]bool, names []string) {
	id, u := p.Link.UserID, s.Users[p.Link.UserID]
	k := known{}
	if u == nil && s.Asked[id] {
		return known{events.DriftGone: true}, nil
	}
	if !p.Desired.Active {
		if u != nil {
			k[events.DriftActive] = u.Active
		}
		return k, nil
	}
	if u != nil {
		k[events.DriftDeactivated] = !u.Active
		fields := plan.Differing(p.Desired, p.Link, u)
		k[events.DriftFields] = len(fields) > 0
		names = append(names, fields...)
	}
	if frozen, seen := s.Frozen[id]; seen {
		k[events.DriftFrozen] = frozen && !p.Link.Frozen && !p.Link.FreezeLost
	}
	return k, append(names, c.assignments(p, s, k)...)
}

// assignments compares what was given. Only who was asked for by id is known to
// lack something; only what is recent is known to be somebody else's gift, for what
// was there before Rollcall is nobody's business.
func (c Config) assignments(p Person, s Seen, k known) (names []string) {
	id := p.Link.UserID
	have := s.Assigned[id]
	want := map[string]bool{}
	taken, given := []string{}, []string{}
	for _, name := range plan.Assigned(p.Desired) {
		want[strings.ToLower(name)] = true
		_, has := have[strings.ToLower(name)]
		if !has && p.Link.Assigned[name] != "" && c.reads(name, s) {
			taken = append(taken, name)
		}
	}
	mine := map[string]bool{}
	for name := range p.Link.Assigned {
		mine[strings.ToLower(name)] = true
	}
	for name, a := range have {
		stands := a.Recent || p.Link.Drift.Leaves(events.DriftGiven) && slices.Contains(p.Link.Drift.Names, name)
		if !want[name] && !mine[name] && stands {
			given = append(given, name)
		}
	}
	if s.Asked[id] {
		k[events.DriftTaken] = len(taken) > 0
		k[events.DriftGiven] = len(given) > 0
		names = taken
	} else if len(given) > 0 {
		k[events.DriftGiven] = true
	}
	return append(names, given...)
}

// reads says whether the absence of a name means anything.
func (c Config) reads(name string, s Seen) bool {
	kind, rest, _ := strings.Cut(name, "/")
	return !s.Unread[kind] && c.Names[kind][rest]
}

// Finding is what follows for one person.
type Finding struct {
	Person
	// Drift is what the link is to say, nil for nothing.
	Drift *events.Drift
	// Active is what the user was seen to be; Repair says that they are put right.
	Active, Repair bool
}

// Decide says what follows of what was seen at a time; false where nothing does.
func (c Config) Decide(p Person, s Seen, at time.Time) (Finding, bool) {
	if !p.comparable() {
		return Finding{}, false
	}
	kinds, names := c.Compare(p, s)
	was := p.Link.Drift
	if was == nil {
		was = &events.Drift{}
	}
	d := events.Drift{At: at.UTC(), Names: distinct(names), Repairs: was.Repairs, Since: was.Since}
	if d.Repairs > 0 && at.Sub(d.Since) >= repairsIn {
		d.Repairs, d.Since = 0, time.Time{}
	}
	for _, kind := range everyKind() {
		there, seen := kinds[kind]
		switch {
		case !seen && was.Leaves(kind):
			d.Left = append(d.Left, kind)
			d.Names = distinct(append(d.Names, was.Names...))
		case !there:
		case c.repairs(kind, d.Repairs):
			d.Repair = append(d.Repair, kind)
		default:
			d.Left = append(d.Left, kind)
		}
	}
	f := Finding{Person: p, Active: p.Link.Active, Repair: len(d.Repair) > 0}
	if u := s.Users[p.Link.UserID]; u != nil {
		f.Active = u.Active
	}
	if f.Repair {
		if d.Repairs++; d.Since.IsZero() {
			d.Since = d.At
		}
	}
	if f.Repair || len(d.Left) > 0 || d.Repairs > 0 {
		f.Drift = &d
	}
	return f, f.Repair || !slices.Equal(d.Left, was.Left) || len(d.Left) > 0 && !slices.Equal(d.Names, was.Names)
}

// repairs says whether a kind is put right, of somebody who was so often: a leaver's
// user always is, and so is one that is gone.
func (c Config) repairs(kind string, repaired int) bool {
	if kind == events.DriftActive || kind == events.DriftGone {
		return true
	}
	return c.mode(kind) == config.DriftRepair && repaired < repairsMax
}

func everyKind() []string {
	return []string{events.DriftActive, events.DriftDeactivated, events.DriftFrozen, events.DriftFields, events.DriftTaken, events.DriftGiven, events.DriftGone}
}

func distinct(names []string) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	return slices.Compact(out)
}
