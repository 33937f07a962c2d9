package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// maxNear is how many names are shown that a missing one may have meant.
const maxNear = 3

// kind is one kind of names that the configuration uses.
type kind struct {
	word string
	// queries give a row per record, with the name in the field.
	queries []lookup
	names   []string
}

type lookup struct{ field, soql string }

// kinds are the names of an org's configuration by kind. A permission set group
// goes by the same key as a permission set, as salesforce-pusher reads it.
func kinds(a config.Assign) []kind {
	var profiles, roles, sets, groups []string
	for _, r := range a.Rules {
		profiles, roles = append(profiles, r.Profile), append(roles, r.Role)
		sets, groups = append(sets, r.PermissionSets...), append(groups, r.Groups...)
	}
	for _, g := range a.Grants {
		sets, groups = append(sets, g.PermissionSets...), append(groups, g.Groups...)
	}
	return []kind{
		{"profile", []lookup{{"Name", "SELECT Name FROM Profile"}}, distinct(profiles)},
		{"role", []lookup{{"Name", "SELECT Name FROM UserRole"}}, distinct(roles)},
		{"permission set or permission set group", []lookup{
			{"Name", "SELECT Name FROM PermissionSet WHERE IsOwnedByProfile = false AND PermissionSetGroupId = null"},
			{"DeveloperName", "SELECT DeveloperName FROM PermissionSetGroup"},
		}, distinct(sets)},
		{"public group or queue", []lookup{{"DeveloperName", "SELECT DeveloperName FROM Group WHERE Type IN ('Regular','Queue')"}}, distinct(groups)},
	}
}

func profilesOf(a config.Assign) []string { return kinds(a)[0].names }

func setsOf(a config.Assign) []string { return kinds(a)[2].names }

func distinct(list []string) []string {
	list = slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
	slices.Sort(list)
	return slices.Compact(list)
}

// named compares the names in the configuration with those in the org.
func (p *patient) named(ctx context.Context) []verdict {
	var out []verdict
	found := 0
	for _, k := range kinds(p.File.Orgs[p.org].Assign) {
		if len(k.names) == 0 {
			continue
		}
		there, err := p.namesOf(ctx, k)
		if err != nil {
			out = append(out, refused("reading the names of every "+k.word, err)...)
			continue
		}
		for _, name := range k.names {
			if v := p.present(k, name, there); v != nil {
				out = append(out, v...)
				continue
			}
			found++
		}
	}
	if len(out) == 0 {
		return ok("all %d profiles, roles, permission sets and groups that the configuration names are there", found)
	}
	return out
}

// namesOf are all names of a kind.
func (p *patient) namesOf(ctx context.Context, k kind) ([]string, error) {
	var out []string
	for i, q := range k.queries {
		rows, err := p.client.Query(ctx, q.soql)
		if err != nil && i > 0 && unseen(err) {
			continue // not every edition has permission set groups
		}
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out = append(out, r.String(q.field))
		}
	}
	return out, nil
}

// present is nil where there is exactly one of the name.
func (p *patient) present(k kind, name string, there []string) []verdict {
	n := 0
	for _, t := range there {
		if strings.EqualFold(t, name) {
			n++
		}
	}
	switch {
	case n == 1:
		return nil
	case n > 1:
		return fail("Rename all but one in Salesforce: Rollcall does not guess.", "%d things are a %s named %q; whoever needs it is parked", n, k.word, name)
	}
	advice := "Make it in Salesforce, or correct the name in the configuration."
	if near := nearest(name, there); len(near) > 0 {
		advice = fmt.Sprintf("Did you mean %s? Otherwise make it in Salesforce.", strings.Join(near, ", "))
	}
	return fail(advice, "the org has no %s named %q; whoever needs it is parked", k.word, name)
}

// nearest are the names most like one, quoted, the most like first.
func nearest(name string, there []string) []string {
	type near struct {
		name string
		far  int
	}
	var list []near
	for _, t := range distinct(there) {
		far := distance(plain(name), plain(t))
		if far <= max(2, len(name)/4) || strings.Contains(plain(t), plain(name)) {
			list = append(list, near{t, far})
		}
	}
	slices.SortStableFunc(list, func(a, b near) int { return a.far - b.far })
	var out []string
	for _, n := range list[:min(len(list), maxNear)] {
		out = append(out, fmt.Sprintf("%q", n.name))
	}
	return out
}

// plain takes out what people write differently.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || r == '-' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// distance is Levenshtein's, on runes.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j := range to {
			cost := 1
			if from[i] == to[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(to)]
}
