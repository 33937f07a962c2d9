package emulator

import (
	"cmp"
	"slices"
	"strings"

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
	st := State{Org: o.id, Users: o.Users(), Licenses: map[string]SeatCount{}}
	slices.SortFunc(st.Users, func(a, b User) int {
		return cmp.Compare(strings.ToLower(a.Username), strings.ToLower(b.Username))
	})
	o.server.mu.RLock()
	defer o.server.mu.RUnlock()
	for _, object := range [...]string{"UserLicense", "PermissionSetLicense"} {
		t := o.Table(object)
		for _, r := range t.Rows {
			name := wire.PlainValue(r.At(t.Object.Field("MasterLabel").Pos))
			total, _ := r.At(t.Object.Field("TotalLicenses").Pos).(int64)
			st.Licenses[name] = SeatCount{o.seats.taken(r.ID), int(total)}
		}
	}
	if stable {
		o.blurIDs(st.Users)
	}
	return st
}

// blurIDs replaces ids by what they stand for.
func (o *Org) blurIDs(users []User) {
	for i := range users {
		users[i].ID = ""
		if id, ok := users[i].Fields["ManagerId"].(string); ok {
			users[i].Fields["ManagerId"] = o.nameOf("User", id, "Username")
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
	o.server.mu.RLock()
	defer o.server.mu.RUnlock()
	o.countUsers(&s)
	return s
}

func (o *Org) countUsers(s *Summary) {
	for _, r := range o.Table("User").Rows {
		if r.At(o.user.active.Pos) == true {
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
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, o := range s.order {
		o.countUsers(&sum)
	}
	return sum
}
