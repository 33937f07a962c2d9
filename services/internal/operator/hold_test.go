package operator_test

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// holding stores what is held of somebody.
func (r *rig) holding(org string, key events.Key, username string, seq uint64, holds ...events.Hold) {
	r.Helper()
	held := events.Held{Org: org, Key: key, Username: username}
	for _, h := range holds {
		held.Holds = append(held.Holds, events.HeldAspect{Hold: h, Takes: []string{string(h.Aspect)}, Rule: "staff", Origin: events.Origin{Seq: seq}})
	}
	put(r, events.StreamRoster, events.HeldSubject(org, key), held)
}

func TestHoldsArePutTogetherByTheirCause(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	group := r.keyer.Group("directory", "g1")
	put(r, events.StreamRoster, events.GroupSubject(group), events.GroupState{Key: group, Source: "directory", Group: &events.Group{ID: "g1", DisplayName: "Leads"}})
	gone := events.Hold{Aspect: events.AspectActive, Cause: events.CauseSource("hr"), Wish: "w", Since: day(2)}
	left := events.Hold{Aspect: events.AspectAccess, Cause: events.CauseGroup("directory", group), Wish: "w", Since: day(1)}
	rejected := gone
	rejected.Rejected, rejected.Since = true, day(1)
	one := r.keyer.Person("E1")
	r.holding(emea, one, "ann@example.com", 7, gone, left)
	r.holding(emea, "key2", "bea@example.com", 5, gone)
	r.holding(emea, "key3", "cy@example.com", 9, rejected)
	r.holding(apac, "key2", "bea@example.com", 6, gone)
	r.holding(apac, "key4", "di@example.com", 6)

	for name, c := range map[string]struct {
		filter operator.HoldFilter
		want   int
	}{
		"all":                   {operator.HoldFilter{}, 5},
		"of an org":             {operator.HoldFilter{Org: apac}, 1},
		"of a hold":             {operator.HoldFilter{Name: "emea/source:hr"}, 3},
		"that wait":             {operator.HoldFilter{Name: "emea/source:hr", Waiting: true}, 2},
		"of an aspect":          {operator.HoldFilter{Aspect: events.AspectAccess}, 1},
		"by part of a username": {operator.HoldFilter{Person: "BEA@"}, 2},
		"by correlation id":     {operator.HoldFilter{Person: "E1"}, 2},
		"of nobody":             {operator.HoldFilter{Person: "nobody"}, 0},
	} {
		list, err := r.op.Held(t.Context(), c.filter)
		if err != nil || len(list) != c.want {
			t.Errorf("%s: %d, %v, want %d", name, len(list), err, c.want)
		}
	}
	list, err := r.op.Held(t.Context(), operator.HoldFilter{Org: emea})
	if err != nil {
		t.Fatal(err)
	}
	holds, err := r.op.Holds(t.Context(), list)
	if err != nil || len(holds) != 2 {
		t.Fatalf("%+v, %v", holds, err)
	}
	for _, h := range holds {
		switch h.Cause {
		case gone.Cause:
			if h.People[events.AspectActive] != 2 || h.Rejected != 1 || h.First.Seq != 5 || !h.Since.Equal(day(1)) || len(h.Sample) != 3 || h.Rules["staff"] != 3 {
				t.Errorf("because of HR: %+v", h)
			}
		default:
			if h.Group != "Leads" || h.People[events.AspectAccess] != 1 {
				t.Errorf("because of a group: %+v", h)
			}
		}
	}
	for name, bad := range map[string]func() error{
		"nobody asks": func() error {
			_, err := r.op.Decide(t.Context(), events.VerbReject, "", "why", false, list)
			return err
		},
		"no reason": func() error {
			_, err := r.op.Decide(t.Context(), events.VerbReject, "grete", " ", false, list)
			return err
		},
		"no decision": func() error {
			_, err := r.op.Decide(t.Context(), events.VerbRetry, "grete", "why", false, list)
			return err
		},
	} {
		if bad() == nil {
			t.Errorf("%s: it was accepted", name)
		}
	}
}
