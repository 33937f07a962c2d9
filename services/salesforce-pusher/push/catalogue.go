package push

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// Kinds of names that config uses and Salesforce has ids for. The last two
// begin the names in Link.Assigned, so they must not change.
const (
	kindProfile       = "profile"
	kindRole          = "role"
	kindPermissionSet = "ps"
	kindGroup         = "group"
)

const (
	catalogueTTL = 5 * time.Minute
	// missingTTL is how long a name that is not there is believed to be
	// missing; somebody who comes back after a failure may mean that it has
	// been made since, and waits only missingRecheck.
	missingTTL     = 15 * time.Second
	missingRecheck = time.Second
)

// Assignments are made with these fields.
const (
	fieldSetID   = "PermissionSetId"
	fieldBundle  = "PermissionSetGroupId"
	fieldGroupID = "GroupId"
)

// names are names by kind.
type names map[string]map[string]bool

func (n names) add(kind string, list ...string) {
	for _, name := range list {
		if name == "" {
			continue
		}
		if n[kind] == nil {
			n[kind] = map[string]bool{}
		}
		n[kind][name] = true
	}
}

func (n names) of(kind string) []string { return slices.Sorted(maps.Keys(n[kind])) }

// target is what a name stands for: an id, and for a permission set or group
// the field that an assignment names it in.
type target struct {
	id    string
	field string
	asked time.Time
}

// catalogue knows the ids of an org's profiles, roles, permission sets and
// groups for a while. It belongs to one loop.
type catalogue struct {
	known  map[string]target // by kind/lower-case name; an empty id: not there
	config names
}

func newCatalogue(config names) *catalogue {
	return &catalogue{known: map[string]target{}, config: config}
}

func entry(kind, name string) string { return kind + "/" + strings.ToLower(name) }

// find returns what a name stands for, false if it is not there.
func (c *catalogue) find(kind, name string) (target, bool) {
	t := c.known[entry(kind, name)]
	return t, t.id != ""
}

// forget makes a name be asked for again: its id may be wrong.
func (c *catalogue) forget(kind, name string) { delete(c.known, entry(kind, name)) }

// asked says whether Salesforce was asked for a name, found or not.
func (c *catalogue) asked(kind, name string) bool {
	_, ok := c.known[entry(kind, name)]
	return ok
}

// lacking returns the names to ask for. If there are any, all that config knows
// and that are due go along, so that one call does for everybody.
func (c *catalogue) lacking(wanted names, returning bool, now time.Time) names {
	if !c.anyDue(wanted, returning, now) {
		return nil
	}
	out := names{}
	for _, n := range []names{wanted, c.config} {
		for kind, set := range n {
			for name := range set {
				if c.due(kind, name, returning, now) {
					out.add(kind, name)
				}
			}
		}
	}
	return out
}

func (c *catalogue) anyDue(wanted names, returning bool, now time.Time) bool {
	for kind, set := range wanted {
		for name := range set {
			if c.due(kind, name, returning, now) {
				return true
			}
		}
	}
	return false
}

func (c *catalogue) due(kind, name string, returning bool, now time.Time) bool {
	t, asked := c.known[entry(kind, name)]
	ttl := catalogueTTL
	switch {
	case !asked:
		return true
	case t.id == "" && returning:
		ttl = missingRecheck
	case t.id == "":
		ttl = missingTTL
	}
	return now.Sub(t.asked) >= ttl
}

// query is one of the catalogue's questions.
type query struct {
	kind, nameField, idField, soql string
}

// queries asks for all names at once, in the five queries that one composite
// call may hold. A permission set group goes by the same name in config as a
// permission set: to an admin both are things one assigns.
func queries(n names) []query {
	var out []query
	add := func(kind, object, nameField, idField, where string) {
		list := n.of(kind)
		if len(list) == 0 {
			return
		}
		soql := "SELECT Id," + nameField + " FROM " + object + " WHERE " + salesforce.In(nameField, list)
		out = append(out, query{kind: kind, nameField: nameField, idField: idField, soql: soql + where})
	}
	add(kindProfile, "Profile", "Name", "", "")
	add(kindRole, "UserRole", "Name", "", "")
	add(kindPermissionSet, "PermissionSetGroup", "DeveloperName", fieldBundle, "")
	add(kindPermissionSet, "PermissionSet", "Name", fieldSetID, " AND IsOwnedByProfile = false AND PermissionSetGroupId = null")
	add(kindGroup, "Group", "DeveloperName", fieldGroupID, " AND Type IN ('Regular','Queue')")
	return out
}

// learn takes the answers in. A name that two records share stands for neither:
// a guess could give somebody else's rights.
func (c *catalogue) learn(asked names, qs []query, answers [][]salesforce.Record, now time.Time) {
	for kind, set := range asked {
		for name := range set {
			c.known[entry(kind, name)] = target{asked: now}
		}
	}
	for i, q := range qs {
		seen := map[string]bool{}
		for _, r := range answers[i] {
			at := entry(q.kind, r.String(q.nameField))
			t := target{id: r.ID(), field: q.idField, asked: now}
			if seen[at] {
				t.id = ""
			}
			seen[at] = true
			c.known[at] = t
		}
	}
}
