package plan

import (
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/preview"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
)

// person prints all that would change for one person, value by value, and by which
// rule.
func (v *view) person(p preview.Person) {
	for _, c := range p.Changes {
		v.line("")
		v.text("Person %s in org %s: %s", c.Key, c.Org, one(c))
		for _, d := range differences(c) {
			v.text("  %s", d)
		}
		for _, h := range c.Held {
			v.text("  waits for an operator already, and goes on waiting: %s, because of %s", h.Aspect, h.Cause)
		}
	}
	PrintCoverage(v.w, p.Coverage, v.width)
}

// one is what happens to one person, in words for one.
func one(c *preview.Change) string {
	switch c.What() {
	case preview.Nothing:
		return "nothing changes"
	case preview.Created:
		return "gets a user"
	case preview.Reactivated:
		return "gets their user back"
	case preview.Deactivated:
		return "loses access"
	case preview.Sought:
		return "has left, and is looked for"
	case preview.Stuck:
		return "cannot be worked out any more: " + c.Next.Problem.Message
	case preview.Mended:
		return "can be worked out again"
	case preview.Updated:
		return "changes"
	case preview.Other:
	}
	return "changes nothing in Salesforce"
}

// differences are all values that differ, each with what it is and would be.
func differences(c *preview.Change) []string {
	is, next := c.Is, c.Next
	if is == nil {
		is = &events.Desired{}
	}
	if next == nil || !c.Changed() {
		return nil
	}
	var out []string
	differ := func(name string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			out = append(out, fmt.Sprintf("%s: %v → %v", name, shown(a), shown(b)))
		}
	}
	differ("rule", is.Rule, next.Rule)
	differ("profile", is.Profile, next.Profile)
	differ("role", is.Role, next.Role)
	for _, k := range events.AssignmentKinds() {
		differ(k.Many, strings.Join(is.Assignments[k.Key], ", "), strings.Join(next.Assignments[k.Key], ", "))
	}
	if !next.Active {
		return out // no field of a leaver is written
	}
	names := slices.Collect(maps.Keys(next.Fields))
	for name := range is.Fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		differ(name, fmt.Sprint(shown(is.Fields[name])), fmt.Sprint(shown(next.Fields[name])))
	}
	return out
}

func shown(v any) any {
	if v == nil || v == "" {
		return "nothing"
	}
	return v
}

// PrintCoverage prints by which rule of each org somebody is covered, and of those
// that do not match why.
func PrintCoverage(w io.Writer, all []rules.Coverage, width int) {
	v := view{w: w, width: min(max(width, minWidth), maxWidth)}
	for _, c := range all {
		v.line("")
		v.text("Rules of org %s: %s", c.Org, standing(c))
		for _, tried := range c.Conditions {
			v.condition(tried)
		}
	}
}

func standing(c rules.Coverage) string {
	switch c.Standing {
	case rules.StandingMatched:
		return "rule " + c.Rule + " matches"
	case rules.StandingUnmatched:
		return "no rule matches, so there is to be no user"
	case rules.StandingUndecidable:
		return "a condition cannot be decided, so nothing is sent"
	case rules.StandingLeft:
		return "no rule is asked: whoever decides it says that they are not employed"
	case rules.StandingUnheard:
		if c.Rule != "" {
			return "rule " + c.Rule + " matches, but no source under authority has ever spoken of them: no user is made"
		}
		return "no source under authority has ever spoken of them: no user is made"
	case rules.StandingUnknown:
	}
	return "no source has ever spoken of them: they are only named as a member of a group"
}

func (v *view) condition(c rules.Condition) {
	said := "false"
	switch {
	case c.Fault != "":
		said = "cannot be decided: " + c.Fault
	case c.Match:
		said = "true"
	}
	v.text("  %s: %s is %s", c.Rule, c.When, said)
	if c.Saw != "" {
		v.text("      where %s", c.Saw)
	}
}
