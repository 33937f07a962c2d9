package push_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// existing puts a user into the org that Rollcall has not made.
func (r *rig) existing(fields map[string]any) string {
	r.t.Helper()
	profile, err := r.org.Query("SELECT Id FROM Profile WHERE Name = '" + emulator.MinimumAccessProfile + "'")
	if err != nil || len(profile) != 1 {
		r.t.Fatalf("profile: %v %v", profile, err)
	}
	all := map[string]any{"LastName": "Before", "Alias": "before", "Email": "before@example.com", "IsActive": true,
		"ProfileId": profile[0]["Id"], "TimeZoneSidKey": "Europe/Paris", "LocaleSidKey": "en_US",
		"EmailEncodingKey": "UTF-8", "LanguageLocaleKey": "en_US"}
	for k, v := range fields {
		all[k] = v
	}
	id, err := r.org.Create("User", all)
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

func (r *rig) idOf(object, name string) string {
	r.t.Helper()
	field := "Name"
	if object == "Group" {
		field = "DeveloperName"
	}
	got, err := r.org.Query("SELECT Id FROM " + object + " WHERE " + field + " = '" + name + "'")
	if err != nil || len(got) != 1 {
		r.t.Fatalf("%s %s: %v %v", object, name, got, err)
	}
	return got[0]["Id"].(string)
}

func TestExistingUserIsAdopted(t *testing.T) {
	t.Parallel()
	for name, found := range map[string]map[string]any{
		"by username":                {"Username": "Person0001@example.com"},
		"by federation id":           {"Username": "old@example.com", "FederationIdentifier": "fed0001"},
		"inactive, by both":          {"Username": "person0001@example.com", "FederationIdentifier": "fed0001", "IsActive": false},
		"already as wanted but role": {"Username": "person0001@example.com", "LastName": "Person0001"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.existing(found)
			// What they had before stays theirs, desired or not.
			for _, set := range []string{"Sales_Base", "API_Enabled"} {
				if _, err := r.org.Create("PermissionSetAssignment", map[string]any{"AssigneeId": id, "PermissionSetId": r.idOf("PermissionSet", set)}); err != nil {
					t.Fatal(err)
				}
			}
			r.start()
			o := r.push(person(1))
			actions := []string{"adopted", "updated"}
			if found["IsActive"] == false {
				actions = append(actions, "reactivated")
			}
			expect(t, o, events.ResultApplied, actions...)
			u := r.user("person0001@example.com")
			if u.ID != id || u.Fields["Title"] != "Clerk" || u.FederationIdentifier != "fed0001" || !u.IsActive {
				t.Errorf("user: %+v", u)
			}
			expect(t, r.push(person(1, func(d *events.Desired) { d.Assignments = nil })), events.ResultApplied)
			if u = r.user("person0001@example.com"); len(u.PermissionSets) != 2 {
				t.Errorf("permission sets that Rollcall never gave: %v, want both kept", u.PermissionSets)
			}
		})
	}
}

func TestUserThatIsRightAlreadyIsAdoptedWithoutAnUpdate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := person(1, func(d *events.Desired) { d.Profile, d.Assignments = emulator.MinimumAccessProfile, nil })
	r.existing(d.Fields)
	r.start()
	expect(t, r.push(d), events.ResultApplied, "adopted")
	if n := r.org.Counters().ByOperation["collections.update"]; n != 0 {
		t.Errorf("%d updates sent", n)
	}
}

// TestAFieldThatIsNotThereStopsNobodyElse: everybody's users are read in one
// query, and somebody's mapping names a field that the org does not have.
func TestAFieldThatIsNotThereStopsNobodyElse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 2 {
		r.existing(map[string]any{"Username": person(i).Match.Username})
	}
	r.start()
	bad := person(1, func(d *events.Desired) { d.Fields["No_Such__c"] = "x" })
	r.awaitOutcomes(r.want(person(0), bad))
	expect(t, r.outcome("key0000"), events.ResultApplied, "adopted", "updated", "assigned")
	expectFailed(t, r.outcome(bad.Key), events.CauseMisconfigured)
}

