package assign

import (
	"fmt"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// Historic leavers of a first load must not stand before real ones; a single
// event must not wait behind a load.
func TestALeaverNeverSeenActiveIsSought(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	backfill := func(e *events.Event) { e.Lane = events.LaneBackfill }
	removed := func(e *events.Event) { e.Type = events.TypePersonRemoved }
	kitchen := func(e *events.Event) { e.Person.Enterprise.Department = "Kitchen" }
	r.publish("hr", rulestest.Event(1, backfill, active(false)))
	r.publish("hr", rulestest.Event(2, active(false)))
	r.publish("hr", rulestest.Event(3, kitchen))
	r.awaitFolded(3, 3)
	if _, seq := r.desired(3); seq != 0 {
		t.Error("an active person without a rule is looked for")
	}
	r.publish("hr", rulestest.Event(3, removed))
	for n, lane := range map[int]events.Lane{1: events.LaneBackfill, 2: events.LaneLeaver, 3: events.LaneLeaver} {
		d, seq := r.awaitDesired(n, func(d events.Desired) bool { return !d.Active })
		want := events.Match{FederationID: fmt.Sprintf("W%05d", n), Username: fmt.Sprintf("sample.person%05d@example.com.crm", n), Email: fmt.Sprintf("sample.person%05d@example.com", n)}
		if d.Lane != lane || !d.Sought || d.Match != want || r.workSeq(lane, n) != seq+1 {
			t.Errorf("person %d: %+v, want them on lane %s, looked for by %+v", n, d, lane, want)
		}
	}
	r.publish("hr", rulestest.Event(2, backfill, active(true)))
	r.awaitDesired(2, func(d events.Desired) bool { return d.Active })
	r.publish("hr", rulestest.Event(2, backfill, active(false)))
	if d, _ := r.awaitDesired(2, func(d events.Desired) bool { return !d.Active && !d.Sought }); d.Lane != events.LaneLeaver {
		t.Errorf("somebody who had a user waits on lane %s", d.Lane)
	}
}

// Whoever left before Rollcall looked for leavers is looked for after an upgrade.
func TestTheSweepSeeksWhoLeftBefore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	org := r.file.Orgs
	r.file.Orgs = map[string]config.Org{}
	stop := r.start()
	r.awaitFolded(1, r.publish("hr", rulestest.Event(1, active(false))))
	r.awaitAcked()
	stop()
	r.file.Orgs = org
	r.start()
	if d, seq := r.awaitDesired(1, func(d events.Desired) bool { return d.Sought }); d.Lane != events.LaneBackfill || r.workSeq(events.LaneBackfill, 1) != seq+1 {
		t.Errorf("desired = %+v", d)
	}
}
