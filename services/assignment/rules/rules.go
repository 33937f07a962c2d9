package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// Rules are what a configuration says of everybody, compiled. Make them with
// [Compile]. They are safe for concurrent use.
type Rules struct {
	merger    *merger
	authority authority
	mappings  []*mapping
	orgs      []string
}

// Compile takes the rules' part of the configuration: authority, precedence and
// orgs.*.assign. It reads no file. The error joins every fault, each expression
// that does not compile with its place among them.
func Compile(f config.File) (*Rules, error) {
	m := newMerger(f.Precedence)
	decides, errAuthority := newAuthority(f, m)
	mappings, errOrgs := readOrgs(f)
	if err := errors.Join(errAuthority, checkPrecedence(f), errOrgs); err != nil {
		return nil, err
	}
	return &Rules{merger: m, authority: decides, mappings: mappings, orgs: slices.Sorted(maps.Keys(f.Orgs))}, nil
}

func checkPrecedence(f config.File) error {
	var faults []error
	for _, path := range slices.Sorted(maps.Keys(f.Precedence)) {
		if err := checkPath(path); err != nil {
			faults = append(faults, fmt.Errorf("precedence: %w", err))
		}
		for _, source := range f.Precedence[path] {
			if _, ok := f.Sources[source]; !ok {
				faults = append(faults, fmt.Errorf("precedence.%s: %q is not among the sources", path, source))
			}
		}
	}
	return errors.Join(faults...)
}

func readOrgs(f config.File) ([]*mapping, error) {
	c, err := newCompiler(slices.Sorted(maps.Keys(f.Sources)))
	if err != nil {
		return nil, err
	}
	var faults []error
	var out []*mapping
	for _, name := range slices.Sorted(maps.Keys(f.Orgs)) {
		if err := events.CheckName(name); err != nil {
			faults = append(faults, fmt.Errorf("orgs: %w", err))
		}
		m, err := newMapping(c, name, f.Orgs[name].Assign)
		faults = append(faults, err)
		out = append(out, m)
	}
	return out, errors.Join(faults...)
}

// Orgs lists the orgs in the order of their names. It is not for the caller to
// change.
func (r *Rules) Orgs() []string { return r.orgs }

// Desire works out what a person should have, by org. An org with nothing to say
// is left out. Before is the person before the change, nil where there was none;
// only where they are [Rules.Gone] does it matter. Previous is what the orgs last had for them. Lane, origin and hash are left
// to [Seal].
func (r *Rules) Desire(state, before *events.PersonState, previous map[string]*events.Desired) (map[string]*events.Desired, error) {
	who, err := r.identify(state, before)
	if err != nil {
		return nil, err
	}
	wishes := make(map[string]*events.Desired, len(r.mappings))
	for _, m := range r.mappings {
		if d := m.desire(who, previous[m.org]); d != nil {
			wishes[m.org] = d
		}
	}
	return wishes, nil
}

// Gone says whether those who decide it have removed the person. A removal says
// nothing of them, so who they were before is what their user is found by.
func (r *Rules) Gone(state *events.PersonState) bool { return r.authority.judge(state) == gone }

// Assumed says whether the configuration has several sources and no authority, so
// that precedence stands for it.
func (r *Rules) Assumed() bool { return r.authority.assumed != nil }

// Merge makes one person of what the sources say, and says whether they are
// employed. The person is nil where no source has them.
func (r *Rules) Merge(state *events.PersonState) (*events.Person, bool) {
	return r.merger.merge(state), r.authority.judge(state) == employed
}