func TestUnclearMatchTouchesNobody(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		users []map[string]any
		cause events.Cause
		match []string
	}{
		"federation id and username lead to two users": {
			[]map[string]any{{"Username": "person0001@example.com"}, {"Username": "old@example.com", "FederationIdentifier": "fed0001"}},
			events.CauseAmbiguousMatch, nil,
		},
		"username of somebody with another federation id": {
			[]map[string]any{{"Username": "person0001@example.com", "FederationIdentifier": "other"}}, events.CauseAmbiguousMatch, nil,
		},
		"nothing but the e-mail address": {
			[]map[string]any{{"Username": "old@example.com", "Email": "person0001@example.com"}},
			events.CauseAmbiguousMatch, []string{"federation_id", "username", "email"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			for _, u := range c.users {
				r.existing(u)
			}
			r.start(func(s *setup) {
				if c.match != nil {
					s.cfg.Match = c.match
				}
			})
			d := person(1)
			d.Match.Email = "person0001@example.com"
			expectFailed(t, r.push(hashed(d)), c.cause)
			if n := len(r.org.Users()); n != 1+len(c.users) {
				t.Errorf("%d users, want nobody created", n)
			}
			for _, u := range r.org.Users() {
				if u.LastName == "Person0001" {
					t.Errorf("touched %+v", u)
				}
			}
		})
	}
}

// sought is a leaver who never had a user by Rollcall.
func sought(i int) events.Desired {
	d := leaver(i)
	d.Sought, d.Lane = true, events.LaneBackfill
	d.Match.Email = d.Match.Username
	return hashed(d)
}

// TestALeaverWhoWasNeverActiveIsLookedUp: a user that is clearly theirs is
// deactivated, what is not clear is parked with what fits and what to do, and
// what is inactive already is nobody's trouble.
func TestALeaverWhoWasNeverActiveIsLookedUp(t *testing.T) {
	t.Parallel()
	byName := map[string]any{"Username": "person0001@example.com"}
	byFed := map[string]any{"Username": "old@example.com", "FederationIdentifier": "fed0001"}
	other := map[string]any{"Username": "person0001@example.com", "FederationIdentifier": "other"}
	mail := map[string]any{"Username": "old@example.com", "Email": "person0001@example.com"}
	inactive := func(u map[string]any) map[string]any {
		out := maps.Clone(u)
		out["IsActive"] = false
		return out
	}
	for name, c := range map[string]struct {
		users   []map[string]any
		actions []string
		says    []string // of a parked one
	}{
		"nobody fits":                     {nil, nil, nil},
		"username alone":                  {[]map[string]any{byName}, nil, []string{"by its username alone", "has left", "deactivate", "discard"}},
		"federation id":                   {[]map[string]any{byFed}, []string{"adopted", "deactivated"}, nil},
		"inactive already":                {[]map[string]any{inactive(byName)}, nil, nil},
		"two users, both inactive":        {[]map[string]any{inactive(byName), inactive(byFed)}, nil, nil},
		"another's, inactive":             {[]map[string]any{inactive(other)}, nil, nil},
		"two users":                       {[]map[string]any{byName, byFed}, nil, []string{"by its federation id", "by its username", "has left", "deactivate", "discard"}},
		"two users, one of them inactive": {[]map[string]any{byName, inactive(byFed)}, nil, []string{"Several"}},
		"username, another federation id": {[]map[string]any{other}, nil, []string{"this person's username", "another federation id", "has left", "deactivate", "discard"}},
		"e-mail address only":             {[]map[string]any{mail}, nil, []string{"e-mail address", "has left", "deactivate", "discard"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			ids := map[string]bool{}
			for _, u := range c.users {
				ids[r.existing(u)] = u["IsActive"] == nil
			}
			r.start(func(s *setup) { s.cfg.Match = []string{"federation_id", "username", "email"} })
			o := r.push(sought(1))
			if len(c.says) == 0 {
				expect(t, o, events.ResultApplied, c.actions...)
			} else {
				expectFailed(t, o, events.CauseAmbiguousMatch)
				for _, want := range c.says {
					if !strings.Contains(o.Failure.Message, want) {
						t.Errorf("says %q, want %q in it", o.Failure.Message, want)
					}
				}
			}
			for _, u := range r.org.Users() {
				was, ours := ids[u.ID]
				if want := was && len(c.actions) == 0; ours && u.IsActive != want {
					t.Errorf("user %+v, want active %v", u, want)
				}
			}
			if strings.Contains(fmt.Sprint(o.Failure), "@example.com") {
				t.Errorf("quotes personal data: %+v", o.Failure)
			}
		})
	}
}

