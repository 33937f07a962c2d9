package check

import (
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/test/chaos/dump"
	"github.com/rollcall-sync/rollcall/test/chaos/plan"
)

// want is what a person should have in an org, as the configuration of the run has
// it (stage/rollcall.yaml), worked out without Rollcall.
type want struct {
	active  bool
	profile string
	// sets and groups are sorted.
	sets, groups []string
	fields       map[string]string
}

// wanted is what a person should have in an org.
func (s said) wanted(p dump.Person, org string) want {
	word := s.people[p.Number]
	if !word.active || word.person == nil {
		return want{}
	}
	department := word.person.Enterprise.Department
	w := want{active: true, profile: emulator.StandardUserProfile, fields: map[string]string{
		"Title": word.person.Title, "Department": department, "LastName": p.Family, "FirstName": p.Given,
	}}
	switch {
	case org == plan.Bravo && department == plan.Support:
		w.sets = []string{"Support_Base"}
	case org == plan.Bravo:
		return want{}
	case department == plan.Support:
		w.profile, w.sets, w.groups = emulator.MinimumAccessProfile, []string{"Support_Base"}, []string{"Support_Team"}
	default:
		w.sets = []string{"Sales_Base"}
	}
	if org == plan.Acme && s.groups["Leads"].numbers[p.Number] {
		w.sets = append(w.sets, "Reports_Export")
	}
	if org == plan.Acme && s.groups["Night Shift"].numbers[p.Number] {
		w.groups = append(w.groups, "Sales_Team")
	}
	slices.Sort(w.sets)
	slices.Sort(w.groups)
	return w
}

// managed are the names that the configuration of an org gives and takes.
func managed(org string) (sets, groups []string) {
	if org == plan.Bravo {
		return []string{"Support_Base"}, nil
	}
	return []string{"Reports_Export", "Sales_Base", "Support_Base"}, []string{"Sales_Team", "Support_Team"}
}

// has are those of the managed names that a user has, sorted.
func has(user, managed []string) []string {
	var out []string
	for _, name := range user {
		if name = strings.ReplaceAll(name, " ", "_"); slices.Contains(managed, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// text is a field of a user.
func text(u *emulator.User, field string) string {
	switch field {
	case "LastName":
		return u.LastName
	case "FirstName":
		return u.FirstName
	}
	s, _ := u.Fields[field].(string)
	return s
}
