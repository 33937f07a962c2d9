package emulator

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// State is an org's users with everything that hangs on them, in an order that
// does not depend on who came first: two runs that end alike have equal states.
type State struct {
	Org      string               `json:"org"`
	Users    []User               `json:"users"`
	Licenses map[string]SeatCount `json:"licenses"`
}

// SeatCount is used and total of a licence.
type SeatCount struct {
	Used  int `json:"used"`
	Total int `json:"total"`
}

// State of the org now. With stable set, ids are left out, so that states of
// different runs compare.
func (o *Org) State(stable bool) State {
	st := State{Org: o.org.ID, Users: o.Users(), Licenses: map[string]SeatCount{}}
	slices.SortFunc(st.Users, func(a, b User) int {
		return cmp.Compare(strings.ToLower(a.Username), strings.ToLower(b.Username))
	})
	defer o.rlock()()
	for _, object := range [...]string{"UserLicense", "PermissionSetLicense"} {
		t := o.org.Table(object)
		for _, r := range t.Rows {
			name := wire.PlainValue(r.At(t.Object.Field("MasterLabel").Pos))
			total, _ := r.At(t.Object.Field("TotalLicenses").Pos).(int64)
			st.Licenses[name] = SeatCount{o.org.SeatsOf(r.ID), int(total)}
		}
	}
	if stable {
		blurIDs(o.org, st.Users)
	}
	return st
}

// blurIDs replaces ids by what they stand for.
func blurIDs(o *org.Org, users []User) {
	for i := range users {
		users[i].ID = ""
		if id, ok := users[i].Fields["ManagerId"].(string); ok {
			users[i].Fields["ManagerId"] = o.NameOf("User", id, "Username")
		}
	}
}

// Summary is what /_emulator/summary answers.
type Summary struct {
	Counters
	UsersActive   int `json:"usersActive"`
	UsersInactive int `json:"usersInactive"`
	UsersFrozen   int `json:"usersFrozen"`
}

// Summary counts the org's calls and users.
func (o *Org) Summary() Summary {
	s := Summary{Counters: o.Counters()}
	defer o.rlock()()
	s.count(o.org)
	return s
}

// count adds the users of an org. The state lock is held.
func (s *Summary) count(o *org.Org) {
	for _, r := range o.Table("User").Rows {
		if o.Active(r) {
			s.UsersActive++
		} else {
			s.UsersInactive++
		}
	}
	logins := o.Table("UserLogin")
	frozen := logins.Object.Field("IsFrozen").Pos
	for _, r := range logins.Rows {
		if r.At(frozen) == true {
			s.UsersFrozen++
		}
	}
}

// Summary counts calls and users of all orgs.
func (s *Server) Summary() Summary {
	sum := Summary{Counters: s.Counters()}
	all := s.set.All()
	s.set.State.RLock()
	defer s.set.State.RUnlock()
	for _, o := range all {
		sum.count(o)
	}
	return sum
}
