package assign

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

func TestANewPersonGetsDesiredAndWork(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	seq := r.publish("hr", rulestest.Event(1))
	d, dseq := r.awaitDesired(1, func(d events.Desired) bool { return d.Active })
	if d.Lane != events.LaneChange || d.Fields["Title"] != "Consultant" || d.Origin.Seq != seq || d.Origin.EventID != "e-1" || d.Origin.Source != "hr" || d.Hash == "" {
		t.Errorf("desired = %+v", d)
	}
	if r.workSeq(events.LaneChange, 1) != dseq+1 {
		t.Error("no work beside the desired")
	}
	p := r.awaitFolded(1, seq)
	if p.CorrelationID != "W00001" || p.Key != r.key(1) || p.Sources["hr"].Person.Title != "Consultant" {
		t.Errorf("person = %+v", p)
	}
	r.awaitAcked()
}

func TestAnUnchangedRepublishMakesNoWork(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.publish("hr", rulestest.Event(1))
	_, dseq := r.awaitDesired(1, func(d events.Desired) bool { return d.Active })
	wseq := r.workSeq(events.LaneChange, 1)
	r.awaitFolded(1, r.publish("hr", rulestest.Event(1)))
	if _, now := r.desired(1); now != dseq || r.workSeq(events.LaneChange, 1) != wseq {
		t.Error("an unchanged person was published again")
	}
}

func TestABackfillWaitsAndALeaverDoesNot(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	backfill := func(e *events.Event) { e.Lane = events.LaneBackfill }
	r.publish("hr", rulestest.Event(1, backfill))
	first, _ := r.awaitDesired(1, func(d events.Desired) bool { return d.Lane == events.LaneBackfill })
	r.publish("hr", rulestest.Event(1, backfill, active(false)))
	d, dseq := r.awaitDesired(1, func(d events.Desired) bool { return !d.Active })
	if d.Lane != events.LaneLeaver || d.Match != first.Match || d.Fields != nil {
		t.Errorf("leaver = %+v", d)
	}
	if r.workSeq(events.LaneLeaver, 1) != dseq+1 {
		t.Error("no work on the leaver lane")
	}
}

func TestAnOlderVersionIsSuperseded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sends("hr", events.VersionNumber)
	r.start()
	r.publish("hr", rulestest.Event(1, versioned("7"), titled("New")))
	_, dseq := r.awaitDesired(1, func(d events.Desired) bool { return d.Fields["Title"] == "New" })
	r.publish("hr", rulestest.Event(1, versioned("6"), titled("Old")))
	r.awaitAcked()
	if _, now := r.desired(1); now != dseq {
		t.Error("an older export undid a newer one")
	}
}

func TestAMappingFailureParksOnlyThatPerson(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for n := 1; n <= 3; n++ {
		r.publish("hr", rulestest.Event(n, func(e *events.Event) {
			if n == 2 {
				e.Person.Name.FamilyName = ""
			}
		}))
	}
	r.start()
	for n := 1; n <= 3; n++ {
		d, dseq := r.awaitDesired(n, func(d events.Desired) bool { return d.Active })
		if (d.Problem != nil) != (n == 2) || r.workSeq(events.LaneChange, n) != dseq+1 {
			t.Errorf("person %d: %+v", n, d)
		}
	}
	r.publish("hr", rulestest.Event(2))
	r.awaitDesired(2, func(d events.Desired) bool { return d.Problem == nil })
}

// failing fails commits that write a subject; the bus is otherwise the real one.
type failing struct {
	roster
	fail  func(subject string) bool
	after bool // store first, then fail: the reply is lost
	count atomic.Int64
}

var errPlanned = errors.New("planned fault")

func (f *failing) Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error) {
	return f.CommitSummed(ctx, stream, groups, nil)
}

