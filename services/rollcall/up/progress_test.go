package up

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

func TestPlainLinesTellOnlyOfChanges(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	d := newDisplay(&out, false)
	busy := reading{flying: 3, stages: []stage{{"assignment", 7, 10}, {"push leaver", 0, 0}}}
	done := reading{stages: []stage{{"assignment", 10, 10}}, parked: 2, held: []string{"org acme is held: credentials: expired"}}
	for _, r := range []reading{busy, busy, done, done} {
		d.show(r)
	}
	want := "assignment 7/10 · parked 0\nassignment 10 · parked 2 · org acme is held: credentials: expired\n"
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out.String(), want)
	}
}

func TestBarsAreDrawnPerStage(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	d := newDisplay(&out, true)
	d.show(reading{stages: []stage{{"assignment", 7, 10}, {"push change", 1, 2}}, parked: 1})
	d.close()
	for _, want := range []string{"assignment", "push change", "parked"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no bar for %s in %q", want, out.String())
		}
	}
}

func TestTallyCountsWhatWasDone(t *testing.T) {
	t.Parallel()
	got := tally{byLane: map[events.Lane]uint64{}}
	for _, o := range []events.Outcome{
		{Result: events.ResultApplied, Actions: []string{"created", "assigned"}, Lane: events.LaneBackfill},
		{Result: events.ResultApplied, Actions: []string{"updated"}, Lane: events.LaneChange},
		{Result: events.ResultApplied, Actions: []string{"frozen", "deactivated"}, Lane: events.LaneLeaver},
		{Result: events.ResultApplied, Lane: events.LaneChange}, // nothing was to do
		{Result: events.ResultFailed, Lane: events.LaneChange},
	} {
		got.add(o)
	}
	if got.Updated != 1 || got.Deactivated != 1 || got.Applied != 4 || got.Failed != 1 || got.byLane[events.LaneChange] != 3 {
		t.Errorf("%+v", got)
	}
}
