package assign

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/gate"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// crowd is how many people an installation of these tests has: of 40, five per
// cent is two, and so ten people are the limit.
const (
	crowd      = 40
	gateLimit  = 10
	gateSource = events.ChangeCause("source:hr")
)

// staffed makes an org of people, each with the access of a seller and of a
// group, by a service that has ended when it returns.
func (r *rig) staffed() {
	r.t.Helper()
	stop := r.start()
	for n := range crowd {
		r.publish("hr", rulestest.Event(n))
	}
	r.publish("directory", groupEvent("Leads", numbers(crowd)...))
	for n := range crowd {
		r.awaitDesired(n, func(d events.Desired) bool { return slices.Contains(d.Assignments["permissionSets"], "Lead") })
	}
	r.awaitAcked()
	stop()
}

func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// roll is everybody's desired state.
func (r *rig) roll() []events.Desired {
	r.t.Helper()
	out := make([]events.Desired, crowd)
	for n := range crowd {
		out[n], _ = r.desired(n)
	}
	return out
}

func (r *rig) guard() events.Guard {
	r.t.Helper()
	g, _ := read[events.Guard](r, events.GuardSubject("sales"))
	return g
}

func (r *rig) held(n int) events.Held {
	r.t.Helper()
	h, _ := read[events.Held](r, events.HeldSubject("sales", r.key(n)))
	return h
}

// fault is something that takes too much.
type fault struct {
	name   string
	aspect events.Aspect
	cause  events.ChangeCause
	// whole says that nobody is let through: it was known how many there are.
	whole bool
	// feed publishes it, or its undoing; edit makes the configuration so.
	feed func(r *rig, undo bool)
	edit func(a *config.Assign)
}

// lost says whether somebody has lost what the fault takes.
func (f fault) lost(was, is events.Desired) bool {
	return len(gate.Takes(&was, &is)[f.aspect]) > 0
}

func everyone(change func(*events.Event)) func(*rig, bool) {
	return func(r *rig, undo bool) {
		for n := range crowd {
			e := rulestest.Event(n, active(true))
			if !undo {
				change(e)
			}
			r.publish("hr", e)
		}
	}
}

func faults() []fault {
	return []fault{
		{name: "everybody left", aspect: events.AspectActive, cause: gateSource, feed: everyone(active(false))},
		{name: "everybody is removed", aspect: events.AspectActive, cause: gateSource,
			feed: everyone(func(e *events.Event) { e.Type = events.TypePersonRemoved })},
		{name: "nobody has a department", aspect: events.AspectActive, cause: gateSource,
			feed: everyone(func(e *events.Event) { e.Person.Enterprise.Department = "" })},
		{name: "addresses are of a test system", aspect: events.AspectIdentity, cause: gateSource,
			feed: everyone(func(e *events.Event) { e.Person.Emails[0].Value += ".invalid" })},
		{name: "usernames are those of the next row", aspect: events.AspectIdentity, cause: gateSource,
			feed: everyone(func(e *events.Event) { e.Person.UserName = "next." + e.Person.UserName })},
		{name: "a group is empty", aspect: events.AspectAccess, cause: "group:directory/", feed: func(r *rig, undo bool) {
			var members []int
			if undo {
				members = numbers(crowd)
			}
			r.publish("directory", groupEvent("Leads", members...))
		}},
		{name: "a typo in a rule", aspect: events.AspectActive, cause: events.CauseConfig, whole: true, edit: func(a *config.Assign) {
			a.Rules[0].When = `person.?enterprise.?department.orValue("") == "sales"`
		}},
		{name: "a typo in the name of a group", aspect: events.AspectAccess, cause: events.CauseConfig, whole: true, edit: func(a *config.Assign) {
			a.Rules[0].Assignments = config.Assignments{"permissionSets": {"Base"}, "groups": {"Evrybody"}}
		}},
		{name: "another profile", aspect: events.AspectAccess, cause: events.CauseConfig, whole: true, edit: func(a *config.Assign) {
			a.Rules[0].Profile = "Seals User"
		}},
	}
}

