package push_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// TestTheIntegrationUserIsNeverTouched: whoever fits it, by whatever value, or has it by
// a link that says so, is parked, and it stays as it is: every kind of write.
func TestTheIntegrationUserIsNeverTouched(t *testing.T) {
	t.Parallel()
	named := func(d *events.Desired) {
		d.Match.Username, d.Fields["Username"] = emulator.IntegrationUsername, emulator.IntegrationUsername
	}
	linked := func(change func(l *events.Link)) func(r *rig, d events.Desired) {
		return func(r *rig, d events.Desired) {
			l := events.Link{Org: orgName, Key: d.Key, UserID: r.self(), Active: true}
			if change != nil {
				change(&l)
			}
			r.other(events.LinkSubject(orgName, d.Key), encode(r.t, l))
		}
	}
	for name, c := range map[string]struct {
		wish  events.Desired
		given func(r *rig, d events.Desired)
		cfg   func(s *setup)
	}{
		"adopt by username": {wish: person(1, named)},
		"adopt by username in other letters": {wish: person(1, named, func(d *events.Desired) {
			d.Match.Username = strings.ToUpper(emulator.IntegrationUsername)
		})},
		"adopt by federation id": {wish: person(1), given: func(r *rig, d events.Desired) {
			if err := r.org.UpdateUser(emulator.IntegrationUsername, map[string]any{"FederationIdentifier": d.Match.FederationID}); err != nil {
				r.t.Fatal(err)
			}
		}},
		"adopt by e-mail address": {wish: person(1, func(d *events.Desired) {
			d.Match.Email, d.Fields["Email"] = emulator.IntegrationUsername, emulator.IntegrationUsername
		}), cfg: func(s *setup) { s.cfg.Match, s.cfg.AdoptByEmail = []string{"email"}, true }},
		"deactivate as found": {wish: hashed(events.Desired{V: 1, Org: orgName, Key: "key0001", Lane: events.LaneLeaver,
			Match: events.Match{Username: emulator.IntegrationUsername}})},
		"update as linked":       {wish: person(1), given: linked(nil)},
		"deactivate as linked":   {wish: leaver(1), given: linked(nil)},
		"freeze as linked":       {wish: leaver(1), given: linked(nil), cfg: func(s *setup) { s.cfg.FreezeFirst = true }},
		"unfreeze as linked":     {wish: person(1), given: linked(func(l *events.Link) { l.Frozen = true })},
		"take as linked":         {wish: person(1), given: linked(func(l *events.Link) { l.Assigned = map[string]string{"ps/HR_Data": "there"} })},
		"rename as linked":       {wish: person(1, func(d *events.Desired) { d.Fields["Username"] = "renamed@example.com" }), given: linked(nil)},
		"look as unsure":         {wish: person(1), given: linked(func(l *events.Link) { l.Unsure = true })},
		"linked by the short id": {wish: person(1), given: linked(func(l *events.Link) { l.UserID = l.UserID[:15] })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			if c.given != nil {
				c.given(r, c.wish)
			}
			was := r.user(emulator.IntegrationUsername)
			var with []func(*setup)
			if c.cfg != nil {
				with = append(with, c.cfg)
			}
			r.start(with...)
			o := r.push(c.wish)
			expectFailed(t, o, events.CauseProtected)
			if o.Failure != nil && !strings.Contains(o.Failure.Message, "is the integration user") {
				t.Errorf("says %q", o.Failure.Message)
			}
			if is := r.user(emulator.IntegrationUsername); !reflect.DeepEqual(is, was) {
				t.Errorf("the integration user was\n%+v\nand is\n%+v", was, is)
			}
			if n := r.org.Counters().ByOperation; n["collections.update"]+n["collections.delete"] != 0 {
				t.Errorf("calls: %v", n)
			}
		})
	}
}

// TestAnotherIntegrationUserIsNoticed: an admin connects the org anew, as somebody else.
func TestAnotherIntegrationUserIsNoticed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.existing(map[string]any{"Username": "person0001@example.com", "ProfileId": r.idOf("Profile", emulator.AdminProfile)})
	r.start()
	expectFailed(t, r.push(person(1, func(d *events.Desired) {
		d.Match.Username, d.Fields["Username"] = emulator.IntegrationUsername, emulator.IntegrationUsername
	})), events.CauseProtected)
	r.tokenOf("person0001@example.com", id, 2)
	o := r.push(person(1))
	expectFailed(t, o, events.CauseProtected)
	if !strings.Contains(o.Failure.Message, id+" is the integration user") {
		t.Errorf("says %q", o.Failure.Message)
	}
}

// TestWhoIsAskedWhereTheTokenDoesNotSay: not every grant names its user.
func TestWhoIsAskedWhereTheTokenDoesNotSay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tokenOf(emulator.IntegrationUsername, "", 2)
	r.start()
	expectFailed(t, r.push(person(1, func(d *events.Desired) {
		d.Match.Username, d.Fields["Username"] = emulator.IntegrationUsername, emulator.IntegrationUsername
	})), events.CauseProtected)
	expect(t, r.push(person(2)), events.ResultApplied, "assigned", "created")
	if n := r.org.Counters().ByOperation["oauth.userinfo"]; n > 1 {
		t.Errorf("asked %d times", n)
	}
}
