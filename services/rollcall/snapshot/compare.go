package snapshot

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
	"github.com/rollcall-sync/rollcall/services/rollcall/hrimport"
)

// maxSample is how many of those who leave are shown.
const maxSample = 10

// Comparison holds the rows of an export against those whom its source has.
type Comparison struct {
	ids   *correlation.IDs
	known map[string]Person
	// seen is everybody whom a row names, usable or not: who is in the file is
	// not absent from it because their row has a fault.
	seen map[string]bool
	rows int
	last hrimport.Row

	fresh, changed, same int
	// attributes counts the people of whom one gets another value in place of one
	// they had.
	attributes map[string]int
	// unfit rows have no id, or one that does not look like it; nameless are all
	// rows of which cannot be told whom they name. apart says that a row names
	// another than its event does, so that unusable rows prove nothing.
	unfit, nameless, unusable             int
	firstUnfit, firstNameless, firstFault hrimport.Problem
	apart                                 bool
}

// Compare begins a comparison; ids reads the source's correlation ids.
func Compare(known map[string]Person, ids *correlation.IDs) *Comparison {
	return &Comparison{ids: ids, known: known, seen: map[string]bool{}, attributes: map[string]int{}}
}

// Row takes in one row.
func (c *Comparison) Row(row hrimport.Row) error {
	c.rows++
	c.last = row
	if row.Unfit {
		c.unfit++
		keep(&c.firstUnfit, row)
	}
	switch {
	case len(row.Problems) == 0 && row.Event != nil && row.Event.Group != nil: // about nobody
	case len(row.Problems) == 0 && row.Event != nil:
		c.apart = c.apart || row.Named != "" && row.Named != row.Person
		c.person(row)
	case row.Named != "":
		c.seen[row.Named] = true
		if len(row.Problems) > 0 {
			c.unusable++
			keep(&c.firstFault, row)
		}
	default:
		c.nameless++
		keep(&c.firstNameless, row)
	}
	return nil
}

func keep(first *hrimport.Problem, row hrimport.Row) {
	if *first == (hrimport.Problem{}) && len(row.Problems) > 0 {
		*first = row.Problems[0]
	}
}

// person compares what a row says with what is known.
func (c *Comparison) person(row hrimport.Row) {
	c.seen[row.Person] = true
	known, ok := c.known[row.Person]
	switch {
	case row.Event.Removed():
	case !ok:
		c.fresh++
	case c.differs(row.Event.Person, &known):
		c.changed++
	default:
		c.same++
	}
}

// differs says whether a row changes anything, and counts what it replaces.
func (c *Comparison) differs(says *events.Person, known *Person) bool {
	is := *says
	is.Active = nil
	now, was := flat(&is), flat(known.State.Person)
	if says.Active != nil && *says.Active != known.Active() {
		now["active"], was["active"] = fmt.Sprint(*says.Active), fmt.Sprint(known.Active())
	}
	for path, value := range was {
		if now[path] != value {
			c.attributes[path]++
		}
	}
	return !maps.Equal(now, was)
}

// flat is a person as text by path.
func flat(p *events.Person) map[string]string {
	out := map[string]string{}
	if p == nil {
		return out
	}
	data, err := json.Marshal(p)
	if err != nil {
		return out // it was read from JSON
	}
	var v any
	if json.Unmarshal(data, &v) == nil {
		flatten("", v, out)
	}
	return out
}

func flatten(path string, v any, out map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			flatten(strings.TrimPrefix(path+"."+short(name), "."), value, out)
		}
	case []any:
		for i, value := range v {
			flatten(fmt.Sprintf("%s[%d]", path, i), value, out)
		}
	default:
		out[path] = fmt.Sprint(v)
	}
}

// short is the name of an extension as mappings write it.
func short(name string) string {
	switch {
	case strings.HasPrefix(name, "urn:ietf:params:scim:schemas:extension:enterprise:"):
		return "enterprise"
	case strings.HasPrefix(name, "urn:rollcall:params:scim:schemas:extension:custom:"):
		return "custom"
	}
	return name
}

