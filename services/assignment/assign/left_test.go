package assign

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
)

// TestSaidOnceMoreThatTheyLeft: desired is as before, and somebody looks all the
// same whether the user is not active.
func TestSaidOnceMoreThatTheyLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.publish("hr", rulestest.Event(1))
	r.awaitDesired(1, func(d events.Desired) bool { return d.Active })
	r.publish("hr", rulestest.Event(1, active(false)))
	_, dseq := r.awaitDesired(1, func(d events.Desired) bool { return !d.Active })
	if r.workSeq(events.LaneCheck, 1) != 0 {
		t.Error("the first word of it is work to be looked at twice")
	}
	seq := r.publish("hr", rulestest.Event(1, active(false), titled("Other")))
	r.awaitFolded(1, seq)
	looked := r.workSeq(events.LaneCheck, 1)
	if _, now := r.desired(1); looked == 0 || now != dseq {
		t.Errorf("work to look at %d, desired %d and was %d", looked, now, dseq)
	}
	// An event that does not speak of it asks for no look.
	r.awaitFolded(1, r.publish("hr", rulestest.Event(1, titled("Third"), func(e *events.Event) { e.Person.Active = nil })))
	if d, _ := r.desired(1); !d.Active && r.workSeq(events.LaneCheck, 1) != looked {
		t.Error("a look for an event that says nothing of it")
	}
	r.awaitFolded(1, r.publish("hr", rulestest.Event(1, func(e *events.Event) {
		e.Type, e.Person = events.TypePersonRemoved, &events.Person{ExternalID: e.Person.ExternalID, Enterprise: e.Person.Enterprise}
	})))
	if r.workSeq(events.LaneCheck, 1) == looked {
		t.Error("a removal of a leaver asks for no look")
	}
}
