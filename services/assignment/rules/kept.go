package rules

import (
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// Kept is what a person would have in an org if they went on having a user
// there: of the rule that matches them as they last were, or else of the one by
// which they have it. It is for those whose deactivation is held. It is nil
// where it cannot be worked out: they have what they had then.
func (r *Rules) Kept(org string, state, before *events.PersonState, previous *events.Desired) (*events.Desired, error) {
	who, err := r.identify(state, before)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(r.mappings, func(m *mapping) bool { return m.org == org })
	as, err := who.asActive()
	if err != nil || i < 0 || previous == nil {
		return nil, err
	}
	m := r.mappings[i]
	chosen, problem := m.choose(as)
	if chosen == nil && problem == nil {
		if at := slices.IndexFunc(m.rules, func(r rule) bool { return r.Name == previous.Rule }); at >= 0 {
			chosen = &m.rules[at]
		}
	}
	if chosen == nil {
		return nil, nil //nolint:nilnil // not to be worked out is an answer
	}
	d := m.member(as, previous, chosen)
	if d.Problem != nil {
		return nil, nil //nolint:nilnil // as above
	}
	return d, nil
}