// Plan is what publishing an export as the whole of its source comes to.
type Plan struct {
	events.Snapshot
	// New, Changed and Same are the people of usable rows.
	New     int `json:"new"`
	Changed int `json:"changed"`
	Same    int `json:"same"`
	// Active of those known are active so far.
	Active int `json:"active"`
	// Later are absent, but something came of them after the file was made;
	// Unnamed have an id that the configuration would not read any more. Neither
	// is removed.
	Later   int `json:"later"`
	Unnamed int `json:"unnamed"`
	// Attributes counts the people who get another value in place of one they had.
	Attributes map[string]int `json:"attributes"`
	// Last is the last full file.
	Last *events.Snapshot `json:"last,omitempty"`
	// LastAt and LastBy say when it was published and by whom.
	LastAt time.Time `json:"lastAt,omitzero"`
	LastBy string    `json:"lastBy,omitempty"`
	// Sample are some of those who leave.
	Sample []Leaver `json:"sample"`
	// Faults speak against believing the file.
	Faults []Fault `json:"faults"`

	absent []Person
}

// Leaver is somebody who leaves by not being in the file.
type Leaver struct {
	Key           events.Key `json:"key"`
	CorrelationID string     `json:"correlationId"`
	UserName      string     `json:"userName,omitempty"`
}

// Absent are those who are to be removed.
func (p *Plan) Absent() []Person { return p.absent }

// Still are those of the absent whom the source has as it had them: who has been
// spoken of meanwhile is not removed on the word of a file that is older.
func (p *Plan) Still(known map[string]Person) []Person {
	return slices.DeleteFunc(slices.Clone(p.absent), func(was Person) bool {
		is, ok := known[was.ID]
		return !ok || !was.same(is)
	})
}

// Missing counts those who are active in the source and not in the file.
func (c *Comparison) Missing() int {
	n := 0
	for id, p := range c.known {
		if !c.seen[id] && p.Active() {
			n++
		}
	}
	return n
}

// Plan says what came of the comparison with a file.
func (c *Comparison) Plan(file events.Snapshot) *Plan {
	p := &Plan{Snapshot: file, New: c.fresh, Changed: c.changed, Same: c.same, Attributes: c.attributes, Sample: []Leaver{}, Faults: []Fault{}}
	p.Rows, p.People, p.Known = c.rows, len(c.seen), len(c.known)
	for _, id := range slices.Sorted(maps.Keys(c.known)) {
		person := c.known[id]
		if person.Active() {
			p.Active++
		}
		if !c.seen[id] {
			c.absent(p, person)
		}
	}
	p.Snapshot.Absent = len(p.absent)
	return p
}

func (c *Comparison) absent(p *Plan, person Person) {
	if written, err := c.ids.Canonical(person.ID); err != nil || written != person.ID {
		p.Unnamed++
		return
	}
	if person.State.Origin.Time.After(p.ExportedAt) {
		p.Later++
		return
	}
	p.absent = append(p.absent, person)
	if !person.Active() {
		return
	}
	p.Leaving++
	if len(p.Sample) < maxSample {
		p.Sample = append(p.Sample, Leaver{Key: person.Key, CorrelationID: person.ID, UserName: userName(person)})
	}
}

func userName(p Person) string {
	if p.State.Person == nil {
		return ""
	}
	return cmp.Or(p.State.Person.UserName, p.State.Person.DisplayName)
}

// Removals are the events that say of people that their source has them no more.
// Each has the version of what was said last: next week's record of somebody who
// is in the file again counts though it has not changed, and an older one does not.
func Removals(source string, ids *correlation.IDs, kind events.VersionKind, digest string, people []Person) []*events.Event {
	out := make([]*events.Event, len(people))
	for i, p := range people {
		e := &events.Event{
			ID: "absent-" + digest[:min(len(digest), 16)] + "-" + string(p.Key), Source: "urn:rollcall:source:" + source, Type: events.TypePersonRemoved,
			DataContentType: events.ContentTypeJSON, Lane: events.LaneBackfill, Person: ids.Person(p.ID),
		}
		e.SourceVersion = versionOf(kind, p.State.SourceVersion)
		out[i] = e
	}
	return out
}

// versionOf is the version of a removal. One of another kind than the source is
// configured to send is older than any: so is this.
func versionOf(kind events.VersionKind, last string) string {
	switch {
	case kind == events.VersionNone:
		return ""
	case events.KindOfVersion(last) == kind:
		return last
	case kind == events.VersionNumber:
		return "0"
	}
	return time.Time{}.Format(time.RFC3339)
}
