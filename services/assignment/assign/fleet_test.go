package assign

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// older is what a replica of an older version has of the bus: what this version
// writes under a subject is one version too new for it.
type older struct {
	roster
	prefix string
	met    atomic.Int64 // how often it met such a state
	wrote  atomic.Int64 // and how often it wrote over one, or anything else of a person or group
}

func (o *older) Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error) {
	have, err := o.roster.Latest(ctx, stream, subjects)
	for subject, e := range have {
		if strings.HasPrefix(subject, o.prefix) {
			e.Data = append([]byte(`{"v":99,`), e.Data[bytes.IndexByte(e.Data, ',')+1:]...)
			have[subject] = e
			o.met.Add(1)
		}
	}
	return have, err
}

func (o *older) CommitSummed(ctx context.Context, stream string, groups []bus.Group, sum bus.Sum) ([]bus.Committed, error) {
	o.wrote.Add(int64(len(groups)))
	return o.roster.CommitSummed(ctx, stream, groups, sum)
}

func (o *older) Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error) {
	o.wrote.Add(int64(len(groups)))
	return o.roster.Commit(ctx, stream, groups)
}

// TestAnOlderReplicaLeavesWhatItCannotRead runs a replica of an older version
// beside one of this version: what the older one cannot read it puts back. It
// neither rejects nor acks the event, and writes nothing; the other one finds
// everything as it was, and the event as it came.
func TestAnOlderReplicaLeavesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prefix string
		event  *events.Event
		source string
		done   func(r *rig, seq uint64) bool
	}{
		"a person":         {"rollcall.person.", rulestest.Event(1, titled("New")), "hr", titleIsNew},
		"a desired state":  {"rollcall.desired.", rulestest.Event(1, titled("New")), "hr", titleIsNew},
		"a group":          {"rollcall.group.", groupEvent("Followers", 1), "directory", groupIsNew},
		"a group's member": {"rollcall.person.", groupEvent("Followers", 1), "directory", groupIsNew},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			present := r.service(telemetry.Discard())
			r.handled(present, r.publish("hr", rulestest.Event(1)))
			r.handled(present, r.publish("directory", groupEvent("Leads", 1)))
			stored := r.roster()

			s := r.service(telemetry.Discard())
			o := &older{roster: s.roster, prefix: test.prefix}
			s.roster, s.unreadableAgain = o, 20*time.Millisecond
			seq := r.publish(test.source, test.event)
			stop := r.run(s)
			r.until("the older one met what it cannot read, twice", func() bool { return o.met.Load() > 3 })
			if now := r.roster(); !slices.Equal(now, stored) || o.wrote.Load() != 0 {
				t.Errorf("the older replica made\n%v\nof\n%v", now, stored)
			}
			if r.unacked() == 0 {
				t.Error("the older replica acked the event")
			}

			r.start()
			r.until("the event is handled", func() bool { return test.done(r, seq) })
			r.awaitAcked()
			stop()
			if have, _ := r.bus.Latest(r.ctx, events.StreamRoster, []string{events.RejectionSubject(seq)}); len(have) > 0 {
				t.Error("the event was rejected")
			}
		})
	}
}

func titleIsNew(r *rig, _ uint64) bool {
	d, _ := r.desired(1)
	return d.Fields["Title"] == "New"
}

func groupIsNew(r *rig, seq uint64) bool {
	g, _ := read[events.GroupState](r, events.GroupSubject(r.keyer.Group("directory", "g1")))
	return g.Origin.Seq == seq && r.memberships(g.Key, 2)[1] == "Followers"
}

// roster lists everything in ROSTER that events lead to.
func (r *rig) roster() []string {
	r.t.Helper()
	var out []string
	err := r.bus.Scan(r.ctx, events.StreamRoster, ">", 1, func(e bus.Entry) error {
		if a, err := events.ParseSubject(e.Subject); err != nil || a.Kind != "beat" && a.Kind != "sweep" && a.Kind != "config" {
			out = append(out, e.Subject+" "+string(e.Data))
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// unacked is how many events are delivered, or still to be, and not acked.
func (r *rig) unacked() int {
	r.t.Helper()
	all, err := r.bus.Consumers(r.ctx, events.StreamDirectory)
	if err != nil {
		r.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(c bus.ConsumerStatus) bool { return c.Name == events.ConsumerAssignment })
	return int(all[i].Pending) + all[i].AckPending
}
