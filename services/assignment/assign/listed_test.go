package assign

import (
	"fmt"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// TestWhatBecameOfEventsCanBeListed: what an admin is told, worked out from DIRECTORY
// and the state, is what assignment made of them.
func TestWhatBecameOfEventsCanBeListed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sends("hr", events.VersionNumber)
	r.start()
	version := func(v, id string) func(*events.Event) {
		return func(e *events.Event) { e.SourceVersion, e.ID = v, id }
	}
	removal := func(e *events.Event) { e.Type = events.TypePersonRemoved }
	first := r.publish("hr", rulestest.Event(1, version("1", "first")))
	newest := r.publish("hr", rulestest.Event(1, version("9", "newest")))
	late := r.publish("hr", rulestest.Event(1, version("5", "late")))
	gone := r.publish("hr", rulestest.Event(2, version("3", "before")))
	removed := r.publish("hr", rulestest.Event(2, version("4", "removal"), removal))
	bad := r.publish("hr", rulestest.Event(3, version("", "bad")))
	r.awaitAcked()
	other := r.publishRaw("rollcall.directory.other.person", rulestest.Encoded(t, rulestest.Event(4)), nil)
	r.awaitRejection(other, func(events.Rejection) bool { return true })

	want := map[uint64]string{
		first: fmt.Sprint("replaced by ", newest), newest: "counts", late: fmt.Sprint("superseded by ", newest),
		gone: fmt.Sprint("replaced by ", removed), removed: "counts", bad: "rejected", other: "rejected",
	}
	list := r.listed(operator.EventFilter{})
	for _, e := range list {
		got := string(e.Fate)
		if e.By != nil {
			got += fmt.Sprint(" by ", e.By.Seq)
		}
		if got != want[e.Seq] {
			t.Errorf("event %d (%s): %s, want %s", e.Seq, e.ID, got, want[e.Seq])
		}
	}
	if len(list) != len(want) {
		t.Errorf("%d events, want %d", len(list), len(want))
	}
	for what, f := range map[string]operator.EventFilter{
		"fate": {Fate: operator.EventSuperseded}, "id": {ID: "late"}, "number": {ID: fmt.Sprint(late)},
		"person, newest": {Source: "hr", Key: r.key(1), Limit: 1}, "since": {Since: list[2].At, Key: r.key(1)},
	} {
		if got := r.listed(f); len(got) != 1 || got[0].Seq != late || got[0].By.ID != "newest" || got[0].By.SourceVersion != "9" || got[0].Key != r.key(1) {
			t.Errorf("by %s: %+v", what, got)
		}
	}
}

// listed is what an admin sees, with an admin's permissions.
func (r *rig) listed(f operator.EventFilter) []operator.Event {
	r.t.Helper()
	ids, err := correlation.New("hr", r.file.Sources["hr"])
	if err != nil {
		r.t.Fatal(err)
	}
	o := operator.New(r.server.As(r.t, bus.RoleOperator), telemetry.Discard(), r.keyer)
	list, err := o.Events(r.ctx, f, func(_ string, e *events.Event) (string, error) { return ids.Of(e) })
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}
