package plan

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

const (
	catalogueTTL = 5 * time.Minute
	// missingTTL is how long a name that is not there is believed to be
	// missing; somebody who comes back after a failure may mean that it has
	// been made since, and waits only missingRecheck.
	missingTTL     = 15 * time.Second
	missingRecheck = time.Second
)

// Names are names by kind.
type Names map[string]map[string]bool

// Add adds names of one kind; an empty one is none.
func (n Names) Add(kind string, list ...string) {
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

// has says whether a name is among them, as Salesforce compares names.
func (n Names) has(kind, name string) bool {
	if n[kind][name] {
		return true
	}
	for have := range n[kind] {
		if strings.EqualFold(have, name) {
			return true
		}
	}
	return false
}

func (n Names) of(kind string) []string { return slices.Sorted(maps.Keys(n[kind])) }

// Target is what a name stands for: an id, and for a permission set or group
// the field that an assignment names it in.
type Target struct {
	ID    string
	Field string
	asked time.Time
	power power
	// ever is set once the name stood for something.
	ever bool
}

// Catalogue knows the ids of an org's profiles, roles, permission sets and
// groups for a while: it is told what Salesforce answered, and asks nobody. It
// belongs to one loop.
type Catalogue struct {
	known  map[string]Target // by kind/lower-case name; an empty id: not there
	config Names
	sight  sight
}

// NewCatalogue is one that knows nothing yet; config are all names that
// configuration knows.
func NewCatalogue(config Names) *Catalogue {
	return &Catalogue{known: map[string]Target{}, config: config}
}

// permitting says whether what has names of a kind permits something.
func permitting(kind string) bool { return kind == KindProfile || kind == KindPermissionSet }

func entry(kind, name string) string { return kind + "/" + strings.ToLower(name) }

// find returns what a name stands for, false if it is not there.
func (c *Catalogue) find(kind, name string) (Target, bool) {
	t := c.known[entry(kind, name)]
	return t, t.ID != ""
}

// everKnew says whether a name stood for something as long as this catalogue
// has been asking.
func (c *Catalogue) everKnew(kind, name string) bool { return c.known[entry(kind, name)].ever }

// forget makes a name be asked for again: its id may be wrong.
func (c *Catalogue) forget(kind, name string) {
	at := entry(kind, name)
	c.known[at] = Target{ever: c.known[at].ever}
}

// Target is what an assignment's name stands for.
func (c *Catalogue) Target(name string) (Target, bool) {
	kind, rest, _ := strings.Cut(name, "/")
	return c.find(kind, rest)
}

// Knows says whether an assignment's name stands for something.
func (c *Catalogue) Knows(name string) bool {
	_, ok := c.Target(name)
	return ok
}

// Asked says whether the absence of an assignment means anything: only what was
// asked for by its id can be found.
func (c *Catalogue) Asked(name string) bool {
	kind, rest, _ := strings.Cut(name, "/")
	return c.asked(kind, rest)
}

// asked says whether Salesforce was asked for a name, found or not.
func (c *Catalogue) asked(kind, name string) bool {
	return !c.known[entry(kind, name)].asked.IsZero()
}

// Lacking returns the names to ask for. If there are any, all that config knows
// and that are due go along, so that one call does for everybody.
func (c *Catalogue) Lacking(wanted Names, returning bool, now time.Time) Names {
	if !c.anyDue(wanted, returning, now) {
		return nil
	}
	out := Names{}
	for _, n := range []Names{wanted, c.config} {
		for kind, set := range n {
			for name := range set {
				if c.due(kind, name, returning, now) {
					out.Add(kind, name)
				}
			}
		}
	}
	return out
}

func (c *Catalogue) anyDue(wanted Names, returning bool, now time.Time) bool {
	for kind, set := range wanted {
		for name := range set {
			if c.due(kind, name, returning, now) {
				return true
			}
		}
	}
	return false
}

func (c *Catalogue) due(kind, name string, returning bool, now time.Time) bool {
	t, asked := c.known[entry(kind, name)]
	ttl := catalogueTTL
	switch {
	case !asked:
		return true
	case t.ID == "" && returning:
		ttl = missingRecheck
	case t.ID == "":
		ttl = missingTTL
	}
	return now.Sub(t.asked) >= ttl
}

// Query is one of the catalogue's questions.
type Query struct {
	SOQL string
	// Optional says that an org may be without the object, and that nothing is
	// one of these then.
	Optional bool

	kind, nameField, idField string
	// permissions are those it asks for; permitting says that it should.
	permissions []string
	permitting  bool
}

// Queries asks for all names at once, in a query for each kind of record. A
// permission set group goes by the same key in config as a permission set: to an
// admin both are things one assigns.
func (c *Catalogue) Queries(n Names, now time.Time) []Query {
	var out []Query
	add := func(kind string, t events.AssignmentTarget) {
		list := n.of(kind)
		if len(list) == 0 {
			return
		}
		where := salesforce.In(t.Name, list)
		if t.Where != "" {
			where += " AND " + t.Where
		}
		q := Query{kind: kind, nameField: t.Name, idField: t.Field, Optional: t.Optional, SOQL: "SELECT Id," + t.Name + " FROM " + t.Object + " WHERE " + where}
		if q.permitting = kind == KindProfile || t.Object == objectPermissionSet; q.permitting {
			q = c.permits(q, t.Object, where, list, now)
		}
		out = append(out, q)
	}
	add(KindProfile, events.AssignmentTarget{Object: "Profile", Name: "Name"})
	add(KindRole, events.AssignmentTarget{Object: "UserRole", Name: "Name"})
	for _, k := range events.AssignmentKinds() {
		for _, t := range k.Targets {
			add(k.ID, t)
		}
	}
	return out
}

// Learn takes the answers in. A name that two records share stands for neither:
// a guess could give somebody else's rights.
func (c *Catalogue) Learn(asked Names, qs []Query, answers [][]salesforce.Record, now time.Time) {
	for kind, set := range asked {
		for name := range set {
			at := entry(kind, name)
			c.known[at] = Target{asked: now, ever: c.known[at].ever}
		}
	}
	for i, q := range qs {
		seen := map[string]bool{}
		for _, r := range answers[i] {
			at := entry(q.kind, r.String(q.nameField))
			t := Target{ID: r.ID(), Field: q.idField, asked: now, ever: true, power: power{unread: permitting(q.kind)}}
			if q.permitting && c.learnPower(q, r, &t) {
				continue
			}
			if seen[at] {
				t.ID = ""
			}
			seen[at] = true
			c.known[at] = t
		}
	}
}
