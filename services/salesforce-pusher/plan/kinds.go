package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// Kinds of names that a user's own fields refer to. Those of names that are
// assigned are the IDs of [events.AssignmentKinds].
const (
	KindProfile = "profile"
	KindRole    = "role"

	KindPermissionSet = "ps"
)

// kindOf is the kind of an assignment's name; one that no row of the table knows
// is an empty kind, which stands for nothing.
func kindOf(name string) events.AssignmentKind {
	id, _, _ := strings.Cut(name, "/")
	k, _ := events.AssignmentKindOf(id)
	return k
}

// Object is the Salesforce object of which an assignment's name stands for a
// record.
func Object(name string) string { return kindOf(name).Object }

// NewAssignment is the record that gives a user what a name stands for.
func NewAssignment(name string, t Target, userID string) salesforce.Record {
	return salesforce.Record{t.Field: t.ID, kindOf(name).User: userID}
}

// CompareForGiving orders names so that what another kind needs comes first, and
// those of one kind stand together: a call may change its object only a few times.
func CompareForGiving(a, b string) int { return cmp.Compare(rank(a), rank(b)) }

// CompareForTaking is the opposite order.
func CompareForTaking(a, b string) int { return CompareForGiving(b, a) }

func rank(name string) int {
	id, _, _ := strings.Cut(name, "/")
	return slices.IndexFunc(events.AssignmentKinds(), func(k events.AssignmentKind) bool { return k.ID == id })
}

// assignments are all that a person should be assigned, as Link.Assigned names
// them.
func assignments(d events.Desired) []string {
	var out []string
	for _, k := range events.AssignmentKinds() {
		for _, n := range d.Assignments[k.Key] {
			out = append(out, k.ID+"/"+n)
		}
	}
	return out
}
