package rules

import (
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// merger makes one person of what several sources say.
type merger struct {
	attributes []scimAttribute
	precedence map[string][]string
}

func newMerger(precedence map[string][]string) *merger {
	return &merger{attributes: attributes(), precedence: precedence}
}

// merge returns the merged person, nil where no source has them.
func (m *merger) merge(state *events.PersonState) *events.Person {
	names := make([]string, 0, len(state.Sources))
	for name, s := range state.Sources {
		if speaks(s) {
			names = append(names, name)
		}
	}
	switch len(names) {
	case 0:
		return nil
	case 1:
		return state.Sources[names[0]].Person
	}
	slices.Sort(names)
	return m.mergeAll(state, names)
}

// speaks says whether a source has the person.
func speaks(s events.SourceState) bool { return !s.Removed && s.Person != nil }

func (m *merger) mergeAll(state *events.PersonState, names []string) *events.Person {
	merged := &events.Person{}
	for _, a := range m.attributes {
		for _, source := range m.order(a.path, names) {
			if a.take(merged, state.Sources[source].Person) {
				break
			}
		}
	}
	for _, source := range names {
		for name := range state.Sources[source].Person.Custom {
			if merged.Custom[name] == "" {
				m.mergeCustom(merged, state, name, names)
			}
		}
	}
	return merged
}

func (m *merger) mergeCustom(merged *events.Person, state *events.PersonState, name string, names []string) {
	for _, source := range m.order(customPrefix+name, names) {
		value := state.Sources[source].Person.Custom[name]
		if value == "" {
			continue
		}
		if merged.Custom == nil {
			merged.Custom = map[string]string{}
		}
		merged.Custom[name] = value
		return
	}
}

// order returns the sources in the order in which they are asked for an
// attribute.
func (m *merger) order(path string, names []string) []string {
	first, ok := m.precedence[path]
	if parent, _, nested := strings.Cut(path, "."); !ok && nested {
		first, ok = m.precedence[parent]
	}
	if !ok {
		first = m.precedence["*"]
	}
	if len(first) == 0 {
		return names
	}
	out := make([]string, 0, len(names))
	for _, name := range first {
		if slices.Contains(names, name) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, name := range names {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