// The number of a row that says left may be spelt in another way than the one
// somebody was hired under; or somebody was hired again under another number.
func TestALeaverWhoseUserIsAnothersIsParked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	here := person(1)
	expect(t, r.push(here), events.ResultApplied, "created", "assigned")
	d := sought(2)
	d.Match = here.Match
	o := r.push(hashed(d))
	expectFailed(t, o, events.CauseDuplicate)
	for _, want := range []string{"belongs to another person", "has left", "discard"} {
		if !strings.Contains(o.Failure.Message, want) {
			t.Errorf("says %q, want %q in it", o.Failure.Message, want)
		}
	}
	if u := r.user("person0001@example.com"); !u.IsActive {
		t.Error("another person's user was deactivated")
	}
}

// Whoever has left, and is looked for by nothing, needs no call.
func TestWhoeverIsSoughtNoLongerIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.existing(map[string]any{"Username": "person0001@example.com", "FederationIdentifier": "other"})
	w := r.start()
	expectFailed(t, r.push(sought(1)), events.CauseAmbiguousMatch)
	before := w.APICalls()
	back := sought(1)
	back.Match = events.Match{}
	expect(t, r.push(hashed(back)), events.ResultApplied)
	if n := w.APICalls() - before; n != 0 {
		t.Errorf("%d API calls", n)
	}
}

// TestTenThousandHistoricLeavers come with a first load; of some a hundred have an
// active user still.
func TestTenThousandHistoricLeavers(t *testing.T) {
	t.Parallel()
	const all, batch = 10_000, 200
	for name, c := range map[string]struct{ active, most int }{
		"nobody has a user":                     {0, all / batch},
		"a hundred have a user, in every batch": {100, 2 * all / batch},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			for i := range c.active {
				n := 1 + i*all/c.active
				r.existing(map[string]any{"Username": fmt.Sprintf("person%04d@example.com", n), "FederationIdentifier": fmt.Sprintf("fed%04d", n), "Alias": fmt.Sprintf("a%d", i)})
			}
			people := make([]events.Desired, all)
			for i := range people {
				people[i] = sought(i + 1)
			}
			revisions := r.want(people...)
			r.start(lingering)
			r.awaitOutcomes(revisions)
			r.idle()
			r.nobodyFailed()
			n := r.org.Counters()
			t.Logf("%d API calls: %v", n.APICalls, n.ByOperation)
			if n.APICalls > int64(c.most+2) { // a batch or two may be cut short
				t.Errorf("%d API calls, want at most %d: %v", n.APICalls, c.most+2, n.ByOperation)
			}
			left := 0
			for _, u := range r.org.Users() {
				if u.IsActive {
					left++
				}
			}
			if left != 1 { // the integration user
				t.Errorf("%d active users are left", left)
			}
			r.poke(keysOf(people)...)
			r.idle()
			if again := r.org.Counters().APICalls - n.APICalls; again != 0 {
				t.Errorf("publishing the same work again took %d calls", again)
			}
		})
	}
}

