package push_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// privileged is a configuration that names what may make an administrator.
func privileged(ask bool) func(*setup) {
	return func(s *setup) {
		n := plan.Names{}
		n.Add(plan.KindProfile, emulator.AdminProfile)
		n.Add(plan.KindPermissionSet, "Keys", "Bundle")
		s.cfg.Privileged = plan.Privileged{Names: n, Ask: ask}
		s.cfg.Holds = held()
		s.cfg.Holds.Add(plan.KindPermissionSet, "Keys", "Bundle")
	}
}

// keys makes a permission set that makes administrators, and a group that holds it.
func (r *rig) keys() (set, group string) {
	r.t.Helper()
	add := func(object string, fields map[string]any) string {
		id, err := r.org.Create(object, fields)
		if err != nil {
			r.t.Fatal(err)
		}
		return id
	}
	set = add("PermissionSet", map[string]any{"Name": "Keys", "Label": "Keys", "PermissionsManageUsers": true})
	group = add("PermissionSetGroup", map[string]any{"DeveloperName": "Bundle", "MasterLabel": "Bundle"})
	add("PermissionSetGroupComponent", map[string]any{"PermissionSetGroupId": group, "PermissionSetId": set})
	return set, group
}

// allow says yes to what a person waits for.
func (r *rig) allow(who string) operator.AuditEntry {
	r.t.Helper()
	o := r.admin()
	a, err := o.Allowance(r.t.Context(), orgName, who)
	if err != nil {
		r.t.Fatal(err)
	}
	asked, err := o.Allow(r.t.Context(), "grete", "on call", a)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	got, err := o.Came(ctx, asked)
	if err != nil {
		r.t.Fatal(err)
	}
	r.idle()
	return got
}

// expectParked fails the test unless somebody was parked so, with these words.
func expectParked(t *testing.T, o events.Outcome, cause events.Cause, words ...string) {
	t.Helper()
	expectFailed(t, o, cause)
	for _, w := range words {
		if o.Failure == nil || !strings.Contains(o.Failure.Message, w) {
			t.Errorf("says %+v, want %q in it", o.Failure, w)
		}
	}
}

// TestAnAdministratorIsNotTakenOver: an event whose values fit an unmanaged administrator
// neither adopts nor deactivates them; an admin's yes does, to this user alone.
func TestAnAdministratorIsNotTakenOver(t *testing.T) {
	t.Parallel()
	boss := map[string]any{"Username": "boss.admin@example.com"}
	named := func(d *events.Desired) {
		d.Match.Username, d.Fields["Username"] = "boss.admin@example.com", "boss.admin@example.com"
	}
	byFederation := func(*events.Desired) {}
	for name, c := range map[string]struct {
		fields map[string]any
		by     func(*events.Desired)
		give   func(r *rig, id string)
		left   bool
	}{
		"by profile, username":          {fields: map[string]any{}, by: named},
		"by profile, federation id":     {fields: map[string]any{"FederationIdentifier": "fed0001"}, by: byFederation},
		"by profile, not active":        {fields: map[string]any{"IsActive": false}, by: named},
		"by profile, who is said to go": {fields: map[string]any{"FederationIdentifier": "fed0001"}, by: byFederation, left: true},
		"by permission set": {fields: map[string]any{}, by: named, give: func(r *rig, id string) {
			set, _ := r.keys()
			r.create("PermissionSetAssignment", map[string]any{"AssigneeId": id, "PermissionSetId": set})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			fields := map[string]any{}
			for k, v := range boss {
				fields[k] = v
			}
			if c.give == nil {
				fields["ProfileId"] = r.idOf("Profile", emulator.AdminProfile)
			}
			for k, v := range c.fields {
				fields[k] = v
			}
			id := r.existing(fields)
			if c.give != nil {
				c.give(r, id)
			}
			was := r.user("boss.admin@example.com")
			r.start()
			wish := person(1, c.by)
			if c.left {
				wish = leaver(1)
			}
			o := r.push(wish)
			expectParked(t, o, events.CauseApproval, id, "administrative permissions", "rollcall person allow key0001 --org acme")
			if is := r.user("boss.admin@example.com"); !reflect.DeepEqual(is, was) {
				t.Errorf("the administrator was\n%+v\nand is\n%+v", was, is)
			}
			if l := r.link("key0001"); l.UserID != "" {
				t.Errorf("linked: %+v", l)
			}
			cameOf(t, r.allow("key0001"), events.VerbAllowed, "on call", id)
			if o := r.outcome("key0001"); o.Result != events.ResultApplied {
				t.Errorf("after the yes: %+v", o.Failure)
			}
			if l := r.link("key0001"); l.UserID != id {
				t.Errorf("after the yes, linked: %+v", l)
			}
		})
	}
}

