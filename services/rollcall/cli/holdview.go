package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// lossOf says what somebody loses with an aspect.
func lossOf(a events.Aspect) string {
	switch a {
	case events.AspectActive:
		return "the user"
	case events.AspectAccess:
		return "profile, permission sets or groups"
	case events.AspectIdentity:
		return "username, e-mail address or federation id"
	}
	return string(a)
}

// becauseOf is a cause in words.
func becauseOf(h operator.Hold) string {
	kind, name, _ := strings.Cut(string(h.Cause), ":")
	switch kind {
	case "config":
		return "the configuration (" + h.Config + ")"
	case "source":
		return "source " + name
	case "group":
		source, key, _ := strings.Cut(name, "/")
		if h.Group != "" {
			key = h.Group
		}
		return "group " + key + " of " + source
	}
	return string(h.Cause)
}

func (h *holds) printHolds(list []operator.Hold, format output) error {
	w := h.streams.Out
	if format == outputJSON {
		return printJSON(w, list)
	}
	if len(list) == 0 {
		_, _ = fmt.Fprintln(w, "Nothing is held.")
		return nil
	}
	now := time.Now()
	rows := make([]table.Row, len(list))
	for i, one := range list {
		rows[i] = table.Row{one.Name, ago(one.Since, now), peopleOf(one), one.Rejected, becauseOf(one)}
	}
	grid(w, table.Row{"hold", "since", "who would lose what", "rejected", "because of"}, rows, 3)
	_, _ = fmt.Fprintf(w, "\nWhat to do: rollcall hold show HOLD, then rollcall hold release HOLD or rollcall hold reject HOLD, with --reason.\n")
	return nil
}

func peopleOf(h operator.Hold) string {
	var out []string
	for _, a := range events.Aspects() {
		if n := h.People[a]; n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, lossOf(a)))
		}
	}
	return strings.Join(out, "\n")
}

// holdJSON is one hold as -o json prints it.
type holdJSON struct {
	operator.Hold
	All []operator.HeldPerson `json:"all"`
}

func (h *holds) printHold(one operator.Hold, list []operator.HeldPerson, format output) error {
	w := h.streams.Out
	if format == outputJSON {
		return printJSON(w, holdJSON{one, list})
	}
	grid(w, nil, filled([]table.Row{
		{"hold", one.Name},
		{"because of", becauseOf(one)},
		{"since", stamp(one.Since)},
		{"who would lose what", peopleOf(one)},
		{"rejected", one.Rejected},
		{"in detail", counts(one.Takes)},
		{"by the rule they have now", counts(one.Rules)},
		{"the first event", from(one.First)},
		{"let all of it through", "rollcall hold release " + one.Name + ` --reason "..." --yes`},
		{"or do none of it", "rollcall hold reject " + one.Name + ` --reason "..." --yes`},
	}), 2)
	_, _ = fmt.Fprintln(w)
	h.printPeople(one.Sample)
	if n := len(list) - len(one.Sample); n > 0 {
		_, _ = fmt.Fprintf(w, "and %d more; -o json has them all\n", n)
	}
	return nil
}

// counts lists what is counted, the most first.
func counts(n map[string]int) string {
	names := slices.Sorted(maps.Keys(n))
	slices.SortStableFunc(names, func(a, b string) int { return n[b] - n[a] })
	out := make([]string, 0, len(names))
	for _, name := range names {
		out = append(out, fmt.Sprintf("%s (%d)", name, n[name]))
	}
	return strings.Join(out, ", ")
}

func (h *holds) printPeople(list []operator.HeldPerson) {
	rows := make([]table.Row, len(list))
	for i, p := range list {
		name := p.Username
		if name == "" {
			name = string(p.Key)
		}
		rows[i] = table.Row{name, p.Org, lossOf(p.Aspect), strings.Join(p.Takes, ", "), ruleChange(p.HeldAspect), decided(p.HeldAspect)}
	}
	grid(h.streams.Out, table.Row{"person", "org", "would lose", "in detail", "rule", "decided"}, rows, 4)
}

// ruleChange is the rule by which somebody has what they have, and the next one.
func ruleChange(h events.HeldAspect) string {
	next := h.Next
	if next == "" {
		next = "none"
	}
	if next == h.Rule {
		return h.Rule
	}
	return h.Rule + " → " + next
}

func decided(h events.HeldAspect) string {
	if h.Rejected {
		return "rejected"
	}
	return "waits"
}

// heldSentence says of one person what is held and why.
func heldSentence(org string, h events.HeldAspect) string {
	return fmt.Sprintf("%s since %s: would lose %s (%s) because of %s, rule %s; %s (rollcall hold show %s)",
		h.Aspect, stamp(h.Since), lossOf(h.Aspect), strings.Join(h.Takes, ", "), h.Cause, ruleChange(h), decided(h), operator.HoldName(org, h.Cause))
}