func (f *failing) CommitSummed(ctx context.Context, stream string, groups []bus.Group, sum bus.Sum) ([]bus.Committed, error) {
	for _, g := range groups {
		for _, w := range g {
			if !f.fail(w.Subject) {
				continue
			}
			f.count.Add(1)
			if f.after {
				_, _ = f.roster.CommitSummed(ctx, stream, groups, sum)
			}
			return make([]bus.Committed, len(groups)), errPlanned
		}
	}
	return f.roster.CommitSummed(ctx, stream, groups, sum)
}

func TestAFailedCommitIsRepeated(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]bool{"nothing stored": false, "stored, reply lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := r.service(telemetry.Discard())
			var once atomic.Bool
			f := &failing{roster: s.roster, after: after, fail: func(string) bool { return once.CompareAndSwap(false, true) }}
			s.roster = f
			r.publish("hr", rulestest.Event(1))
			r.publishRaw(events.DirectorySubject("hr", events.KindPerson), []byte("{"), nil)
			r.run(s)
			r.awaitDesired(1, func(d events.Desired) bool { return d.Active })
			r.awaitRejection(2, func(events.Rejection) bool { return true })
			r.awaitAcked()
			if f.count.Load() == 0 {
				t.Error("the planned fault never happened")
			}
			if p, _ := read[events.PersonState](r, events.PersonSubject(r.key(1))); p.Sources["hr"].Origin.Seq != 1 {
				t.Errorf("person = %+v", p)
			}
		})
	}
}

// TestNothingIsAckedThatIsNotCommitted fails every commit of one kind until the
// service has come back to it, and looks for the event: it has to be there still.
func TestNothingIsAckedThatIsNotCommitted(t *testing.T) {
	t.Parallel()
	person, group := rulestest.Encoded(t, rulestest.Event(1, titled("New"))), rulestest.Encoded(t, groupEvent("Leads", 1))
	for name, test := range map[string]struct {
		subject string // whose commits fail
		kind    string
		body    []byte
		done    func(r *rig, seq uint64)
	}{
		"a person": {"rollcall.person.", events.KindPerson, person, func(r *rig, _ uint64) {
			r.awaitDesired(1, func(d events.Desired) bool { return d.Fields["Title"] == "New" })
		}},
		"a group's members": {"rollcall.person.", events.KindGroup, group, func(r *rig, seq uint64) {
			await(r, events.PersonSubject(r.key(1)), func(p events.PersonState) bool { return len(p.Groups) == 1 })
		}},
		"a group": {"rollcall.group.", events.KindGroup, group, func(r *rig, seq uint64) {
			await(r, events.GroupSubject(r.keyer.Group("directory", "g1")), func(g events.GroupState) bool { return g.Origin.Seq == seq })
		}},
		"a rejection": {"rollcall.rejection.", events.KindPerson, []byte("{"), func(r *rig, seq uint64) {
			r.awaitRejection(seq, func(events.Rejection) bool { return true })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.file.Authority = []string{"hr", "directory"}
			s := r.service(telemetry.Discard())
			var mended atomic.Bool
			f := &failing{roster: s.roster, fail: func(subject string) bool { return !mended.Load() && strings.HasPrefix(subject, test.subject) }}
			s.roster = f
			seq := r.publishRaw(events.DirectorySubject("directory", test.kind), test.body, nil)
			r.run(s)
			r.until("the commit failed twice", func() bool { return f.count.Load() > 1 })
			if r.unacked() != 1 {
				t.Error("the event was acked")
			}
			mended.Store(true)
			test.done(r, seq)
			r.awaitAcked()
		})
	}
}

// TestTwoReplicasRace lets two services fold the same people: whatever the
// order, the newest event wins and everybody's desired state follows it.
func TestTwoReplicasRace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const people, rounds = 20, 15
	r.start()
	r.start()
	for round := range rounds {
		for n := range people {
			r.publish("hr", rulestest.Event(n, titled(fmt.Sprintf("T%d", round))))
		}
	}
	last := fmt.Sprintf("T%d", rounds-1)
	for n := range people {
		r.awaitDesired(n, func(d events.Desired) bool { return d.Fields["Title"] == last })
	}
	r.awaitAcked()
	for n := range people {
		d, _ := r.desired(n)
		p, _ := read[events.PersonState](r, events.PersonSubject(r.key(n)))
		if d.Fields["Title"] != last || p.Sources["hr"].Person.Title != last {
			t.Errorf("person %d ended as %v and %v", n, d.Fields["Title"], p.Sources["hr"].Person.Title)
		}
	}
}