// TestSomebodyElsesFederationIDIsNotTakenOver: neither where the person has another one
// nor where they have none.
func TestSomebodyElsesFederationIDIsNotTakenOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*events.Desired)
		cause  events.Cause
	}{
		"another": {func(*events.Desired) {}, events.CauseAmbiguousMatch},
		"none":    {func(d *events.Desired) { d.Match.FederationID = ""; delete(d.Fields, "FederationIdentifier") }, events.CauseApproval},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.existing(map[string]any{"Username": "person0001@example.com", "FederationIdentifier": "theirs"})
			was := r.user("person0001@example.com")
			r.start()
			expectParked(t, r.push(person(1, c.change)), c.cause, "federation id")
			if is := r.user("person0001@example.com"); !reflect.DeepEqual(is, was) {
				t.Errorf("was\n%+v\nand is\n%+v", was, is)
			}
		})
	}
}

// TestNobodyIsMadeAnAdministratorByAnEvent: not by a name that is not named as privileged,
// and not without a yes by one that is. A worse wish than the one allowed is parked again.
func TestNobodyIsMadeAnAdministratorByAnEvent(t *testing.T) {
	t.Parallel()
	admin := func(d *events.Desired) { d.Profile = emulator.AdminProfile }
	with := func(names ...string) func(*events.Desired) {
		return func(d *events.Desired) { d.Assignments = sets(names...) }
	}
	for name, c := range map[string]struct {
		wish  func(*events.Desired)
		of    func(u emulator.User) bool
		grant string
	}{
		"profile":              {admin, func(u emulator.User) bool { return u.Profile == emulator.AdminProfile }, "profile/" + emulator.AdminProfile},
		"permission set":       {with("Sales_Base", "Keys"), func(u emulator.User) bool { return slices.Contains(u.PermissionSets, "Keys") }, "ps/Keys"},
		"permission set group": {with("Sales_Base", "Bundle"), func(u emulator.User) bool { return slices.Contains(u.PermissionSetGroups, "Bundle") }, "ps/Bundle"},
	} {
		for which, existing := range map[string]bool{"new": false, "known": true} {
			t.Run(name+", "+which, func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				r.keys()
				has := func() bool { u, ok := r.org.UserByUsername("person0001@example.com"); return ok && c.of(u) }
				unnamed := r.start(privileged(true), func(s *setup) { s.cfg.Privileged = plan.Privileged{Ask: true} })
				if existing {
					expect(t, r.push(person(1)), events.ResultApplied, "assigned", "created")
				}
				expectParked(t, r.push(person(1, c.wish)), events.CausePrivileged, "push.privileged", "orgs.acme")
				unnamed.stop()
				named := r.start(privileged(true))
				o := r.repoke("key0001")
				expectParked(t, o, events.CauseApproval, "rollcall person allow key0001")
				if o.Failure.Asks == nil || !slices.Equal(o.Failure.Asks.Grants, []string{c.grant}) {
					t.Errorf("asks for %+v", o.Failure.Asks)
				}
				if has() {
					t.Fatal("an administrator without a yes")
				}
				cameOf(t, r.allow("key0001"), events.VerbAllowed, c.grant)
				if o := r.outcome("key0001"); o.Result != events.ResultApplied || !has() {
					t.Errorf("after the yes: %+v, has it %v", o.Failure, has())
				}
				// What they have is not asked about again, and the yes is used up.
				expect(t, r.push(person(1, c.wish, func(d *events.Desired) { d.Fields["Title"] = "Boss" })), events.ResultApplied, "updated")
				if l := r.link("key0001"); l.Allowed == nil || !l.Allowed.Used {
					t.Errorf("the yes: %+v", l.Allowed)
				}
				o = r.push(person(1))
				if o.Result != events.ResultApplied || has() {
					t.Errorf("taken away: %+v, has it %v", o, has())
				}
				expectParked(t, r.push(person(1, c.wish)), events.CauseApproval)
				named.stop()
			})
		}
	}
}

// TestAYesIsToNoMore: what is desired by the time of the yes is worse than what was shown.
func TestAYesIsToNoMore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.keys()
	w := r.start(privileged(true))
	expectParked(t, r.push(person(1, func(d *events.Desired) { d.Assignments = sets("Keys") })), events.CauseApproval)
	o := r.admin()
	a, err := o.Allowance(t.Context(), orgName, "key0001")
	if err != nil {
		t.Fatal(err)
	}
	expectParked(t, r.push(person(1, func(d *events.Desired) { d.Assignments, d.Profile = sets("Keys"), emulator.AdminProfile })), events.CauseApproval)
	if _, err := o.Allow(t.Context(), "grete", "on call", a); err != nil {
		t.Fatal(err)
	}
	r.until("the yes", func() bool { return r.outcomes["key0001"].Attempt > 1 })
	expectParked(t, r.outcome("key0001"), events.CauseApproval, emulator.AdminProfile)
	if u := r.user("person0001@example.com"); u.Profile == emulator.AdminProfile {
		t.Error("an administrator by a yes to something else")
	}
	w.stop()
	// Without asking, a rule is enough.
	r.start(privileged(false))
	if got := r.repoke("key0001"); got.Result != events.ResultApplied {
		t.Errorf("without asking: %+v", got.Failure)
	}
}

