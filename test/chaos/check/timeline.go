package check

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/test/chaos/dump"
)

// told is how many people's stories are told, lines how long one may be.
const (
	told  = 3
	lines = 120
)

// Explain tells the stories of the first people whom violations concern.
func Explain(d *dump.Dump, broken []Violation, out io.Writer) {
	var seen []place
	for _, b := range broken {
		where := place{b.Org, b.Key}
		if b.Key == "" || slices.Contains(seen, where) || len(seen) == told {
			continue
		}
		seen = append(seen, where)
		Timeline(d, b.Org, b.Key, out)
	}
	fmt.Fprintf(out, "again: %s\n", d.Command)
}

// moment is one line of a story.
type moment struct {
	at   time.Time
	what string
}

// Timeline tells the story of one person in one org, or in all where that is none.
func Timeline(d *dump.Dump, org string, key events.Key, out io.Writer) {
	v, _ := look(d)
	story := slices.Concat(v.published(key), v.heardOf(org, key), v.calls(org, key), v.befell(org, key))
	slices.SortStableFunc(story, func(a, b moment) int { return a.at.Compare(b.at) })
	fmt.Fprintf(out, "---- %s (%s) in %s\n", v.who(key), key, org)
	if skipped := len(story) - lines; skipped > 0 {
		fmt.Fprintf(out, "  (%d lines before)\n", skipped)
		story = story[skipped:]
	}
	for _, m := range story {
		fmt.Fprintf(out, "  %8.3fs  %s\n", m.at.Sub(d.Began).Seconds(), m.what)
	}
}

func (v *view) published(key events.Key) []moment {
	what := map[uint64]string{}
	for _, s := range v.d.Said {
		what[s.Seq] = s.What
	}
	var out []moment
	for _, m := range v.d.Streams[events.StreamDirectory] {
		if strings.Contains(string(m.Body()), v.people[key].Number) {
			out = append(out, moment{m.Time, fmt.Sprintf("event %d: %s", m.Seq, what[m.Seq])})
		}
	}
	return out
}

func (v *view) heardOf(org string, key events.Key) []moment {
	var out []moment
	for _, m := range v.d.Heard {
		a, err := events.ParseSubject(m.Subject)
		if err != nil || a.Key != key || a.Org != org && a.Org != "" {
			continue
		}
		out = append(out, moment{m.Time, fmt.Sprintf("%s %s", strings.TrimPrefix(m.Subject, "rollcall."), short(m))})
	}
	return out
}

// short is what a message says, without what is long and seldom asked for.
func short(m dump.Message) string {
	text := string(m.Body())
	return text[:min(len(text), 500)]
}

func (v *view) calls(org string, key events.Key) []moment {
	where := place{org, key}
	names := []string{v.links[where].what.UserID, strings.ToLower(v.people[key].Username) + "." + org}
	var out []moment
	for _, e := range v.d.Orgs[org].Journal {
		if slices.ContainsFunc(e.Touched, func(t string) bool {
			return t != "" && slices.Contains(names, strings.ToLower(t)) || t == names[0] && t != ""
		}) {
			out = append(out, moment{e.Time, fmt.Sprintf("call %d: %s %s, %d records, %d refused, status %d %s %s (of %d), %d µs", e.Seq, e.Operation, e.Object, e.Records, e.Failed, e.Status, e.FaultID, e.Late, e.Of, e.Micros)})
		}
	}
	return out
}

// befell is what was done to the system, and by hand to this person.
func (v *view) befell(org string, key events.Key) []moment {
	name := strings.ToLower(v.people[key].Username) + "." + org
	var out []moment
	for _, done := range v.d.Done {
		if done.Username == "" || done.Username == name {
			out = append(out, moment{done.At, "befell: " + done.What})
		}
	}
	return out
}
