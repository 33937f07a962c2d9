package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// employment is what those who decide it say of whether somebody is employed.
type employment int

const (
	// unheard says that no authority has ever spoken of them.
	unheard employment = iota
	employed
	// inactive says that the authority that has them says that they are not active.
	inactive
	// gone says that every authority that ever had them has removed them.
	gone
)

// authority knows which sources decide who is employed.
type authority struct {
	// listed are the authorities, first first.
	listed []string
	// assumed stands for them in a configuration that has none, and is nil in any
	// other: the order in which precedence asks all sources.
	assumed func(names []string) []string
}

// newAuthority says who decides. One single source does. Several have to be put in
// order: by authority, or, as it was before there was one, by precedence.
func newAuthority(f config.File, m *merger) (authority, error) {
	sources := slices.Sorted(maps.Keys(f.Sources))
	first, apart := f.Precedence[pathActive]
	if !apart {
		first = f.Precedence["*"]
	}
	switch {
	case len(f.Authority) > 0:
		return authority{listed: f.Authority}, nil
	case len(sources) < 2:
		return authority{listed: sources}, nil
	case len(first) > 0:
		return authority{assumed: func(names []string) []string { return m.order(pathActive, names) }}, nil
	}
	return authority{}, fmt.Errorf("authority: is missing: with several sources (%s) write which of them decide who is employed, the most trusted first, as in authority: [NAME, NAME]; one that is not in the list adds attributes and groups, and creates and keeps nobody",
		strings.Join(sources, ", "))
}

// judge says what is decided of a person.
func (a *authority) judge(state *events.PersonState) employment {
	if a.assumed != nil {
		return a.assume(state)
	}
	decided := unheard
	for _, name := range a.listed {
		switch s, spoken := state.Sources[name]; {
		case !spoken:
		case !speaks(s):
			decided = gone
		default:
			if active, said := s.IsActive(); said && !active {
				return inactive
			}
			return employed
		}
	}
	return decided
}

// assume decides by precedence: the first source that says whether the person is
// active is believed, and one that has removed them has said it, unless a source
// before it has them.
func (a *authority) assume(state *events.PersonState) employment {
	decided := unheard
	for _, name := range a.assumed(slices.Sorted(maps.Keys(state.Sources))) {
		s := state.Sources[name]
		active, said := s.IsActive()
		switch {
		case !speaks(s) && decided == unheard:
			return gone
		case !speaks(s):
		case said && !active:
			return inactive
		case said:
			return employed
		default:
			decided = employed
		}
	}
	return decided
}
