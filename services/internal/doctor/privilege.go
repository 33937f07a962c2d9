package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// protected says whether anybody is kept from Rollcall but the integration user, whom it
// never touches anyway.
func (x *examination) protected(ctx context.Context) []verdict {
	own := x.userID
	if rows, err := x.client.Query(ctx, "SELECT Username FROM User WHERE "+salesforce.In("Id", []string{x.userID})); err == nil && len(rows) == 1 {
		own = rows[0].String("Username")
	}
	others := slices.DeleteFunc(distinct(x.File.Orgs[x.org].Push.Protect), func(name string) bool {
		return strings.EqualFold(name, own) || strings.EqualFold(name, x.userID)
	})
	if len(others) == 0 {
		return warn("Name the administrators who let you in when nothing else does under push.protect.",
			"push.protect names nobody but, at the most, the integration user, whom Rollcall never touches anyway")
	}
	return ok("push.protect names %d others than the integration user", len(others))
}

// given are names that the configuration gives, of a kind that may make an administrator.
type given struct {
	word, key, soql string
	// names are given, named stand under push.privileged.
	names, named []string
}

// privileged says what the configuration gives that makes administrators, and does not
// name as that: whoever should get it is parked.
func (x *examination) privileged(ctx context.Context) []verdict {
	a, p := x.File.Orgs[x.org].Assign, x.File.Orgs[x.org].Push.Privileged
	var out []verdict
	for _, g := range []given{
		{"profile", "profiles", "SELECT Name FROM Profile", profilesOf(a), p.Profiles},
		{"permission set", "permissionSets", "SELECT Name, PermissionSetGroup.DeveloperName FROM PermissionSet", assigned(a, events.KeyPermissionSets), p.PermissionSets},
	} {
		if len(g.names) == 0 {
			continue
		}
		rows, err := x.administrative(ctx, g.soql)
		switch {
		case err != nil && unseen(err):
			out = append(out, warn("Give the integration user the permission \"View Setup and Configuration\".",
				"the org does not show what a %s permits: each counts as administrative, and whoever should get one that push.privileged.%s does not name is parked", g.word, g.key)...)
		case err != nil:
			return refused("reading what makes an administrator", err)
		}
		out = append(out, g.unnamed(rows)...)
	}
	if len(out) == 0 {
		return ok("what the configuration gives makes nobody an administrator but by what push.privileged names")
	}
	return out
}

// administrative reads what has any of the administrative permissions that the org knows.
func (x *examination) administrative(ctx context.Context, soql string) ([]salesforce.Record, error) {
	permissions := salesforce.AdministrativePermissions()
	for {
		rows, err := x.client.Query(ctx, soql+" WHERE "+strings.Join(permissions, " = true OR ")+" = true")
		var e *salesforce.Error
		if !errors.As(err, &e) {
			return rows, err
		}
		lacking := salesforce.MissingPermission(e)
		left := slices.DeleteFunc(slices.Clone(permissions), func(p string) bool { return p == lacking })
		if lacking == salesforce.PermissionCore || len(left) == len(permissions) {
			return nil, err
		}
		permissions = left
	}
}

func (g given) unnamed(rows []salesforce.Record) []verdict {
	var out []verdict
	for _, r := range rows {
		for _, name := range []string{r.String("Name"), r.String("PermissionSetGroup.DeveloperName")} {
			if among(g.names, name) && !among(g.named, name) {
				out = append(out, warn("If it is meant, add it to push.privileged."+g.key+"; if not, correct the rule.",
					"the %s %q has administrative permissions, and push.privileged does not name it: whoever should get it is parked", g.word, name)...)
				break
			}
		}
	}
	return out
}

func among(list []string, name string) bool {
	return name != "" && slices.ContainsFunc(list, func(n string) bool { return strings.EqualFold(n, name) })
}