// apply makes the fault happen, or undoes it, before so many replicas, and waits
// until they have done all they would.
func (f fault) apply(r *rig, replicas int, undo bool) {
	r.t.Helper()
	if f.edit != nil {
		a := rulestest.Assign()
		if !undo {
			f.edit(&a)
		}
		r.file.Orgs["sales"] = config.Org{Assign: a}
	}
	all := make([]*Service, replicas)
	for i := range all {
		all[i] = r.service(telemetry.Discard())
	}
	if f.feed != nil {
		f.feed(r, undo)
	}
	stops := make([]func(), replicas)
	for i, s := range all {
		stops[i] = r.run(s)
	}
	for _, s := range all {
		r.until("the sweep is through", func() bool {
			select {
			case <-s.swept:
				return true
			default:
				return false
			}
		})
	}
	r.awaitAcked()
	for _, stop := range stops {
		stop()
	}
}

// TestTheGateHoldsWhatTakesTooMuch: whatever takes from everybody takes from no
// more than the limit, one hold has the rest, the counter says both, and undone it
// is as if nothing had happened.
func TestTheGateHoldsWhatTakesTooMuch(t *testing.T) {
	t.Parallel()
	for _, f := range faults() {
		for _, replicas := range []int{1, 2, 4} {
			t.Run(fmt.Sprintf("%s, %d replicas", f.name, replicas), func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				r.beat = soon // an undone configuration takes over when nobody is heard under the other
				r.staffed()
				was := r.roll()
				f.apply(r, replicas, false)
				f.check(r, was)
				f.apply(r, replicas, true)
				for n, d := range r.roll() {
					if d.Hash != was[n].Hash || len(d.Held) > 0 || len(r.held(n).Holds) > 0 {
						t.Errorf("undone, person %d is %s, held %v, was %s", n, d.Hash, d.Held, was[n].Hash)
					}
				}
				if g := r.guard(); open(g) != "" || g.Active != crowd {
					t.Errorf("undone, the counter is %+v", g)
				}
			})
		}
	}
}

// TestASweepLooksAhead: what a configuration takes from everybody it takes from nobody.
func TestASweepLooksAhead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.staffed()
	a := rulestest.Assign()
	a.Rules[0].Profile = "Seals User"
	r.file.Orgs["sales"] = config.Org{Assign: a}
	s := r.service(telemetry.Discard())
	stop := r.run(s)
	r.awaitSweptBy(s)
	stop()
	if n := r.guard().Counts[events.CauseConfig][events.AspectAccess]; len(n.Taken) > 0 || n.Held != crowd {
		t.Errorf("counted %+v", n)
	}
}

// check looks at what the fault did.
func (f fault) check(r *rig, was []events.Desired) {
	r.t.Helper()
	taken, held := 0, 0
	for n, d := range r.roll() {
		at := slices.IndexFunc(d.Held, func(h events.Hold) bool { return h.Aspect == f.aspect })
		switch {
		case f.lost(was[n], d):
			taken++
		case at >= 0:
			held++
			if h := r.held(n); len(h.Holds) != len(d.Held) || h.Holds[at].Hold != d.Held[at] || len(h.Holds[at].Takes) == 0 || h.Holds[at].Origin.Seq == 0 {
				r.t.Errorf("person %d has %+v held, operators see %+v", n, d.Held, h)
			}
			if cause := string(d.Held[at].Cause); cause[:min(len(cause), len(f.cause))] != string(f.cause) {
				r.t.Errorf("person %d is held because of %s, want %s", n, cause, f.cause)
			}
		default:
			r.t.Errorf("person %d has lost nothing, and nothing is held: %v", n, d.Assignments)
		}
	}
	want := gateLimit
	if f.whole {
		want = 0
	}
	if taken != want || held != crowd-want {
		r.t.Errorf("taken from %d, held %d, want %d taken", taken, held, want)
	}
	g := r.guard()
	if o := open(g); o != fmt.Sprintf("%s %d", f.aspect, held) {
		r.t.Errorf("open holds: %s, with %d people held", o, held)
	}
	counted := 0
	for _, aspects := range g.Counts {
		for _, n := range aspects[f.aspect].Taken {
			counted += n.People
		}
	}
	if counted != taken {
		r.t.Errorf("taken from %d, counted %d: %+v", taken, counted, g)
	}
}

// open says which holds are open, and with how many people.
func open(g events.Guard) string {
	out := ""
	for _, aspects := range g.Counts {
		for aspect, n := range aspects {
			if n.Held > 0 {
				out += fmt.Sprintf("%s %d", aspect, n.Held)
			}
		}
	}
	return out
}

