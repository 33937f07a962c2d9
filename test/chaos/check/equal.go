package check

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// equal: when all is quiet, Salesforce equals desired on every managed field of
// everybody who is not parked or held. Desired is worked out here as well, so that a
// wish that is wrong is not taken for what was meant.
func equal(v *view) []Violation {
	var broken []Violation
	for _, p := range v.d.People {
		for _, org := range slices.Sorted(maps.Keys(v.d.Orgs)) {
			where := place{org, p.Key}
			if _, parked := v.letters[where]; parked || v.protected(where) {
				continue
			}
			want := v.said.wanted(p, org)
			for _, what := range differences(v.user(where), want, org) {
				broken = append(broken, v.say(where, "%s", what))
			}
		}
	}
	return broken
}

func differences(u *emulator.User, w want, org string) []string {
	switch {
	case u == nil && w.active:
		return []string{"has no user, and should have"}
	case u == nil || !u.IsActive && !w.active:
		return nil
	case u.IsActive != w.active:
		return []string{fmt.Sprintf("active is %t, should be %t", u.IsActive, w.active)}
	}
	var out []string
	if u.IsFrozen {
		out = append(out, "is frozen")
	}
	if u.Profile != w.profile {
		out = append(out, fmt.Sprintf("profile is %s, should be %s", u.Profile, w.profile))
	}
	sets, groups := managed(org)
	if have := has(u.PermissionSets, sets); !slices.Equal(have, w.sets) {
		out = append(out, fmt.Sprintf("permission sets are %v, should be %v", have, w.sets))
	}
	if have := has(u.Groups, groups); !slices.Equal(have, w.groups) {
		out = append(out, fmt.Sprintf("groups are %v, should be %v", have, w.groups))
	}
	for _, name := range slices.Sorted(maps.Keys(w.fields)) {
		if have := text(u, name); have != w.fields[name] {
			out = append(out, fmt.Sprintf("%s is %q, should be %q", name, have, w.fields[name]))
		}
	}
	return out
}
