package push_test

import (
	"slices"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// TestQueuesAreKeptLikeGroups gives and takes membership of a queue by the
// difference, and leaves alone what Rollcall did not give.
func TestQueuesAreKeptLikeGroups(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.start()
	in := func(groups ...string) events.Desired {
		return person(1, func(d *events.Desired) { d.Groups, d.PermissionSets = groups, nil })
	}
	expect(t, r.push(in("Support_Queue", "Sales_Team")), events.ResultApplied, "created", "assigned")
	if got := r.user("person0001@example.com").Groups; !slices.Equal(got, []string{"Sales Team", "Support Queue"}) {
		t.Errorf("groups %v", got)
	}
	id := r.idOf("User", "Pat Person0001")
	if _, err := r.org.Create("GroupMember", map[string]any{"GroupId": r.idOf("Group", "All_Staff"), "UserOrGroupId": id}); err != nil {
		t.Fatal(err)
	}
	before := w.APICalls()
	expect(t, r.push(in("Support_Queue", "Sales_Team")), events.ResultApplied)
	if n := w.APICalls() - before; n != 0 {
		t.Errorf("the same wish again took %d API calls", n)
	}
	expect(t, r.push(in("Sales_Team")), events.ResultApplied, "unassigned")
	if got := r.user("person0001@example.com").Groups; !slices.Equal(got, []string{"All Staff", "Sales Team"}) {
		t.Errorf("groups %v, want the queue taken, and what somebody else gave left", got)
	}
}
