package org

import (
	"fmt"
	"maps"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// featurePrefix begins the fields of User that are feature licences. [C baton]
const featurePrefix = "UserPermissions"

// seats counts who takes the places of which licence: user licences and
// permission set licences by id, feature licences by their field of User.
type seats struct {
	data     *store.Data
	user     *userFields
	used     map[string]int // by 15 character licence id
	features map[*store.Field]int
	// limits are the seats of feature licences; those not listed have no end.
	limits map[string]int
}

func newSeats(d *store.Data, user *userFields, limits map[string]int) *seats {
	return &seats{data: d, user: user, used: map[string]int{}, features: map[*store.Field]int{}, limits: limits}
}

// taken is how many seats of a licence are used.
func (s *seats) taken(licenceID string) int { return s.used[store.ShortID(licenceID)] }

func (s *seats) licence(id string) (*store.Table, *store.Record) {
	for _, name := range [...]string{"UserLicense", "PermissionSetLicense"} {
		if r := s.data.Table(name).Live(id); r != nil {
			return s.data.Table(name), r
		}
	}
	return nil, nil
}

// free says whether a licence has a seat left; what is no licence has no end.
func (s *seats) free(licenceID string) bool {
	t, r := s.licence(licenceID)
	if r == nil {
		return true
	}
	total, _ := r.At(t.Object.Field("TotalLicenses").Pos).(int64)
	return int64(s.taken(licenceID)) < total
}

// move takes a seat of one licence and frees one of the other; either may be
// empty.
func (s *seats) move(from, to string) {
	if from != "" {
		s.used[store.ShortID(from)]--
	}
	if to != "" {
		s.used[store.ShortID(to)]++
	}
}

// featuresOf are the feature licences that a user with these values takes:
// those of inactive users are free again. [U]
func (s *seats) featuresOf(cells []store.Cell) []*store.Field {
	if store.CellAt(cells, s.user.active.Pos) != true {
		return nil
	}
	var out []*store.Field
	for _, f := range s.user.features {
		if store.CellAt(cells, f.Pos) == true {
			out = append(out, f)
		}
	}
	return out
}

// featureFree: each feature has its own seats [D]; was are the user's values
// before.
func (s *seats) featureFree(f *store.Field, was []store.Cell) bool {
	total, limited := s.limits[f.Name]
	held := store.CellAt(was, f.Pos) == true && store.CellAt(was, s.user.active.Pos) == true
	return !limited || held || s.features[f] < total
}

// moveFeatures keeps count when a user changes.
func (s *seats) moveFeatures(from, to []store.Cell) {
	for _, f := range s.featuresOf(from) {
		s.features[f]--
	}
	for _, f := range s.featuresOf(to) {
		s.features[f]++
	}
}

// feature finds a feature licence by its field.
func (s *seats) feature(name string) *store.Field {
	f := s.data.Object("User").Field(name)
	if f == nil || !strings.HasPrefix(f.Name, featurePrefix) {
		return nil
	}
	return f
}

// limit changes the seats of a feature licence.
func (s *seats) limit(f *store.Field, total int) {
	s.limits = maps.Clone(s.limits)
	if s.limits == nil {
		s.limits = map[string]int{}
	}
	s.limits[f.Name] = total
}

// known refuses limits of what no field of User names.
func (s *seats) known() error {
	for name := range s.limits {
		if f := s.feature(name); f == nil || f.Name != name {
			return fmt.Errorf("no feature licence %q", name)
		}
	}
	return nil
}
