package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
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

type lookup struct {
	field, soql string
	// optional says that an edition may be without the object.
	optional bool
}

// kinds are the names of an org's configuration by kind, each row of the table of
// assignment kinds one.
func kinds(a config.Assign) []kind {
	profiles, roles := kind{word: "profile"}, kind{word: "role"}
	profiles.queries = []lookup{{field: "Name", soql: "SELECT Name FROM Profile"}}
	roles.queries = []lookup{{field: "Name", soql: "SELECT Name FROM UserRole"}}
	for _, r := range a.Rules {
		profiles.names, roles.names = append(profiles.names, r.Profile), append(roles.names, r.Role)
	}
	out := []kind{profiles, roles}
	for _, k := range events.AssignmentKinds() {
		next := kind{word: k.One, names: assigned(a, k.Key)}
		for _, t := range k.Targets {
			soql := "SELECT " + t.Name + " FROM " + t.Object
			if t.Where != "" {
				soql += " WHERE " + t.Where
			}
			next.queries = append(next.queries, lookup{field: t.Name, soql: soql, optional: t.Optional})
		}
		out = append(out, next)
	}
	for i := range out {
		out[i].names = distinct(out[i].names)
	}
	return out
}

// assigned are all names that the configuration gives of one kind.
func assigned(a config.Assign, key string) []string {
	var out []string
	for _, r := range a.Rules {
		out = append(out, r.Assignments[key]...)
	}
	for _, g := range a.Grants {
		out = append(out, g.Assignments[key]...)
	}
	return distinct(out)
}

func profilesOf(a config.Assign) []string { return kinds(a)[0].names }

func distinct(list []string) []string {
	list = slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
	slices.Sort(list)
	return slices.Compact(list)
}

// named compares the names in the configuration with those in the org.
func (x *examination) named(ctx context.Context) []verdict {
	var out []verdict
	found := 0
	for _, k := range kinds(x.File.Orgs[x.org].Assign) {
		if len(k.names) == 0 {
			continue
		}
		there, err := x.namesOf(ctx, k)
		if err != nil {
			out = append(out, refused("reading the names of every "+k.word, err)...)
			continue
		}
		for _, name := range k.names {
			if v := x.present(k, name, there); v != nil {
				out = append(out, v...)
				continue
			}
			found++
		}
	}
	if len(out) == 0 {
		return ok("all %d names that the configuration gives to things of the org are there", found)
	}
	return out
}

// namesOf are all names of a kind.
func (x *examination) namesOf(ctx context.Context, k kind) ([]string, error) {
	var out []string
	for _, q := range k.queries {
		rows, err := x.client.Query(ctx, q.soql)
		if err != nil && q.optional && unseen(err) {
			continue
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
func (x *examination) present(k kind, name string, there []string) []verdict {
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
