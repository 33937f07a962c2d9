package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/test/chaos/dump"
)

// silent: no token, secret or personal data in subjects, logs and metrics. Traces
// are looked at by the tests of the system, which have somebody to send them to.
func silent(v *view) []Violation {
	hidden := maps.Clone(v.d.Secrets)
	if hidden == nil {
		hidden = map[string]string{}
	}
	for _, p := range v.d.People {
		for what, text := range map[string]string{"number": p.Number, "given name": p.Given, "family name": p.Family, "username": p.Username} {
			hidden[text] = what
		}
	}
	places := map[string]string{"the subjects": subjects(v.d)}
	for name, text := range v.d.Logs {
		places["the log of "+name] = text
	}
	for name, text := range v.d.Metrics {
		places["the metrics of "+name] = text
	}
	var broken []Violation
	for _, where := range slices.Sorted(maps.Keys(places)) {
		folded := strings.ToLower(places[where])
		for _, text := range slices.Sorted(maps.Keys(hidden)) {
			if i := strings.Index(folded, strings.ToLower(text)); i >= 0 {
				broken = append(broken, Violation{What: fmt.Sprintf("a %s stands in %s: ...%s...", hidden[text], where, around(places[where], i))})
				break
			}
		}
	}
	return broken
}

// around is what stands about a place in a text.
func around(text string, i int) string { return text[max(0, i-120):min(len(text), i+120)] }

// subjects are all subjects that were ever published.
func subjects(d *dump.Dump) string {
	var b strings.Builder
	for _, m := range d.Heard {
		b.WriteString(m.Subject + "\n")
	}
	for _, list := range d.Streams {
		for _, m := range list {
			b.WriteString(m.Subject + "\n")
		}
	}
	return b.String()
}