// TestADuplicateIsCountedOnce: the same events again, by another replica and
// after lost replies, take nothing more and hold nobody twice.
func TestADuplicateIsCountedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.staffed()
	var seqs []uint64
	for n := range crowd {
		seqs = append(seqs, r.publish("hr", rulestest.Event(n, active(false))))
	}
	s := r.service(telemetry.Discard())
	lossy := &failing{roster: s.roster, after: true}
	lossy.fail = func(string) bool { return lossy.count.Load()%2 == 0 }
	s.roster = lossy
	for _, part := range slices.Collect(slices.Chunk(seqs, 7)) {
		r.handled(s, part...)
		r.handled(r.service(telemetry.Discard()), part...)
		r.handled(s, part...)
	}
	if lossy.count.Load() == 0 {
		t.Fatal("the planned fault never happened")
	}
	g := r.guard()
	n := g.Counts[gateSource][events.AspectActive]
	if len(n.Taken) != 1 || n.Taken[0].People != gateLimit || n.Held != crowd-gateLimit || g.Active != crowd-gateLimit {
		t.Errorf("counted: %+v", g)
	}
}

// TestWhatIsNotHeldFlowsOn: a held leaver's title changes, and other causes and
// givings are as ever.
func TestWhatIsNotHeldFlowsOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.staffed()
	s := r.service(telemetry.Discard())
	for n := range crowd {
		r.handled(s, r.publish("hr", rulestest.Event(n, active(false))))
	}
	last := crowd - 1
	r.handled(s, r.publish("hr", rulestest.Event(last, active(false), titled("Chief"))))
	if d, _ := r.desired(last); !d.Active || d.Fields["Title"] != "Chief" || len(d.Held) != 1 || d.Lane != events.LaneChange {
		t.Errorf("a held leaver is %+v", d)
	}
	r.handled(s, r.publish("hr", rulestest.Event(crowd)))
	if d, _ := r.desired(crowd); !d.Active || len(d.Held) > 0 {
		t.Errorf("a joiner is %+v", d)
	}
	r.handled(s, r.publish("directory", groupEvent("Leads", numbers(crowd-1)...)))
	if d, _ := r.desired(last); slices.Contains(d.Assignments["permissionSets"], "Lead") || len(d.Held) != 1 {
		t.Errorf("who left a group, and is a leaver who is held, has %+v", d)
	}
}

// TestAnOperatorDecides releases some, rejects some, and leaves the rest.
func TestAnOperatorDecides(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.staffed()
	s := r.service(telemetry.Discard())
	for n := range crowd {
		r.handled(s, r.publish("hr", rulestest.Event(n, active(false))))
	}
	was := r.guard()
	for n := gateLimit; n < crowd; n++ {
		if n%3 == 2 {
			continue
		}
		e := r.decide(n, n%3 == 1, false)
		for range 2 { // one comes twice
			r.follow(s, e)
		}
	}
	for n := gateLimit; n < crowd; n++ {
		d, _ := r.desired(n)
		switch n % 3 {
		case 0:
			if d.Active || len(d.Held) > 0 || len(r.held(n).Holds) > 0 || d.Lane != events.LaneLeaver {
				t.Errorf("released, person %d is %+v", n, d)
			}
		case 1:
			if !d.Active || len(d.Held) != 1 || !d.Held[0].Rejected {
				t.Errorf("rejected, person %d is %+v", n, d)
			}
		default:
			if !d.Active || len(d.Held) != 1 || d.Held[0].Rejected {
				t.Errorf("undecided, person %d is %+v", n, d)
			}
		}
	}
	g := r.guard()
	if now, before := g.Counts[gateSource][events.AspectActive], was.Counts[gateSource][events.AspectActive]; now.Held != before.Held/3 || !slices.Equal(now.Taken, before.Taken) {
		t.Errorf("counted %+v, before %+v", now, before)
	}
}

// decide writes an operator's decision about all that is held of somebody.
func (r *rig) decide(n int, reject, urgent bool) bus.Entry {
	r.t.Helper()
	d := events.Release{Org: "sales", Key: r.key(n)}
	for _, h := range r.held(n).Holds {
		d.Wishes = append(d.Wishes, events.Wish{Aspect: h.Aspect, Wish: h.Wish, Since: h.Since, Reject: reject, Urgent: urgent, By: "grete"})
	}
	data, err := events.Encode(d)
	if err != nil {
		r.t.Fatal(err)
	}
	return bus.Entry{Subject: events.ReleaseSubject("sales", r.key(n)), Data: data}
}

