package retry

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// known stores what somebody should have, and what is known of their user.
func (r *rig) known(key events.Key, active bool, drift *events.Drift) {
	r.Helper()
	desired, err := events.Encode(events.Desired{Org: org, Key: key, Active: active})
	if err != nil {
		r.Fatal(err)
	}
	link, err := events.Encode(events.Link{Org: org, Key: key, Drift: drift})
	if err != nil {
		r.Fatal(err)
	}
	r.commit(events.StreamRoster, bus.Write{Subject: events.DesiredSubject(org, key), Data: desired})
	r.commit(events.StreamRoster, bus.Write{Subject: events.LinkSubject(org, key), Data: link})
}

// TestAResyncHasThoseSelectedReadAnew, in one line of the audit log.
func TestAResyncHasThoseSelectedReadAnew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sel  events.Selection
		want string
	}{
		"all":           {events.Selection{Org: org}, "a b c"},
		"who left":      {events.Selection{Org: org, State: events.SelectLeft}, "b"},
		"who is active": {events.Selection{Org: org, State: events.SelectActive}, "a c"},
		"who differs":   {events.Selection{Org: org, State: events.SelectDrifted}, "c"},
		"one":           {events.Selection{Org: org, Keys: []events.Key{"b"}}, "b"},
		"nobody known":  {events.Selection{Org: org, Keys: []events.Key{"d"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.known("a", true, nil)
			r.known("b", false, nil)
			r.known("c", true, &events.Drift{Left: []string{events.DriftFrozen}})
			r.ask(events.VerbResync, events.OperatorRequest{ID: "r1", Reason: "refreshed", Select: &c.sel})
			r.handle(r.svc.handleRequests, r.request())
			var got []string
			for _, key := range []string{"a", "b", "c", "d"} {
				if _, ok := r.roster(events.WorkSubject(org, events.LaneCheck, events.Key(key))); ok {
					got = append(got, key)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("read anew: %v, want %s", got, c.want)
			}
			log := r.auditLog()[events.VerbResynced]
			if len(log) != 1 || log[0].Count != len(got) || log[0].By != "grete" || log[0].Note != "refreshed" || log[0].Select.Org != org {
				t.Errorf("audit log: %+v", log)
			}
		})
	}
}

// TestAResyncOfNobodyWhoCanBeIsRefused: what is not understood is never everybody.
func TestAResyncOfNobodyWhoCanBeIsRefused(t *testing.T) {
	t.Parallel()
	for name, sel := range map[string]*events.Selection{
		"no selection": nil, "no org": {}, "no such state": {Org: org, State: "lost"}, "a pattern": {Org: org, Keys: []events.Key{"*"}}, "an org that is a pattern": {Org: "*"},
	} {
		r := newRig(t)
		r.known("a", true, nil)
		r.ask(events.VerbResync, events.OperatorRequest{ID: "r1", Select: sel})
		r.handle(r.svc.handleRequests, r.request())
		if _, ok := r.roster(events.WorkSubject(org, events.LaneCheck, "a")); ok || len(r.auditLog()[events.VerbRefused]) != 1 {
			t.Errorf("%s: work %v, audit log %+v", name, ok, r.auditLog())
		}
	}
}
