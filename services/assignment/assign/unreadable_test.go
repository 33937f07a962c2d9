package assign

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// store writes a message over whatever there is.
func (r *rig) store(subject string, data []byte) uint64 {
	r.t.Helper()
	done, err := r.bus.Commit(r.ctx, events.StreamRoster, []bus.Group{{{Subject: subject, Data: data}}})
	if err != nil {
		r.t.Fatal(err)
	}
	return done[0].Seqs[0]
}

// stored is the newest message of a subject, as it is.
func (r *rig) stored(subject string) bus.Entry {
	r.t.Helper()
	have, err := r.bus.Latest(r.ctx, events.StreamRoster, []string{subject})
	if err != nil {
		r.t.Fatal(err)
	}
	return have[subject]
}

// TestStateThatCannotBeReadIsParkedAlone: one group, or one person, whose stored state
// is broken. Events that need it are rejected, with the place and the remedy, and
// not acked away; others go on; and what was rejected is folded once it is mended.
func TestStateThatCannotBeReadIsParkedAlone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		subject func(r *rig) string
		source  string
		event   *events.Event
		done    func(r *rig, seq uint64) bool
	}{
		"a group": {func(r *rig) string { return events.GroupSubject(r.keyer.Group("directory", "g1")) }, "directory",
			groupEvent("Followers", 1), groupIsNew},
		"a person":        {func(r *rig) string { return events.PersonSubject(r.key(1)) }, "hr", rulestest.Event(1, titled("New")), titleIsNew},
		"a desired state": {func(r *rig) string { return events.DesiredSubject("sales", r.key(1)) }, "hr", rulestest.Event(1, titled("New")), titleIsNew},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := r.service(telemetry.Discard())
			r.handled(s, r.publish("hr", rulestest.Event(1)))
			r.handled(s, r.publish("directory", groupEvent("Leads", 1)))
			good := r.stored(test.subject(r)).Data
			broken := r.store(test.subject(r), []byte(`{"v":1,`))

			r.start()
			seq := r.publish(test.source, test.event)
			r.publish("hr", rulestest.Event(2))
			second := groupEvent("Others", 2)
			second.Group.ExternalID = "g2"
			r.publish("directory", second)
			rejected := r.awaitRejection(seq, func(x events.Rejection) bool { return !x.Resolved })
			if said := rejected.Failure.Message; !strings.Contains(said, test.subject(r)) || !strings.Contains(said, "backup") {
				t.Errorf("rejected as %q", said)
			}
			r.until("the other group has its member", func() bool {
				p, _ := read[events.PersonState](r, events.PersonSubject(r.key(2)))
				return p.Groups[r.keyer.Group("directory", "g2")].Name == "Others"
			})
			r.awaitAcked()
			if e := r.stored(test.subject(r)); e.Seq != broken {
				t.Errorf("what cannot be read was written over: %s", e.Data)
			}
			r.store(test.subject(r), good)
			r.store(events.ReconsiderSubject(seq), nil)
			r.until("the event is folded", func() bool { return test.done(r, seq) })
			r.awaitRejection(seq, func(x events.Rejection) bool { return x.Resolved })
		})
	}
}

// TestAForgottenGroupLeavesNobodyBehind: where there is no backup of a group's state,
// an empty message takes its place. Who was in the group is known from them.
func TestAForgottenGroupLeavesNobodyBehind(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.publish("hr", rulestest.Event(1))
	r.publish("directory", groupEvent("Leads", 1, 2))
	r.awaitAcked()
	key := r.keyer.Group("directory", "g1")
	r.store(events.GroupSubject(key), []byte("spoilt"))
	r.store(events.GroupSubject(key), nil)
	r.publish("directory", groupEvent("Leads", 2, 3))
	r.awaitAcked()
	if is := r.memberships(key, 4); is[1] != "" || is[2] != "Leads" || is[3] != "Leads" {
		t.Errorf("the members are %v, want 2 and 3", is)
	}
}