// TestAForgedWishGivesNothing: somebody who can write to the stream, or assignment under
// another configuration, asks for what this configuration gives nobody. It heals once the
// pusher has the configuration.
func TestAForgedWishGivesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wish func(*events.Desired)
		made bool
	}{
		"profile":        {func(d *events.Desired) { d.Profile = emulator.AdminProfile }, false},
		"role":           {func(d *events.Desired) { d.Role = "CEO" }, false},
		"permission set": {func(d *events.Desired) { d.Assignments = sets("Sales_Base", "HR_Data") }, true},
		"group":          {func(d *events.Desired) { d.Assignments = map[string][]string{"groups": {"All_Staff"}} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			old := r.start(func(s *setup) {
				s.cfg.Holds = plan.Names{}
				s.cfg.Holds.Add(plan.KindProfile, emulator.StandardUserProfile)
				s.cfg.Holds.Add(plan.KindPermissionSet, "Sales_Base")
				s.cfg.Privileged.Names = plan.Names{plan.KindProfile: {emulator.AdminProfile: true}}
			})
			expectParked(t, r.push(person(1, c.wish)), events.CauseNotConfigured, "gives nobody")
			u, made := r.org.UserByUsername("person0001@example.com")
			if made != c.made || made && (slices.Contains(u.PermissionSets, "HR_Data") || len(u.Groups) > 0) {
				t.Errorf("made %v: %+v", made, u)
			}
			old.stop()
			r.start(func(s *setup) {
				s.cfg.Holds = held()
				s.cfg.Holds.Add(plan.KindRole, "CEO")
				s.cfg.Privileged.Names = plan.Names{plan.KindProfile: {emulator.AdminProfile: true}}
			})
			if o := r.repoke("key0001"); o.Result != events.ResultApplied {
				t.Errorf("under the new configuration: %+v", o.Failure)
			}
		})
	}
}

// TestWhatCannotBeReadCountsAsPrivileged: an org that hides what profiles permit.
func TestWhatCannotBeReadCountsAsPrivileged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.existing(map[string]any{"Username": "person0002@example.com"})
	for _, object := range []string{"Profile", "PermissionSet"} {
		if err := r.org.SetFieldAccess(object+".PermissionsModifyAllData", emulator.FieldHidden); err != nil {
			t.Fatal(err)
		}
	}
	w := r.start()
	expectParked(t, r.push(person(1)), events.CausePrivileged, "does not say what it permits")
	w.stop()
	r.start(func(s *setup) { s.cfg.Privileged.Names = held() })
	expectParked(t, r.push(person(2)), events.CauseApproval, "may be an administrator")
}

// create puts a record into the org by hand.
func (r *rig) create(object string, fields map[string]any) {
	r.t.Helper()
	if _, err := r.org.Create(object, fields); err != nil {
		r.t.Fatal(err)
	}
}

// TestAYesThatComesTwiceCountsOnce: the request is handed out again after it was used.
func TestAYesThatComesTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.keys()
	wish := person(1, func(d *events.Desired) { d.Assignments = sets("Keys") })
	r.start(privileged(true))
	expectParked(t, r.push(wish), events.CauseApproval)
	entry := r.allow("key0001")
	if o := r.push(person(1)); o.Result != events.ResultApplied {
		t.Fatalf("without them again: %+v", o.Failure)
	}
	request := encode(t, events.OperatorRequest{ID: entry.Request, By: "grete", Asks: &events.Asks{Grants: []string{"ps/Keys"}}, Targets: []events.Target{{Org: orgName, Key: "key0001"}}})
	if _, err := r.nats.As(t, bus.RoleOperator).Commit(t.Context(), events.StreamOperator, []bus.Group{{{Subject: events.OperatorSubject(events.VerbAllow), Data: request}}}); err != nil {
		t.Fatal(err)
	}
	r.untilSettled(events.ConsumerAllow)
	expectParked(t, r.push(wish), events.CauseApproval)
}

// untilSettled waits until a consumer of OPERATOR has nothing left.
func (r *rig) untilSettled(consumer string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := r.bus.Consumer(ctx, events.StreamOperator, consumer)
		if err != nil {
			r.t.Fatal(err)
		}
		if c.Pending == 0 && c.AckPending == 0 {
			return
		}
		<-tick.C
	}
}
