package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// holding is the policy of a configuration that gives all that tests ask for.
func holding() *Policy {
	n := Names{}
	n.Add(KindProfile, "P")
	n.Add(KindRole, "R")
	n.Add(KindPermissionSet, "A", "B", "Suport_Base", "Support_Base")
	n.Add("psl", "A")
	n.Add("group", "G", "A")
	return &Policy{Create: true, Update: true, Deactivate: true, Match: Matcher{Order: []string{MatchUsername}}, Holds: n}
}

// answered is a catalogue that was answered so, by the object of each question.
func answered(n Names, answers map[string][]salesforce.Record, refusals ...*salesforce.Error) *Catalogue {
	c, now := NewCatalogue(nil), time.Unix(1, 0)
	for _, e := range refusals {
		c.Unreadable(e, now)
	}
	qs := c.Queries(n, now)
	lists := make([][]salesforce.Record, len(qs))
	for i, q := range qs {
		_, rest, _ := strings.Cut(q.SOQL, " FROM ")
		object, _, _ := strings.Cut(rest, " ")
		lists[i] = slices.DeleteFunc(slices.Clone(answers[object]), func(r salesforce.Record) bool {
			return r["PermissionSetGroupId"] != nil && !strings.Contains(q.SOQL, "OR PermissionSetGroup.DeveloperName IN")
		})
	}
	c.Learn(n, qs, lists, now)
	return c
}

func noColumn(name string) *salesforce.Error {
	return &salesforce.Error{Class: salesforce.Misconfigured, Kind: salesforce.KindSchema, Message: "No such column '" + name + "' on entity 'PermissionSet'."}
}

// TestWhatMakesAnAdministratorIsBarred: by what Salesforce says that a name permits, and
// where it does not say.
func TestWhatMakesAnAdministratorIsBarred(t *testing.T) {
	t.Parallel()
	n := Names{}
	n.Add(KindProfile, "Admin", "Staff")
	n.Add(KindPermissionSet, "Keys", "Plain", "Bundle", "Empty")
	answers := map[string][]salesforce.Record{
		"Profile":            {{"Id": "00e1", "Name": "Admin", "PermissionsModifyAllData": true}, {"Id": "00e2", "Name": "Staff", "PermissionsModifyAllData": false}},
		"PermissionSetGroup": {{"Id": "0PG1", "DeveloperName": "Bundle"}, {"Id": "0PG2", "DeveloperName": "Empty"}},
		"PermissionSet": {{"Id": "0PS1", "Name": "Keys", "PermissionsManageUsers": true}, {"Id": "0PS2", "Name": "Plain"},
			{"Id": "0PS3", "Name": "Bundle", "PermissionSetGroupId": "0PG1", "PermissionsAuthorApex": true}, {"Id": "0PS4", "Name": "Empty", "PermissionSetGroupId": "0PG2"}},
	}
	admins := []string{"profile/Admin", "ps/Bundle", "ps/Keys"}
	all := []string{"profile/Admin", "profile/Staff", "ps/Bundle", "ps/Empty", "ps/Keys", "ps/Plain"}
	for name, c := range map[string]struct {
		refusals []*salesforce.Error
		want     []string
	}{
		"all can be read":                      {nil, admins},
		"the edition lacks a permission":       {[]*salesforce.Error{noColumn("PermissionsResetPasswords")}, admins},
		"the first permission is hidden":       {[]*salesforce.Error{noColumn("PermissionsModifyAllData")}, all},
		"groups cannot be asked":               {[]*salesforce.Error{noColumn("DeveloperName")}, []string{"profile/Admin", "ps/Bundle", "ps/Empty", "ps/Keys"}},
		"nothing can be asked of what permits": {[]*salesforce.Error{noColumn("DeveloperName"), noColumn("Else")}, all},
	} {
		catalogue := answered(n, answers, c.refusals...)
		var got []string
		for kind, set := range n {
			for one := range set {
				if b, barred := (&Policy{}).barOf(catalogue, kind, one); barred && b.cause == events.CausePrivileged && b.told != "" {
					got = append(got, kind+"/"+one)
				}
			}
		}
		if slices.Sort(got); !slices.Equal(got, c.want) {
			t.Errorf("%s: barred are %v, want %v", name, got, c.want)
		}
		if target, ok := catalogue.find(KindPermissionSet, "Bundle"); !ok || target.ID != "0PG1" {
			t.Errorf("%s: the group stands for %+v", name, target)
		}
	}
	named := &Policy{Privileged: Privileged{Names: Names{KindProfile: {"ADMIN": true}}, Ask: true}}
	catalogue := answered(n, answers)
	if b, barred := named.barOf(catalogue, KindProfile, "Admin"); !barred || b.cause != events.CauseApproval {
		t.Errorf("a name that is asked about: %+v %v", b, barred)
	}
	named.Privileged.Ask = false
	if _, barred := named.barOf(catalogue, KindProfile, "Admin"); barred {
		t.Error("a name that needs no yes is barred")
	}
}

