package emulator

import (
	"fmt"
	"maps"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// featurePrefix begins the fields of User that are feature licences. [C baton]
const featurePrefix = "UserPermissions"

// features are the feature licences that a user with these values takes:
// those of inactive users are free again. [U]
func (o *Org) features(cells []cell) []*field {
	if cellAt(cells, o.user.active.pos) != true {
		return nil
	}
	var out []*field
	for _, f := range o.user.features {
		if cellAt(cells, f.pos) == true {
			out = append(out, f)
		}
	}
	return out
}

// featuresFree: each feature has its own seats [D]; the code is that of other
// licences, which is an assumption. [U]
func featuresFree(t *tx, d *draft) *wire.APIError {
	var was []cell
	if d.old != nil {
		was = d.old.cells
	}
	for _, f := range t.org.features(d.cells) {
		total, limited := t.org.cfg.FeatureLicenses[f.name]
		held := cellAt(was, f.pos) == true && cellAt(was, t.org.user.active.pos) == true
		if limited && !held && t.org.featureSeats[f] >= total {
			return wire.ErrLicence()
		}
	}
	return nil
}

// moveFeatures keeps count when a user changes.
func (o *Org) moveFeatures(from, to []cell) {
	for _, f := range o.features(from) {
		o.featureSeats[f]--
	}
	for _, f := range o.features(to) {
		o.featureSeats[f]++
	}
}

// feature finds a feature licence by its field.
func (o *Org) feature(name string) *field {
	f := o.object("User").field(name)
	if f == nil || !strings.HasPrefix(f.name, featurePrefix) {
		return nil
	}
	return f
}

// setFeature changes the seats of a feature licence.
func (o *Org) setFeature(f *field, seats int) {
	o.cfg.FeatureLicenses = maps.Clone(o.cfg.FeatureLicenses)
	if o.cfg.FeatureLicenses == nil {
		o.cfg.FeatureLicenses = map[string]int{}
	}
	o.cfg.FeatureLicenses[f.name] = seats
}

// seedFeatures refuses names that no field of User has.
func (o *Org) seedFeatures() error {
	for name := range o.cfg.FeatureLicenses {
		if f := o.feature(name); f == nil || f.name != name {
			return fmt.Errorf("no feature licence %q", name)
		}
	}
	return nil
}