// follow has a decision followed.
func (r *rig) follow(s *Service, e bus.Entry) {
	r.t.Helper()
	c, err := s.releaseChange(r.ctx, e)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := s.released(c, s.revise(r.ctx, []*change{c})); err != nil {
		r.t.Fatal(err)
	}
}

// TestAWorseWishIsHeldAgain: a release is of one wish, and of one hold.
func TestAWorseWishIsHeldAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.staffed()
	s := r.service(telemetry.Discard())
	crm := groupEvent("CRM", crowd-1)
	crm.Group.ExternalID = "g2"
	r.handled(s, r.publish("directory", crm))
	none := groupEvent("Leads")
	r.handled(s, r.publish("directory", none))
	last := crowd - 1 // members are changed in the order of their numbers
	old := r.decide(last, false, false)
	r.handled(s, r.publish("hr", rulestest.Event(last, func(e *events.Event) { e.Person.Enterprise.Department = "IT" })))
	before, _ := r.desired(last)
	r.follow(s, old)
	if d, _ := r.desired(last); !slices.Equal(d.Held, before.Held) || !slices.Contains(d.Assignments["permissionSets"], "Lead") {
		t.Errorf("after a release of another wish: %+v, before %+v", d, before)
	}
	r.handled(s, r.publish("hr", rulestest.Event(last)))
	r.handled(s, r.publish("directory", groupEvent("Leads", numbers(crowd)...)))
	if d, _ := r.desired(last); len(d.Held) != 0 {
		t.Fatalf("undone: %+v", d)
	}
	r.handled(s, r.publish("directory", none))
	r.follow(s, old)
	if d, _ := r.desired(last); len(d.Held) != 1 || !slices.Contains(d.Assignments["permissionSets"], "Lead") {
		t.Errorf("a release of an earlier hold was followed: %+v", d)
	}
}

// TestUrgentLeaversAreFew: they are let through one by one, and not by the dozen.
func TestUrgentLeaversAreFew(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.staffed()
	s := r.service(telemetry.Discard())
	for n := range crowd {
		r.handled(s, r.publish("hr", rulestest.Event(n, active(false))))
	}
	for n := gateLimit; n < gateLimit+8; n++ {
		r.follow(s, r.decide(n, false, true))
	}
	if g := r.guard(); g.Active != crowd-gateLimit-5 || g.Counts[gateSource][events.AspectActive].Held != crowd-gateLimit-5 {
		t.Errorf("counted %+v", g)
	}
}

// TestACounterThatCannotBeRead: what takes waits, neither done nor dropped, and
// what gives goes on.
func TestACounterThatCannotBeRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.staffed()
	s := r.service(telemetry.Discard())
	have, err := r.bus.Latest(r.ctx, events.StreamRoster, []string{events.GuardSubject("sales")})
	if err != nil {
		t.Fatal(err)
	}
	put := func(data []byte) {
		if _, err := r.bus.Commit(r.ctx, events.StreamRoster, []bus.Group{{{Subject: events.GuardSubject("sales"), Data: data}}}); err != nil {
			t.Fatal(err)
		}
	}
	put([]byte(`{"v":99}`))
	leaver := r.publish("hr", rulestest.Event(1, active(false)))
	in := r.handled(s, leaver, r.publish("hr", rulestest.Event(2, titled("Chief"))), r.publish("hr", rulestest.Event(crowd)))
	if in[0].verdict != verdictUndecided || in[1].verdict != verdictApplied || in[2].verdict != verdictApplied {
		t.Errorf("the events are %s, %s, %s", in[0].verdict, in[1].verdict, in[2].verdict)
	}
	if d, _ := r.desired(1); !d.Active || len(d.Held) > 0 {
		t.Errorf("who leaves is %+v", d)
	}
	put(have[events.GuardSubject("sales")].Data)
	if in := r.handled(s, leaver); in[0].verdict != verdictApplied {
		t.Errorf("the event is %s", in[0].verdict)
	}
}

