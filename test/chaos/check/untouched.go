package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// untouched: unmanaged fields, unmatched users and protected users are never
// touched.
func untouched(v *view) []Violation {
	var broken []Violation
	for name, org := range v.d.Orgs {
		for _, before := range org.Before {
			i := slices.IndexFunc(org.Users, func(u emulator.User) bool { return u.ID == before.ID })
			if i < 0 || !alike(before, org.Users[i]) {
				broken = append(broken, Violation{What: fmt.Sprintf("user %s of %s is not Rollcall's, and is not as before", before.ID, name)})
			}
			for _, e := range org.Journal {
				if e.Mutating && (slices.Contains(e.Touched, before.ID) || slices.Contains(e.Touched, before.Username)) {
					broken = append(broken, Violation{What: fmt.Sprintf("call %d touched user %s of %s, who is not Rollcall's", e.Seq, before.ID, name)})
				}
			}
		}
		for _, u := range org.Users {
			if phone, set := org.Phones[strings.ToLower(u.Username)]; set && u.Fields["Phone"] != phone {
				broken = append(broken, Violation{What: fmt.Sprintf("the phone of user %s of %s was set by hand to %s, and is %v", u.ID, name, phone, u.Fields["Phone"])})
			}
		}
	}
	return broken
}

// alike compares users as they travel: numbers and times of a dump that was read are
// texts of one that was not.
func alike(a, b emulator.User) bool {
	one, err := json.Marshal(a)
	other, oerr := json.Marshal(b)
	return err == nil && oerr == nil && string(one) == string(other)
}
