package preview

import (
	"maps"
	"reflect"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/gate"
)

// Change is what becomes of one person in one org.
type Change struct {
	Org string     `json:"org"`
	Key events.Key `json:"key"`
	// Is is what is desired by now, Next what would be: nil for nothing. Where
	// nothing changes, Next is Is.
	Is   *events.Desired `json:"is,omitempty"`
	Next *events.Desired `json:"next,omitempty"`
	// HasUser says that Salesforce has a user of theirs, as far as is known. It is
	// asked only where somebody becomes active or inactive.
	HasUser bool `json:"hasUser,omitzero"`
	// Held is what waits for an operator: Next has it as Is.
	Held []events.Hold `json:"held,omitempty"`

	// taken is what would newly be taken away.
	taken []gate.Place
}

// Changed says whether anything would be written.
func (c *Change) Changed() bool { return c.Is != c.Next }

// What says in one word what a change is.
type What string

// The words.
const (
	// Nothing changes.
	Nothing What = "nothing"
	// Created: they get a user, or one who is there already is recognised as theirs.
	Created What = "created"
	// Reactivated: the user they had becomes active again.
	Reactivated What = "reactivated"
	// Deactivated: they lose their user.
	Deactivated What = "deactivated"
	// Sought: they have left, and a user who may be theirs is looked for.
	Sought What = "sought"
	// Updated: they have a user, who changes.
	Updated What = "updated"
	// Stuck: what they should have cannot be worked out, and could before.
	Stuck What = "stuck"
	// Mended: it can be worked out, and could not before.
	Mended What = "mended"
	// Other changes nothing in Salesforce: by what an inactive user is recognised,
	// or another word for the same problem.
	Other What = "other"
)

// What says what the change is.
func (c *Change) What() What {
	is, next := c.Is, c.Next
	switch {
	case !c.Changed():
		return Nothing
	case next.Active && next.Problem != nil && (!active(is) || is.Problem == nil):
		return Stuck
	case next.Active && !active(is) && c.HasUser:
		return Reactivated
	case next.Active && !active(is):
		return Created
	case active(is) && !next.Active:
		return Deactivated
	case !next.Active && is == nil:
		return Sought
	case !next.Active || next.Problem != nil:
		return Other
	case is.Problem != nil:
		return Mended
	}
	return Updated
}

func active(d *events.Desired) bool { return d != nil && d.Active }

// difference is what differs between two desired states.
type difference struct {
	fields        []string
	profile, role bool
	// gained and lost are names by the key of their kind.
	gained, lost map[string][]string
}

// differ compares what a user has with what they would have. Where what they have
// could not be worked out, it is not known, and nothing differs.
func differ(is, next *events.Desired) difference {
	if is == nil {
		is = &events.Desired{}
	}
	if is.Problem != nil || next.Problem != nil {
		return difference{}
	}
	d := difference{gained: lacks(is.Assignments, next.Assignments), lost: lacks(next.Assignments, is.Assignments)}
	if !is.Active || !next.Active {
		return d // who comes or goes changes nothing else
	}
	for _, name := range slices.Sorted(maps.Keys(union(is.Fields, next.Fields))) {
		if !equal(is.Fields, next.Fields, name) {
			d.fields = append(d.fields, name)
		}
	}
	d.profile, d.role = is.Profile != next.Profile, is.Role != next.Role
	return d
}

// lacks are the names that have holds and of lacks.
func lacks(of, have map[string][]string) map[string][]string {
	out := map[string][]string{}
	for kind, names := range have {
		for _, name := range names {
			if !slices.Contains(of[kind], name) {
				out[kind] = append(out[kind], name)
			}
		}
	}
	return out
}

func union(a, b map[string]any) map[string]bool {
	out := make(map[string]bool, len(a))
	for name := range a {
		out[name] = true
	}
	for name := range b {
		out[name] = true
	}
	return out
}

// equal says whether a field is the same in both: one that is cleared is not one
// that is left alone. A number that was stored comes back as another type of
// number.
func equal(a, b map[string]any, name string) bool {
	x, inA := a[name]
	y, inB := b[name]
	return inA == inB && reflect.DeepEqual(number(x), number(y))
}

func number(v any) any {
	switch n := v.(type) {
	case int64:
		return float64(n)
	case int:
		return float64(n)
	}
	return v
}
