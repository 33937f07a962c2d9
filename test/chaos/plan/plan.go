package plan

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"
)

// Orgs of every run: acme takes everybody, bravo the department of support only.
const (
	Acme  = "acme"
	Bravo = "bravo"
)

// Departments a person may be in.
const (
	Sales   = "Sales"
	Support = "Support"
)

// Plan is one run.
type Plan struct {
	Options
	// People are all who will ever be heard of; the last Steady of them are changed
	// only at the end, while others are in trouble.
	People []Person
	Steady int
	// Groups are the names of the directory's groups, by number.
	Groups []string
	// FreezeFirst and BulkAbove are settings of the pusher in this run.
	FreezeFirst bool
	BulkAbove   int
	// GateLimit is from how many people one cause may take something before it is
	// held: more than a run has changes, so that nothing is.
	GateLimit int
	// Story is what is published, in this order; Trouble what befalls whom.
	Story   []Step
	Trouble []Step
	// Last is what is said when hostility is over, while one person, one org and
	// one group are in trouble still.
	Last []Step
}

// Options decide, together, on one plan.
type Options struct {
	Seed uint64
	// Length is how long hostility lasts.
	Length time.Duration
	// Manual adds changes of managed users by hand.
	Manual bool
}

// People of every plan for whom the orgs are prepared: the user of one is protected,
// that of another is there before Rollcall, and one is in trouble in the calm.
const (
	Protected = iota
	Adopted
	Troubled
)

// Person is somebody HR may speak of.
type Person struct {
	Number, Given, Family string
}

// Username is what HR calls the person's login; each org adds its own name to it.
func (p Person) Username() string { return p.Given + "." + p.Family + "@chaos.example" }

// Verb says what a step does.
type Verb string

// What HR and the directory say.
const (
	Upsert Verb = "says"      // a person's whole record
	Leave  Verb = "leaves"    // active is false
	Remove Verb = "removes"   // HR has no such person any more
	Mute   Verb = "says not"  // a whole record without a word on active
	Group  Verb = "group"     // a group's whole record
	Bad    Verb = "bad event" // an event that nobody can read
)

// What befalls the system.
const (
	Kill     Verb = "kill"
	Freeze   Verb = "stop"    // SIGSTOP, and SIGCONT after For
	Rolling  Verb = "rolling" // each replica ended politely and started again
	NATSKill Verb = "nats killed"
	NATSStop Verb = "nats stopped"
	Readonly Verb = "writes 503" // for For
	Gack     Verb = "500 for one record"
	Lock     Verb = "row lock"
	Lost     Verb = "reply lost"
	Late     Verb = "applied late"
	LateKill Verb = "applied late, sender killed"
	Slow     Verb = "slow calls"
	Seats    Verb = "no seats"     // for For
	Session  Verb = "sessions end" // all tokens of the org
	Again    Verb = "retry all"    // what an admin asks for
)

// What somebody does by hand in an org. The first is a field that Rollcall does
// not manage; the others are planned only with [Options.Manual].
const (
	HandPhone      Verb = "hand: phone"
	HandTitle      Verb = "hand: title"
	HandActivate   Verb = "hand: activate"
	HandDeactivate Verb = "hand: deactivate"
	HandStrip      Verb = "hand: strip"
	HandFlow       Verb = "hand: flow"
)

// Step is one thing that happens, At after the start.
type Step struct {
	At     time.Duration
	Verb   Verb
	Person int
	// Version is HR's own, Title and Department the record's.
	Version    int
	Title      string
	Department string
	// Load puts an event into the backfill lane; Repeat says that it was said before.
	Load, Repeat bool
	// Group and Members are of a group's event.
	Group   int
	Members []int
	// Service and Replica are whom trouble befalls, For is how long.
	Service string
	Replica int
	Org     string
	For     time.Duration
	// Times is how often a planned fault strikes.
	Times int
}

// Draw makes the plan of some options.
func Draw(o Options) Plan {
	dice := rand.New(rand.NewPCG(o.Seed, 0x6368616f73)) //nolint:gosec // a seed has to draw the same plan again
	p := Plan{Options: o, Groups: []string{"Leads", "Night Shift"}, Steady: 4}
	p.FreezeFirst = dice.IntN(2) == 0
	p.GateLimit = 10_000
	p.BulkAbove = []int{0, 12, 5000}[dice.IntN(3)]
	for i := range 24 + dice.IntN(12) + p.Steady {
		p.People = append(p.People, person(dice, i))
	}
	told := newStory(&p, dice)
	told.write()
	p.Trouble = trouble(&p, dice)
	for _, s := range p.Trouble {
		if s.Verb == LateKill {
			told.overtaken(s)
		}
	}
	p.Story = told.inOrder()
	p.Last = last(&p)
	return p
}

// person gives names that stand in no text but a person's own.
func person(dice *rand.Rand, i int) Person {
	word := func(first string) string {
		letters := []byte(first)
		for range 6 {
			letters = append(letters, "abcdefghijklmnopqrstuvwxyz"[dice.IntN(26)])
		}
		return string(letters)
	}
	return Person{Number: fmt.Sprintf("N%03d%05d", i, dice.IntN(100_000)), Given: word("G"), Family: word("Zq")}
}

// sorted puts steps in the order of their times.
func sorted(steps []Step) []Step {
	slices.SortStableFunc(steps, func(a, b Step) int { return int(a.At - b.At) })
	return steps
}

// Print writes the plan down, a line for each step.
func (p Plan) Print(w io.Writer) {
	fmt.Fprintf(w, "seed %d: %d people, %s of hostility, manual changes %t, freezeFirst %t, bulkAbove %d, gate limit %d\n",
		p.Seed, len(p.People), p.Length, p.Manual, p.FreezeFirst, p.BulkAbove, p.GateLimit)
	for _, part := range []struct {
		name  string
		steps []Step
	}{{"story", p.Story}, {"trouble", p.Trouble}, {"last", p.Last}} {
		for i, s := range part.steps {
			fmt.Fprintf(w, "%s %3d  %6.2fs  %s\n", part.name, i, s.At.Seconds(), s)
		}
	}
}

// String says what a step does.
func (s Step) String() string {
	if s.Repeat {
		s.Repeat = false
		return "once more: " + s.String()
	}
	switch s.Verb {
	case Upsert, Mute:
		return fmt.Sprintf("HR %s person %d: version %d, %s, %s", s.Verb, s.Person, s.Version, s.Title, s.Department)
	case Leave, Remove:
		return fmt.Sprintf("person %d %s: version %d", s.Person, s.Verb, s.Version)
	case Group:
		return fmt.Sprintf("group %d has %v", s.Group, s.Members)
	case Kill, Freeze, Rolling:
		return fmt.Sprintf("%s %s %d for %s", s.Verb, s.Service, s.Replica, s.For)
	case Gack, Lock, HandPhone, HandTitle, HandActivate, HandDeactivate, HandStrip:
		return fmt.Sprintf("%s of person %d in %s, %d times", s.Verb, s.Person, s.Org, s.Times)
	}
	return fmt.Sprintf("%s %s for %s, %d times", s.Verb, s.Org, s.For, s.Times)
}