func TestAnOlderEventReadLaterLoses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.service(telemetry.Discard())
	r.publish("hr", rulestest.Event(1, titled("Old")))
	r.publish("hr", rulestest.Event(1, titled("New")))
	r.handled(s, 2)
	r.handled(s, 1)
	if d, _ := r.desired(1); d.Fields["Title"] != "New" {
		t.Errorf("title = %v", d.Fields["Title"])
	}
}

func TestASecondServiceFoldsNothingTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stop := r.start()
	r.publish("hr", rulestest.Event(1))
	r.awaitDesired(1, func(d events.Desired) bool { return d.Active })
	r.awaitAcked()
	stop()
	_, before := read[events.PersonState](r, events.PersonSubject(r.key(1)))
	s := r.service(telemetry.Discard())
	in := r.handled(s, 1)[0]
	_, after := read[events.PersonState](r, events.PersonSubject(r.key(1)))
	if in.verdict != verdictSuperseded || before != after {
		t.Errorf("a redelivered event is %s, person written at %d, then %d", in.verdict, before, after)
	}
}

func TestPoison(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for source, kind := range map[string]events.VersionKind{"counts": events.VersionNumber, "dates": events.VersionTime} {
		r.file.Sources[source] = config.Source{Correlate: "externalId"}
		r.sends(source, kind)
	}
	r.start()
	person, counts, dates := events.DirectorySubject("hr", events.KindPerson), events.DirectorySubject("counts", events.KindPerson), events.DirectorySubject("dates", events.KindGroup)
	good := string(rulestest.Encoded(t, rulestest.Event(1)))
	tests := map[string]struct{ subject, data, reason string }{
		"empty":          {person, "", "is not valid JSON"},
		"not JSON":       {person, "hello", "is not valid JSON"},
		"not UTF-8":      {person, "{\"id\":\"\xff\"}", "is not UTF-8"},
		"duplicate key":  {person, strings.Replace(good, `"id":`, `"id":"x","id":`, 1), "stands twice"},
		"case variant":   {person, strings.Replace(good, `"id":`, `"ID":"x","id":`, 1), "in different case"},
		"unknown type":   {person, strings.Replace(good, "upserted.v1", "upserted.v9", 1), "is not a type Rollcall reads"},
		"wrong kind":     {events.DirectorySubject("hr", events.KindGroup), good, "published under a subject for"},
		"unknown source": {events.DirectorySubject("other", events.KindPerson), good, "source that is not in the configuration"},
		"no number":      {person, strings.Replace(good, `"employeeNumber":"W00001",`, "", 1), "lacks the attribute that names the person"},
		"unknown member": {person, strings.Replace(good, `"title"`, `"titel"`, 1), "is not an attribute Rollcall knows"},
		"nameless member": {events.DirectorySubject("directory", events.KindGroup),
			strings.Replace(string(rulestest.Encoded(t, groupEvent("Leads", 1))), `"value":"W00001"`, `"display":"x"`, 1), "/data/members/0/value: is missing"},
		"version unasked": {person, string(rulestest.Encoded(t, rulestest.Event(1, versioned("7")))),
			"event at /sourceversion: is a number, but source hr is configured to send none: say sources.hr.sourceVersion: number in Rollcall's configuration, or leave sourceversion out"},
		"time unasked": {person, string(rulestest.Encoded(t, rulestest.Event(1, versioned("2026-01-01T00:00:00Z")))), "say sources.hr.sourceVersion: time in"},
		"no version": {counts, good,
			"event at /sourceversion: is missing, but source counts is configured to send a number with every event (sources.counts.sourceVersion): send it, or say none there"},
		"other version": {counts, string(rulestest.Encoded(t, rulestest.Event(1, versioned("2026-01-01T00:00:00Z")))),
			"is a time, but source counts is configured to send a number (sources.counts.sourceVersion): send that, or say time there"},
		"group without": {dates, string(rulestest.Encoded(t, groupEvent("Leads", 1))), "is missing, but source dates is configured to send a time"},
	}
	seqs := map[string]uint64{}
	for name, test := range tests {
		seqs[name] = r.publishRaw(test.subject, []byte(test.data), nil)
	}
	for name, test := range tests {
		rejection := r.awaitRejection(seqs[name], func(events.Rejection) bool { return true })
		if rejection.Failure.Cause != events.CausePoison || !strings.Contains(rejection.Failure.Message, test.reason) || rejection.Subject != test.subject ||
			rejection.Origin.Seq != seqs[name] || rejection.Attempt != 1 || rejection.Resolved {
			t.Errorf("%s: %+v %+v", name, rejection, rejection.Failure)
		}
	}
	r.awaitAcked()
}