func TestUsernameTakenInAnotherOrgIsDuplicate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.emu.TakeUsernames("person0001@example.com")
	r.start()
	o := r.push(person(1))
	expectFailed(t, o, events.CauseDuplicate)
	if o.Failure.Code != "DUPLICATE_USERNAME" || !strings.Contains(o.Failure.Message, "Usernames must be unique") || o.Attempt != 1 || o.Failures != 1 {
		t.Errorf("outcome %+v %+v, want Salesforce's own words and one attempt", o, o.Failure)
	}
	if o = r.repoke("key0001"); o.Attempt != 2 || o.Failures != 2 || o.FirstFailedAt.IsZero() {
		t.Errorf("after the second attempt: %+v", o)
	}
	r.emu.ReleaseUsernames("person0001@example.com")
	if o = r.repoke("key0001"); o.Attempt != 0 || o.Failures != 2 {
		t.Errorf("after success: %+v, want no attempts and the failures remembered", o)
	}
	expect(t, o, events.ResultApplied, "created", "assigned")
}

func TestOneUserHasOneOwner(t *testing.T) {
	t.Parallel()
	for _, together := range []bool{true, false} {
		r := newRig(t)
		r.start()
		a, b := person(1), person(2, func(d *events.Desired) {
			d.Match = person(1).Match
			d.Fields["Username"], d.Fields["FederationIdentifier"] = "person0001@example.com", "fed0001"
		})
		var oa, ob events.Outcome
		if together {
			r.awaitOutcomes(r.want(a, b))
			oa, ob = r.outcome(a.Key), r.outcome(b.Key)
		} else {
			oa, ob = r.push(a), r.push(b)
		}
		expect(t, oa, events.ResultApplied, "created", "assigned")
		expectFailed(t, r.patient(ob), events.CauseDuplicate)
		if u := r.user("person0001@example.com"); u.LastName != "Person0001" {
			t.Errorf("together %v: the second person wrote to the first one's user: %+v", together, u)
		}
		if l := r.link(b.Key); l.UserID != "" {
			t.Errorf("together %v: the second person is linked to %s", together, l.UserID)
		}
	}
}

func TestTwoPeopleWhoFitOneExistingUser(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.existing(map[string]any{"Username": "person0001@example.com"})
	r.start()
	a, b := person(1), person(2, func(d *events.Desired) {
		d.Match = events.Match{Username: "person0001@example.com"}
		d.Fields["Username"] = "person0001@example.com"
	})
	r.awaitOutcomes(r.want(a, b))
	applied := 0
	for _, k := range []events.Key{a.Key, b.Key} {
		if o := r.outcome(k); o.Result == events.ResultApplied {
			applied++
		} else {
			expectFailed(t, r.patient(o), events.CauseDuplicate)
		}
	}
	if u := r.user("person0001@example.com"); applied != 1 || u.ID != id {
		t.Errorf("%d people have user %+v, want one", applied, u)
	}
}

func TestProtectedUserIsNeverTouched(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.existing(map[string]any{"Username": "boss@example.com", "FederationIdentifier": "fed0001"})
	r.start(func(s *setup) { s.cfg.Protected = map[string]bool{"boss@example.com": true} })
	expectFailed(t, r.push(person(1)), events.CauseProtected)
	expectFailed(t, r.push(leaver(1)), events.CauseProtected)
	if u := r.user("boss@example.com"); !u.IsActive || u.LastName != "Before" {
		t.Errorf("touched: %+v", u)
	}
	if n := r.org.Counters().ByOperation["collections.update"]; n != 0 {
		t.Errorf("%d updates sent", n)
	}
}

func TestWhatConfigForbidsIsNotDone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.existing(map[string]any{"Username": "person0002@example.com"})
	r.start(func(s *setup) { s.cfg.Create, s.cfg.Update, s.cfg.Deactivate = false, false, false })
	expectFailed(t, r.push(person(1)), events.CauseCreateDisabled)
	expectFailed(t, r.push(person(2)), events.CauseUpdateDisabled)
	expectFailed(t, r.push(leaver(2)), events.CauseDeactivateDisabled)
	expect(t, r.push(leaver(3)), events.ResultApplied) // has no user
	if n := r.org.Counters().MutatingCalls; n != 0 {
		t.Errorf("%d mutating calls", n)
	}
}
