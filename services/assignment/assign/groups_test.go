package assign

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

func groupEvent(name string, members ...int) *events.Event {
	g := &events.Group{ExternalID: "g1", DisplayName: name}
	for _, n := range members {
		g.Members = append(g.Members, events.Member{Value: fmt.Sprintf("W%05d", n)})
	}
	return &events.Event{SpecVersion: "1.0", ID: "g-" + name, Source: "dir", Type: events.TypeGroupUpserted, Group: g}
}

func TestGroupsJoinRenameLeaveAndGo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	hasLead := func(want bool) func(events.Desired) bool {
		return func(d events.Desired) bool { return slices.Contains(d.Assignments["permissionSets"], "Lead") == want }
	}
	r.publish("directory", groupEvent("Leads", 1, 2)) // before anybody knows them
	r.awaitAcked()
	if _, seq := r.desired(1); seq != 0 {
		t.Error("somebody known only as a member got a desired state")
	}
	r.publish("hr", rulestest.Event(1))
	r.publish("hr", rulestest.Event(2))
	r.awaitDesired(1, hasLead(true))
	r.awaitDesired(2, hasLead(true))
	r.publish("directory", groupEvent("Leads", 2, 3)) // 1 leaves
	r.awaitDesired(1, hasLead(false))
	r.publish("directory", groupEvent("Followers", 2, 3)) // renamed
	r.awaitDesired(2, hasLead(false))
	r.publish("directory", groupEvent("Leads", 2, 3))
	r.awaitDesired(2, hasLead(true))
	gone := groupEvent("Leads", 2, 3)
	gone.Type = events.TypeGroupRemoved
	r.publish("directory", gone)
	r.awaitDesired(2, hasLead(false))
	r.awaitAcked()
	g, _ := read[events.GroupState](r, events.GroupSubject(r.keyer.Group("directory", "g1")))
	if !g.Removed {
		t.Errorf("group = %+v", g)
	}
}

func TestALargeGroupIsSpreadInParts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	members := make([]int, 2*batchSize+7)
	for i := range members {
		members[i] = i + 1
	}
	r.publish("directory", groupEvent("Leads", members...))
	r.awaitAcked()
	for _, n := range []int{1, batchSize, batchSize + 1, len(members)} {
		p, _ := read[events.PersonState](r, events.PersonSubject(r.key(n)))
		if len(p.Groups) != 1 {
			t.Errorf("person %d is in %d groups", n, len(p.Groups))
		}
	}
}

// TestAnInterruptedOlderGroupEventIsPutRight plays a replica that changed
// members for an older event and died: the older event, read again, must bring
// them in line with the newer one.
func TestAnInterruptedOlderGroupEventIsPutRight(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.service(telemetry.Discard())
	r.publish("directory", groupEvent("Leads", 1))
	older := r.publish("directory", groupEvent("Leads", 2))
	newer := r.publish("directory", groupEvent("Leads", 1))
	handle := func(seq uint64) verdict { return r.handled(s, seq)[0].verdict }
	handle(1)
	s.roster = &failing{roster: s.roster, fail: func(subject string) bool { return strings.HasPrefix(subject, "rollcall.group.") }}
	if v := handle(older); v != verdictUndecided {
		t.Fatalf("the interrupted event is %s", v)
	}
	s.roster = r.bus
	handle(newer)
	if v := handle(older); v != verdictSuperseded {
		t.Fatalf("the older event is %s", v)
	}
	for n, want := range map[int]bool{1: true, 2: false} {
		p, _ := read[events.PersonState](r, events.PersonSubject(r.key(n)))
		for _, m := range p.Groups {
			if !m.Left != want {
				t.Errorf("person %d: in the group = %v, want %v", n, !m.Left, want)
			}
		}
	}
}
