package doctor

import (
	"context"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// describeUser asks once for the User object.
func (x *examination) describeUser(ctx context.Context) (salesforce.Description, error) {
	if x.describe != nil {
		return *x.describe, nil
	}
	d, err := x.client.Describe(ctx, "User")
	if err != nil {
		return d, err
	}
	x.describe = &d
	return d, nil
}

// fields says whether what the configuration writes may be written.
func (x *examination) fields(ctx context.Context) []verdict {
	d, err := x.describeUser(ctx)
	if err != nil {
		return refused("reading what a User has", err)
	}
	assign := x.File.Orgs[x.org].Assign
	wanted := names(assign.Fields)
	for _, r := range assign.Rules {
		wanted = append(wanted, names(r.Fields)...)
	}
	wanted = distinct(wanted)
	var out []verdict
	for _, name := range wanted {
		f, there := d.Field(name)
		switch {
		case !there:
			out = append(out, fail(meant(name, d), "User has no field %s, or the integration user does not see it; everybody is parked", name)...)
		case !f.Createable && !f.Updateable:
			out = append(out, fail("Give the integration user edit access to it (field-level security), or take it out of assign.fields.",
				"field %s is read-only for the integration user; everybody is parked", name)...)
		}
	}
	if len(out) == 0 {
		return ok("all %d fields that the configuration writes are there and writable", len(wanted))
	}
	return out
}

func meant(name string, d salesforce.Description) string {
	advice := "Make it, give the integration user access to it (field-level security), or take it out of the configuration."
	var all []string
	for _, f := range d.Fields {
		all = append(all, f.Name)
	}
	if near := nearest(name, all); len(near) > 0 {
		return "Did you mean " + strings.Join(near, ", ") + "? Otherwise: " + advice
	}
	return advice
}

// externalID says whether people can be found by the custom field.
func (x *examination) externalID(ctx context.Context) []verdict {
	assign := x.File.Orgs[x.org].Assign
	if !slices.Contains(assign.Match, "external_id") {
		return skipped("people are not matched by a custom field (assign.match)")
	}
	d, err := x.describeUser(ctx)
	if err != nil {
		return refused("reading what a User has", err)
	}
	name := assign.ExternalIDField
	f, there := d.Field(name)
	switch {
	case !there:
		return fail(meant(name, d), "User has no field %s, or the integration user does not see it", name)
	case !f.ExternalID && !f.IDLookup:
		return fail("Tick External ID on the field in Setup, Object Manager, User.", "field %s is no external id", name)
	case !f.Unique:
		return warn("Tick Unique on the field: two users with one value are an ambiguous match, and their person is parked.", "field %s is not unique", name)
	}
	return ok("field %s is there, unique, and an external id", name)
}
