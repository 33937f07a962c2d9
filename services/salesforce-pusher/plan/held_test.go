package plan

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

func deactivationHeld() []events.Hold {
	return []events.Hold{{Aspect: events.AspectActive, Cause: events.CauseConfig, Wish: "w"}}
}

// TestWhoMayLeaveIsGivenNothing: whatever Salesforce has of somebody whose
// deactivation is held, they are not made, let in or given anything, and all else
// is as if nothing were held.
func TestWhoMayLeaveIsGivenNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := drawDesired(t, 1)
		d.Active, d.Problem = true, nil
		link := events.Link{
			UserID: rapid.SampledFrom([]string{"", "005"}).Draw(t, "user"), Active: rapid.Bool().Draw(t, "is active"),
			Frozen: rapid.Bool().Draw(t, "frozen"), FreezeLost: rapid.Bool().Draw(t, "freeze lost"),
			Assigned: map[string]string{"permission_set/Old": "0Pa"},
		}
		o := &Policy{Create: true, Update: true, Deactivate: true}
		planFor := func(held []events.Hold) *Person {
			p := New(State{Key: "k", Desired: d, Revision: 1, Link: link})
			p.Desired.Held = held
			p.names.done, p.lookup.done = true, true
			if link.UserID != "" {
				p.lookup.done = false
			}
			p.Next(o)
			return p
		}
		free, held := planFor(nil), planFor(deactivationHeld())
		c := held.change
		if c.Create != nil || c.Update[FieldActive] == true || c.Unfreeze || len(c.Give) > 0 {
			t.Fatalf("somebody who may leave is to be given %+v", c)
		}
		if link.UserID == "" {
			if held.fate != Applied {
				t.Fatalf("without a user they end as %s", held.fate)
			}
			return
		}
		delete(free.change.Update, FieldActive)
		if len(c.Update) != len(free.change.Update) || len(c.Take) != len(free.change.Take) {
			t.Fatalf("held: %+v, else: %+v", c, free.change)
		}
	})
}
