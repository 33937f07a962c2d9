package doctor

import (
	"context"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

const (
	// fewSeats or fewShare left is few.
	fewSeats = 5
	fewShare = 0.05
)

const (
	// permissionSetLicense is the object of permission set licences, setLicenseIDs
	// begins their ids.
	permissionSetLicense = "PermissionSetLicense"
	setLicenseIDs        = "0PL" // [U]
)

// seats reads the licences of the profiles that the configuration names, and of
// its permission sets.
func (x *examination) seats(ctx context.Context) []verdict {
	out := x.userSeats(ctx)
	return append(out, x.setSeats(ctx)...)
}

// setSeats are the seats of what is given, and of the licences that named
// permission sets need. Where they are not shown, nothing is said: most permission
// sets need none.
func (x *examination) setSeats(ctx context.Context) []verdict {
	var out []verdict
	for _, k := range events.AssignmentKinds() {
		names := assigned(x.File.Orgs[x.org].Assign, k.Key)
		switch {
		case len(names) == 0:
		case k.Seats != nil:
			out = append(out, x.seatsOfKind(ctx, k, k.Targets[0].Name, names)...)
		case k.Key == events.KeyPermissionSets:
			out = append(out, x.licencesOfSets(ctx, names)...)
		}
	}
	return out
}

// licencesOfSets are the seats of the licences that permission sets belong to.
func (x *examination) licencesOfSets(ctx context.Context, sets []string) []verdict {
	rows, err := x.client.Query(ctx, "SELECT LicenseId FROM PermissionSet WHERE IsOwnedByProfile = false AND "+salesforce.In("Name", sets))
	if err != nil {
		return nil
	}
	var ids []string
	for _, r := range rows {
		if id := r.String("LicenseId"); strings.HasPrefix(id, setLicenseIDs) {
			ids = append(ids, id)
		}
	}
	if ids = distinct(ids); len(ids) == 0 {
		return nil
	}
	var out []verdict
	for _, k := range events.AssignmentKinds() {
		if k.Seats != nil && k.Targets[0].Object == permissionSetLicense {
			out = append(out, x.seatsOfKind(ctx, k, "Id", ids)...)
		}
	}
	return out
}

// seatsOfKind are the seats of what a kind gives, found by one of its fields.
func (x *examination) seatsOfKind(ctx context.Context, k events.AssignmentKind, field string, values []string) []verdict {
	s, object := k.Seats, k.Targets[0].Object
	rows, err := x.client.Query(ctx, "SELECT "+s.Label+", "+s.Total+", "+s.Used+" FROM "+object+" WHERE "+salesforce.In(field, values))
	if err != nil {
		return nil
	}
	var out []verdict
	for _, r := range rows {
		out = append(out, seatsOf(r.String(s.Label), r.Int(s.Used), r.Int(s.Total))...)
	}
	return out
}

func (x *examination) userSeats(ctx context.Context) []verdict {
	profiles := profilesOf(x.File.Orgs[x.org].Assign)
	if len(profiles) == 0 {
		return skipped("the configuration names no profile")
	}
	rows, err := x.client.Query(ctx, "SELECT UserLicense.Name, UserLicense.TotalLicenses, UserLicense.UsedLicenses FROM Profile WHERE "+
		salesforce.In("Name", profiles))
	if err != nil {
		if unseen(err) {
			return skipped("the integration user may not read licences")
		}
		return refused("reading licences", err)
	}
	var out []verdict
	seen := map[string]bool{}
	for _, r := range rows {
		name := r.String("UserLicense.Name")
		if name == "" || seen[name] {
			continue
		}
		seen[name] = true
		out = append(out, seatsOf(name, r.Int("UserLicense.UsedLicenses"), r.Int("UserLicense.TotalLicenses"))...)
	}
	if len(out) == 0 {
		return skipped("none of the named profiles is there, or none shows its licence")
	}
	return out
}

func seatsOf(licence string, used, total int64) []verdict {
	left := total - used
	switch {
	case total < 0: // [U] some licences have no end
		return ok("licence %s: %d seats used, without limit", licence, used)
	case left <= 0:
		return warn("Buy seats, or deactivate users who need none. Whoever is parked under cause licence is tried again with `rollcall tasks retry --cause licence --all`.",
			"licence %s: all %d seats are used; new people are parked", licence, total)
	case left < fewSeats || float64(left) < fewShare*float64(total):
		return warn("Buy seats before they are needed.", "licence %s: %d of %d seats used, %d left", licence, used, total, left)
	}
	return ok("licence %s: %d of %d seats used", licence, used, total)
}
