package retry

import (
	"fmt"
	"strings"
	"time"
)

// Markdown renders the table for docs/failures.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString("<!-- Generated from services/retry-scheduler/retry/policy.go by `make generate`; do not edit. -->\n")
	b.WriteString("# Failures\n\n")
	b.WriteString("Why a person is not as they should be, what Rollcall does about it, and what you can do.\n")
	b.WriteString("A parked person is a dead letter: see `rollcall tasks list`, then `rollcall tasks retry` or `rollcall tasks discard`.\n\n")
	b.WriteString("| cause | what | attempts | delays | then |\n|---|---|---|---|---|\n")
	for _, p := range Policies() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s | %s |\n", p.Cause, p.Cause, p.Title, p.attemptsText(), p.delaysText(), p.thenText())
	}
	fmt.Fprintf(&b, "\nDelays are spread by %.0f %% to both sides, so that people who failed together do not come back together.\n", jitter*100)
	for _, p := range Policies() {
		fmt.Fprintf(&b, "\n## %s\n\n**%s.** %s\n\n", p.Cause, p.Title, p.Meaning)
		fmt.Fprintf(&b, "- What to do: %s\n- What shows that it is healed: %s\n", p.Remedy, p.RemedySignal)
	}
	return b.String()
}

func (p Policy) attemptsText() string {
	if !p.Park {
		return "not counted"
	}
	return fmt.Sprint(p.Attempts)
}

func (p Policy) delaysText() string {
	switch {
	case p.Park && p.Attempts == 1:
		return "-"
	case p.Multiplier == 1:
		return short(p.First)
	}
	return fmt.Sprintf("%s, ×%g, up to %s", short(p.First), p.Multiplier, short(p.Max))
}

func (p Policy) thenText() string {
	if p.Park {
		return "parked"
	}
	return "the org is held, nobody is parked"
}

// short writes 10m0s as 10m.
func short(d time.Duration) string {
	if whole, ok := strings.CutSuffix(d.String(), "m0s"); ok {
		return whole + "m"
	}
	return d.String()
}