// TestReplicasMeetAtTheLimit: between the verdict of one replica and its commit,
// others come to the limit.
func TestReplicasMeetAtTheLimit(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.staffed()
	var seqs []uint64
	for n := range crowd {
		seqs = append(seqs, r.publish("hr", rulestest.Event(n, active(false))))
	}
	one, other := r.service(telemetry.Discard()), r.service(telemetry.Discard())
	r.inForce(one)
	r.inForce(other)
	one.roster = &interposed{roster: one.roster, between: func() { r.handled(other, seqs[8:16]...) }}
	r.handled(one, seqs[:8]...)
	r.handled(one, seqs[16:]...)
	n := r.guard().Counts[gateSource][events.AspectActive]
	left := 0
	for _, d := range r.roll() {
		if !d.Active {
			left++
		}
	}
	if left != gateLimit || len(n.Taken) != 1 || n.Taken[0].People != gateLimit || n.Held != crowd-gateLimit {
		t.Errorf("%d have left, counted %+v", left, n)
	}
}

// TestLiveEventsUnderABadRule: what a rule takes from people as their events come is
// the rule's doing, and not that of the source whose events they are.
func TestLiveEventsUnderABadRule(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.staffed()
	a := rulestest.Assign()
	a.Rules[0].When = `person.?enterprise.?department.orValue("") == "sales"`
	r.file.Orgs["sales"] = config.Org{Assign: a}
	s := r.service(telemetry.Discard())
	r.inForce(s)
	for n := range gateLimit + 2 {
		r.handled(s, r.publish("hr", rulestest.Event(n, titled("Chief"))))
	}
	for n := gateLimit; n < gateLimit+2; n++ {
		if d, _ := r.desired(n); !d.Active || len(d.Held) != 1 || d.Held[0].Cause != events.CauseConfig || d.Fields["Title"] != "Chief" {
			t.Errorf("person %d is %+v", n, d)
		}
	}
	g := r.guard()
	if n := g.Counts[gateSource][events.AspectActive]; len(n.Taken) > 0 || n.Held > 0 {
		t.Errorf("counted for HR: %+v", n)
	}
	last := crowd - 1
	r.handled(s, r.publish("hr", rulestest.Event(last, active(false))))
	if d, _ := r.desired(last); !d.Active || d.Held[0].Cause != events.CauseConfig {
		t.Errorf("somebody of whom both say that they have none is %+v", d)
	}
}

// inBatch says of an event that it was published with so many.
func inBatch(id string, size int) func(*events.Event) {
	return func(e *events.Event) { e.BatchID, e.BatchSize = id, size }
}

// TestABurstIsJudgedWhole: an export that says everybody left takes from nobody, and
// one that says it of a few waits for its rest alone; who leaves alone never waits.
func TestABurstIsJudgedWhole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.staffed()
	s := r.service(telemetry.Discard())
	publish := func(id string, from, to, leavers int) (seqs []uint64) {
		for n := from; n < to; n++ {
			seqs = append(seqs, r.publish("hr", rulestest.Event(n, active(n >= leavers), inBatch(id, crowd))))
		}
		return seqs
	}
	first := publish("few", 0, 8, 3)
	if in := r.handled(s, first...); in[0].verdict != verdictUndecided || in[7].verdict == verdictUndecided {
		t.Errorf("a leaver whose export is not there yet is %s, others are %s", in[0].verdict, in[7].verdict)
	}
	r.handled(s, r.publish("hr", rulestest.Event(crowd-1, active(false))))
	if d, _ := r.desired(crowd - 1); d.Active {
		t.Errorf("who leaves alone is %+v", d)
	}
	publish("few", 8, crowd, 3)
	if in := r.handled(s, first...); in[0].verdict != verdictApplied {
		t.Errorf("the leaver is %s", in[0].verdict)
	}
	if d, _ := r.desired(2); d.Active {
		t.Errorf("one of three leavers of a whole export is %+v", d)
	}

	for part := range slices.Chunk(publish("all", 0, crowd, crowd), 7) {
		r.handled(s, part...)
	}
	left := 0
	for _, d := range r.roll() {
		if !d.Active {
			left++
		}
	}
	if n := r.guard().Counts[gateSource][events.AspectActive]; left != 4 || n.Held != crowd-4 {
		t.Errorf("%d have left, held %+v", left, n)
	}
}