func (r *rig) reconsider(seq uint64) {
	r.t.Helper()
	_, err := r.bus.Commit(r.ctx, events.StreamRoster, []bus.Group{{{Subject: events.ReconsiderSubject(seq), Data: []byte("{}")}}})
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestReconsider(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stop := r.start()
	from := func(n int, title string) uint64 {
		return r.publishRaw(events.DirectorySubject("payroll", events.KindPerson), rulestest.Encoded(t, rulestest.Event(n, titled(title))), nil)
	}
	first, second := from(1, "First"), from(2, "Second")
	bad := r.publishRaw(events.DirectorySubject("hr", events.KindPerson), []byte("{"), nil)
	for _, seq := range []uint64{first, second, bad} {
		r.awaitRejection(seq, func(rejection events.Rejection) bool { return rejection.Attempt == 1 })
	}
	r.reconsider(first)
	r.awaitRejection(first, func(rejection events.Rejection) bool { return rejection.Attempt == 2 && !rejection.Resolved })
	stop()

	r.file.Sources["payroll"] = config.Source{Correlate: "enterprise.employeeNumber"}
	r.file.Authority = []string{"hr", "payroll"}
	r.start()
	later := from(2, "Later")
	r.awaitDesired(2, func(d events.Desired) bool { return d.Fields["Title"] == "Later" })
	for _, seq := range []uint64{first, second, bad} {
		r.reconsider(seq)
	}
	rejection := r.awaitRejection(first, func(rejection events.Rejection) bool { return rejection.Resolved })
	if rejection.Failure != nil || rejection.Origin.EventID != "e-1" {
		t.Errorf("resolved = %+v", rejection)
	}
	r.awaitDesired(1, func(d events.Desired) bool { return d.Fields["Title"] == "First" })
	r.awaitRejection(second, func(rejection events.Rejection) bool { return rejection.Resolved })
	r.awaitRejection(bad, func(rejection events.Rejection) bool { return rejection.Attempt == 2 })
	if d, _ := r.desired(2); d.Fields["Title"] != "Later" || d.Origin.Seq != later {
		t.Errorf("an older event read again won: %+v", d)
	}
}

func TestASweepRevisesOnlyWhatTheConfigurationChanges(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stop := r.start()
	r.publish("hr", rulestest.Event(1))
	r.publish("hr", rulestest.Event(2, func(e *events.Event) { e.Person.UserType = "Contractor" }))
	r.publish("hr", rulestest.Event(3, func(e *events.Event) { e.Person.UserType = "Guest" }))
	_, one := r.awaitDesired(1, func(d events.Desired) bool { return d.Active })
	r.awaitDesired(2, func(d events.Desired) bool { return d.Active })
	r.awaitDesired(3, func(d events.Desired) bool { return d.Active })
	r.awaitAcked()
	stop()

	a := rulestest.Assign()
	a.Fields["Title"] = `person.?userType.orValue("") == "Contractor" ? "External" : person.?title.orValue("")`
	a.Rules[0].When += ` && person.?userType.orValue("") != "Guest"`
	r.file.Orgs["sales"] = config.Org{Assign: a}
	s := r.service(telemetry.Discard())
	r.run(s)
	select {
	case <-s.swept:
	case <-r.ctx.Done():
		t.Fatal("the sweep never ended")
	}
	if _, now := r.desired(1); now != one {
		t.Error("somebody whom the change does not concern got a new revision")
	}
	d, dseq := r.desired(2)
	if d.Fields["Title"] != "External" || d.Lane != events.LaneBackfill || r.workSeq(events.LaneBackfill, 2) != dseq+1 || d.Origin.EventID != "e-2" {
		t.Errorf("desired = %+v", d)
	}
	if d, _ := r.desired(3); d.Active || d.Lane != events.LaneLeaver || d.Match.Username == "" {
		t.Errorf("somebody no rule matches any more: %+v", d)
	}
}

func TestATooLargePersonIsRejected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	big := func(e *events.Event) { e.Person.Custom = map[string]string{"notes": strings.Repeat("x", 600<<10)} }
	r.publish("hr", rulestest.Event(1, big))
	r.awaitDesired(1, func(d events.Desired) bool { return d.Active })
	seq := r.publish("directory", rulestest.Event(1, big))
	rejection := r.awaitRejection(seq, func(events.Rejection) bool { return true })
	if !strings.Contains(rejection.Failure.Message, "is too big") {
		t.Errorf("rejection = %+v", rejection.Failure)
	}
	r.awaitAcked()
}

func TestNATSRestartLosesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.publish("hr", rulestest.Event(1))
	r.awaitDesired(1, func(d events.Desired) bool { return d.Active })
	r.server.Kill()
	r.server.Restart(t)
	r.until("NATS is back", func() bool { return r.bus.Ready() == nil })
	r.publish("hr", rulestest.Event(2))
	r.awaitDesired(2, func(d events.Desired) bool { return d.Active })
}

// splits counts reads that ask for a person without their desired states.
type splits struct {
	roster
	split atomic.Int64
	reads atomic.Int64
}

func (r *splits) Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error) {
	r.reads.Add(1)
	asked := map[events.Key]int{}
	for _, s := range subjects {
		if a, err := events.ParseSubject(s); err == nil && (a.Kind == "person" || a.Kind == "desired") {
			asked[a.Key]++
		}
	}
	for _, n := range asked {
		if n != 7 {
			r.split.Add(1)
		}
	}
	if len(subjects) > readMax {
		r.split.Add(1)
	}
	return r.roster.Latest(ctx, stream, subjects)
}

func TestAPersonIsReadAsOfOneMoment(t *testing.T) {
	t.Parallel()
	r := newRig(t, "o1", "o2", "o3", "o4", "o5") // with sales, six
	s := r.service(telemetry.Discard())
	watched := &splits{roster: s.roster}
	s.roster = watched
	changes := make([]*change, batchSize)
	for i := range changes {
		changes[i] = &change{key: r.key(i), context: r.ctx, apply: func(*events.PersonState) bool { return false }}
	}
	if err := s.revise(r.ctx, changes); err != nil {
		t.Fatal(err)
	}
	if watched.split.Load() != 0 || watched.reads.Load() != (batchSize+141)/142 {
		t.Errorf("%d reads, %d of them split somebody", watched.reads.Load(), watched.split.Load())
	}
}

// BenchmarkService is assignment on a real server that syncs every write:
// events of new people, from DIRECTORY to their desired state and work.
func BenchmarkService(b *testing.B) {
	h := newRig(b)
	const batch = 1000
	for start := 0; start < b.N; start += batch {
		var groups []bus.Group
		for n := start; n < min(b.N, start+batch); n++ {
			groups = append(groups, bus.Group{{Subject: events.DirectorySubject("hr", events.KindPerson), Data: rulestest.Encoded(b, rulestest.Event(n))}})
		}
		if _, err := h.bus.Commit(h.ctx, events.StreamDirectory, groups); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	stop := h.start()
	h.awaitAcked()
	b.StopTimer()
	stop()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
