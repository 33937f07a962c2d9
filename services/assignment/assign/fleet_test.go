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
		if strings.HasPrefix(subject, o.prefix) && bytes.HasPrefix(e.Data, []byte(`{"v":2,`)) {
			e.Data = append([]byte(`{"v":3,`), e.Data[len(`{"v":2,`):]...)
			have[subject] = e
			o.met.Add(1)
		}
	}
	return have, err
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
		done   func(b *bundle, seq uint64) bool
	}{
		"a person":         {"rollcall.person.", sampleEvent(1, titled("New")), "hr", titleIsNew},
		"a desired state":  {"rollcall.desired.", sampleEvent(1, titled("New")), "hr", titleIsNew},
		"a group":          {"rollcall.group.", groupEvent("Followers", 1), "directory", groupIsNew},
		"a group's member": {"rollcall.person.", groupEvent("Followers", 1), "directory", groupIsNew},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			present := b.service(telemetry.Discard())
			b.handled(present, b.publish("hr", sampleEvent(1)))
			b.handled(present, b.publish("directory", groupEvent("Leads", 1)))
			stored := b.roster()

			s := b.service(telemetry.Discard())
			o := &older{roster: s.roster, prefix: test.prefix}
			s.roster, s.unreadableAgain = o, 20*time.Millisecond
			seq := b.publish(test.source, test.event)
			stop := b.run(s)
			b.until("the older one met what it cannot read, twice", func() bool { return o.met.Load() > 3 })
			if now := b.roster(); !slices.Equal(now, stored) || o.wrote.Load() != 0 {
				t.Errorf("the older replica made\n%v\nof\n%v", now, stored)
			}
			if b.unacked() == 0 {
				t.Error("the older replica acked the event")
			}

			b.start()
			b.until("the event is handled", func() bool { return test.done(b, seq) })
			b.awaitAcked()
			stop()
			if have, _ := b.bus.Latest(b.ctx, events.StreamRoster, []string{events.RejectionSubject(seq)}); len(have) > 0 {
				t.Error("the event was rejected")
			}
		})
	}
}

func titleIsNew(b *bundle, _ uint64) bool {
	d, _ := b.desired(1)
	return d.Fields["Title"] == "New"
}

func groupIsNew(b *bundle, seq uint64) bool {
	g, _ := read[events.GroupState](b, events.GroupSubject(b.keyer.Group("directory", "g1")))
	return g.Origin.Seq == seq && b.memberships(g.Key, 2)[1] == "Followers"
}

// roster lists everything in ROSTER, each with its sequence.
func (b *bundle) roster() []string {
	b.t.Helper()
	var out []string
	err := b.bus.Scan(b.ctx, events.StreamRoster, ">", 1, func(e bus.Entry) error {
		out = append(out, e.Subject+" "+string(e.Data))
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// unacked is how many events are delivered, or still to be, and not acked.
func (b *bundle) unacked() int {
	b.t.Helper()
	all, err := b.bus.Consumers(b.ctx, events.StreamDirectory)
	if err != nil {
		b.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(c bus.ConsumerStatus) bool { return c.Name == events.ConsumerAssignment })
	return int(all[i].Pending) + all[i].AckPending
}
