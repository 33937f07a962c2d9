// Package check judges a run by its dump: what must always hold, each as a rule of
// its own. It runs nothing and asks nobody.
//
//   - check.go: the rules, and what a violation is
//   - view.go: the dump, decoded
//   - fold.go: what HR and the directory said, worked out a second time
//   - want.go: what each person should have in each org, worked out a second time
//   - accounted.go, equal.go, single.go, newest.go, recorded.go, untouched.go,
//     silent.go, apart.go: the eight rules
//   - timeline.go: one person's story, for whoever has to find out why
package check

import (
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/test/chaos/dump"
)

// Violation is one thing that does not hold.
type Violation struct {
	// Rule is its number and name.
	Rule string
	// What is broken, in a sentence.
	What string
	// Org and Key say whose story to look at; empty where it is nobody's.
	Org string
	Key events.Key
}

func (v Violation) String() string { return fmt.Sprintf("RULE %s: %s", v.Rule, v.What) }

// rule is one of what must always hold.
type rule struct {
	name  string
	holds func(v *view) []Violation
}

// rules are those of docs/architecture.md, under its numbers.
func rules() []rule {
	return []rule{
		{"0 all becomes quiet", becomesQuiet},
		{"1 every event is accounted for", accounted},
		{"2 Salesforce equals desired", equal},
		{"3 one user for one person", single},
		{"4 the newest stands", newest},
		{"5 nothing without its record", recorded},
		{"6 what is not ours is not touched", untouched},
		{"7 nothing tells who somebody is", silent},
		{"8 trouble stays where it is", apart},
	}
}

// All applies every rule.
func All(d *dump.Dump) []Violation {
	v, broken := look(d)
	for _, r := range rules() {
		for _, one := range r.holds(v) {
			one.Rule = r.name
			broken = append(broken, one)
		}
	}
	return broken
}

// becomesQuiet: a run that has no end cannot be judged as one that has.
func becomesQuiet(v *view) []Violation {
	if v.d.Restless == "" {
		return nil
	}
	return []Violation{{What: v.d.Restless}}
}

// Figures is what happened in a run, in a line.
func Figures(d *dump.Dump) string {
	late, calls := 0, 0
	for _, org := range d.Orgs {
		for _, e := range org.Journal {
			if e.Mutating {
				calls++
			}
			if e.Late == "applied" {
				late++
			}
		}
	}
	return fmt.Sprintf("%d people, %d events, %d things befell, %d calls that change something, %d applied late", len(d.People), len(d.Said), len(d.Done), calls, late)
}
