package preview

import (
	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
)

// Plan is what would become of everybody who was looked at.
type Plan struct {
	// People were looked at, and something would change for Changed of them.
	People  int `json:"people"`
	Changed int `json:"changed"`
	// Unreadable are people whose stored state this program cannot read.
	Unreadable int `json:"unreadable,omitzero"`
	// Rows say what became of a file's; nil where there is none.
	Rows *Rows `json:"rows,omitempty"`
	Orgs []Org `json:"orgs"`
	// Dropped are orgs that are known to the streams and not in the configuration:
	// what people have there stays as it is, and nobody looks at it any more.
	Dropped []Dropped `json:"dropped,omitempty"`
	// Person is one person with all that changes, where only one was asked for.
	Person *Person `json:"person,omitempty"`
}

// Over says whether more would be taken away anywhere than passes the gate at once.
func (p *Plan) Over() bool {
	for i := range p.Orgs {
		if p.Orgs[i].Over() {
			return true
		}
	}
	return false
}

// Over says whether more would be taken away in the org than passes the gate at once.
func (o *Org) Over() bool {
	for _, t := range o.Takes {
		if t.Over {
			return true
		}
	}
	return false
}

// Rows are the rows of a file, as assignment would take them.
type Rows struct {
	// Events were read, of which Superseded say nothing new, Refused would be
	// rejected, and Groups are about a group: what they mean for its members is not
	// in the plan.
	Events     int `json:"events"`
	Superseded int `json:"superseded"`
	Refused    int `json:"refused"`
	Groups     int `json:"groups"`
	// Faults are the first reasons why events would be rejected.
	Faults []Fault `json:"faults,omitempty"`
}

// Fault is why an event would be rejected.
type Fault struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// Dropped is an org that a configuration has no more.
type Dropped struct {
	Org string `json:"org"`
	// Active are the people who have a user there.
	Active int `json:"active"`
}

// Org is what would become of people in one org.
type Org struct {
	Org string `json:"org"`
	// Active are the people who should have a user, before and after.
	Active Count `json:"active"`
	// Rules are the active people by the rule that gives them their user: those of
	// the configuration in its order, then those that only people have.
	Rules []RuleCount `json:"rules"`
	// Unmatched are people who are employed and whom no rule matches, Undecidable
	// those for whom a condition cannot be decided, Unheard those of whom no source
	// under authority has ever spoken.
	Unmatched   int `json:"unmatched"`
	Undecidable int `json:"undecidable"`
	Unheard     int `json:"unheard"`
	// What counts the people by what would become of them; what is nobody's is not
	// in it.
	What map[What]int `json:"what"`
	// WithoutUser are those of the deactivated who never had one: there is nothing
	// to take from them.
	WithoutUser int `json:"withoutUser,omitzero"`
	// Fields count those whose user changes in a field, by its name.
	Fields map[string]int `json:"fields"`
	// Profiles and Roles are those who go from one to another.
	Profiles []Move `json:"profiles"`
	Roles    []Move `json:"roles"`
	// Assignments are what is gained and lost, by whoever comes or goes too.
	Assignments []AssignmentCount `json:"assignments"`
	// Seats are how many more active users each profile would have; fewer below 0.
	Seats map[string]int `json:"seats"`
	// Calls is the fewest API calls it may take: an estimate.
	Calls int `json:"calls"`
	// Takes are what is taken away, against what passes the gate at once.
	Takes []Taking `json:"takes"`
	// Held are the people of whom something waits for an operator already: it goes on
	// waiting.
	Held int `json:"held"`
	// Samples are some of the people of each kind, "unmatched" among them.
	Samples map[string][]Who `json:"samples"`

	counted counted
}

// Count is a number of people before and after.
type Count struct {
	Before int `json:"before"`
	After  int `json:"after"`
}

// RuleCount is one rule's people.
type RuleCount struct {
	Rule string `json:"rule"`
	Count
}

// Move is how many go from one profile, or role, to another.
type Move struct {
	From   string `json:"from"`
	To     string `json:"to"`
	People int    `json:"people"`
}

// AssignmentCount is one name of one kind. Lost are those who lose it, Leaving
// those of them who lose their user, and go on having it there.
type AssignmentCount struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Gained  int    `json:"gained"`
	Lost    int    `json:"lost"`
	Leaving int    `json:"leaving,omitzero"`
}

// Taking is how many people something is newly taken from, in one aspect and by one
// cause, and from how many it may take within the short window. Over says that so
// many would not pass the gate: what with those that were taken from lately, and
// those that wait.
type Taking struct {
	Aspect events.Aspect      `json:"aspect"`
	Cause  events.ChangeCause `json:"cause"`
	People int                `json:"people"`
	Limit  int                `json:"limit"`
	Over   bool               `json:"over"`
}

// Who is one person, as an operator knows them.
type Who struct {
	Key  events.Key `json:"key"`
	Name string     `json:"name"`
}

// Person is one person, with all that would change for them.
type Person struct {
	Key      events.Key       `json:"key"`
	Changes  []*Change        `json:"changes"`
	Coverage []rules.Coverage `json:"coverage"`
}

// SampleUnmatched names the sample of those whom no rule matches.
const SampleUnmatched = "unmatched"
