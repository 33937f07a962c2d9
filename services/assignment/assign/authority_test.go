package assign

import (
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry/telemetrytest"
)

func removed(e *events.Event) { e.Type = events.TypePersonRemoved }

func TestTheAuthoritysRemovalIsFinal(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.publish("hr", rulestest.Event(1))
	r.publish("directory", rulestest.Event(1))
	r.publish("directory", rulestest.Event(1, removed))
	r.awaitAcked()
	if d, _ := r.desired(1); !d.Active {
		t.Fatal("a source that decides nothing removed the person, and they left")
	}
	r.publish("directory", rulestest.Event(1, active(true)))
	r.publish("hr", rulestest.Event(1, removed))
	d, _ := r.awaitDesired(1, func(d events.Desired) bool { return !d.Active })
	if d.Match.Username == "" || d.Lane != events.LaneLeaver {
		t.Errorf("the leaver is %+v", d)
	}
	r.publish("directory", rulestest.Event(1, active(true), titled("Back")))
	r.awaitAcked()
	if d, _ := r.desired(1); d.Active {
		t.Error("a source that decides nothing brought the person back")
	}
}

func TestAnEmployeeGoesOnAsAContractor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.file.Sources["contractors"] = config.Source{Correlate: "externalId"}
	r.file.Authority = []string{"hr", "contractors"}
	r.start()
	r.publish("hr", rulestest.Event(1))
	r.publish("contractors", rulestest.Event(1, titled("Contractor")))
	r.publish("hr", rulestest.Event(1, removed))
	r.publish("hr", rulestest.Event(2))
	r.publish("hr", rulestest.Event(2, removed))
	r.awaitDesired(1, func(d events.Desired) bool { return d.Active && d.Fields["Title"] == "Contractor" })
	r.awaitDesired(2, func(d events.Desired) bool { return !d.Active })
	r.publish("contractors", rulestest.Event(1, active(false)))
	r.awaitDesired(1, func(d events.Desired) bool { return !d.Active })
}

func TestASourceThatDecidesNothingMakesNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.publish("directory", rulestest.Event(1, active(true)))
	r.publish("directory", groupEvent("Leads", 1))
	r.awaitAcked()
	if _, seq := r.desired(1); seq != 0 {
		t.Error("the directory made somebody")
	}
	r.publish("hr", rulestest.Event(1))
	r.awaitDesired(1, func(d events.Desired) bool {
		return d.Active && slices.Contains(d.Assignments["permissionSets"], "Lead")
	})
}

// Whoever has a user by a source that is no authority any more keeps it, the
// fields following, until one speaks of them.
func TestWhoHasAUserByASourceThatDecidesNoMore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.file.Authority = []string{"hr", "directory"}
	stop := r.start()
	r.publish("directory", rulestest.Event(1))
	r.awaitDesired(1, func(d events.Desired) bool { return d.Active })
	r.awaitAcked()
	stop()
	r.file.Authority = []string{"hr"}
	r.start()
	r.publish("directory", rulestest.Event(1, active(false), titled("Lead")))
	if d, _ := r.awaitDesired(1, func(d events.Desired) bool { return d.Fields["Title"] == "Lead" }); !d.Active {
		t.Errorf("desired = %+v", d)
	}
	r.publish("hr", rulestest.Event(1, active(false)))
	r.awaitDesired(1, func(d events.Desired) bool { return !d.Active })
}

// A configuration of before says what it says, and is told what to write.
func TestPrecedenceForAnAuthorityIsLogged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, authority := range [][]string{nil, {"hr"}} {
		r.file.Authority, r.file.Precedence = authority, map[string][]string{"*": {"hr", "directory"}}
		rec := telemetrytest.Recording(t)
		stop := r.run(r.service(rec.Telemetry))
		r.publish("hr", rulestest.Event(1))
		r.awaitAcked()
		stop()
		if is := strings.Contains(rec.LogText(), "authority is not configured"); is != (authority == nil) {
			t.Errorf("authority %v: the log says so: %v", authority, is)
		}
	}
}