// TestWhatTheConfigurationLacksIsNotGiven: whoever wrote it into the desired state.
func TestWhatTheConfigurationLacksIsNotGiven(t *testing.T) {
	t.Parallel()
	known := knowing(map[string]string{"profile/p": "00e", "profile/q": "00e9", "role/r": "00E", "role/s": "00E9", "ps/a": "0PS", "ps/z": "0PS9"})
	for name, c := range map[string]struct {
		change func(d *events.Desired)
		lacks  bool
		value  string
	}{
		"all is there":     {func(*events.Desired) {}, false, ""},
		"a profile":        {func(d *events.Desired) { d.Profile = "Q" }, true, "profile Q"},
		"a role":           {func(d *events.Desired) { d.Role = "S" }, true, "role S"},
		"a permission set": {func(d *events.Desired) { d.Assignments = map[string][]string{"permissionSets": {"A", "Z"}} }, false, "permission set Z"},
	} {
		p, _ := somebody("005")
		p.names.done = false
		p.Link.Assigned = map[string]string{"ps/B": "0Pa"}
		c.change(&p.Desired)
		p.Naming().Resolved(known, holding())
		if (p.names.lacks != nil) != c.lacks {
			t.Errorf("%s: lacks %+v", name, p.names.lacks)
		}
		if c.value == "" || c.lacks {
			if f := p.names.lacks; c.lacks && (f.Cause != events.CauseNotConfigured || f.Value != c.value) {
				t.Errorf("%s: %+v", name, f)
			}
			continue
		}
		p.reconcile(holding())
		if slices.Contains(p.change.Give, "ps/Z") || slices.Contains(p.change.Take, "ps/B") {
			t.Errorf("%s: gives %v, takes %v", name, p.change.Give, p.change.Take)
		}
		if f := notConfigured(p.names.foreign, ""); f.Value != c.value {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestAYesHoldsForWhatWasAskedAndOnce(t *testing.T) {
	t.Parallel()
	yes := events.Asks{UserID: "005", Grants: []string{"profile/A", "ps/B"}}
	for _, c := range []struct {
		asks events.Asks
		want bool
	}{{yes, true}, {events.Asks{Grants: []string{"ps/B"}}, true}, {events.Asks{UserID: "005"}, true},
		{events.Asks{UserID: "006"}, false}, {events.Asks{Grants: []string{"ps/B", "ps/C"}}, false}} {
		p := New(State{Link: events.Link{Allowed: &events.Allowed{Asks: yes}}})
		if p.allowed(c.asks) != c.want {
			t.Errorf("%+v: want %v", c.asks, c.want)
		}
		p.end(Applied)
		l := p.Release(time.Unix(2, 0))
		if p.Link = l; p.allowed(c.asks) || l.Allowed == nil {
			t.Errorf("%+v is still allowed after it was applied", c.asks)
		}
	}
}
