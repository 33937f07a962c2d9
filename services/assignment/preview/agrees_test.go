package preview_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/assign"
	"github.com/rollcall-sync/rollcall/services/assignment/preview"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/inforce"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// TestWhatIsPlannedIsWhatAssignmentDoes goes from one made-up configuration to the
// next, over the same people: what the plan says of everybody is what assignment
// then stores, and the plan's numbers are those of what it stored. In between it
// publishes made-up events, which are planned and then taken in the same way.
func TestWhatIsPlannedIsWhatAssignmentDoes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			w := &world{r: rand.New(rand.NewPCG(seed, 12))}
			r.apply(w.file(r.file))
			r.publish(w.events(40))
			for step := range 6 {
				next := w.file(r.file)
				next.Revision = fmt.Sprintf("%d of seed %d", step, seed) // so that it is none that was in force before
				r.wantAgreed(fmt.Sprintf("configuration %d", step), next, nil)
				r.wantAgreed(fmt.Sprintf("file %d", step), next, w.events(25))
			}
			for _, what := range []preview.What{preview.Created, preview.Deactivated, preview.Sought, preview.Updated, preview.Stuck, preview.Mended} {
				if r.seen[what] == 0 {
					t.Errorf("nobody was ever %s: %v", what, r.seen)
				}
			}
		})
	}
}

// wantAgreed plans a configuration, or events under it, then lets assignment do
// it, and compares.
func (r *rig) wantAgreed(what string, next config.File, batch []published) {
	r.t.Helper()
	said := map[string]*events.Desired{}
	p := r.preview(next)
	p.Each = func(_ events.Key, changes []*preview.Change) {
		for _, c := range changes {
			said[events.DesiredSubject(c.Org, c.Key)] = c.Next
		}
	}
	before, had := r.desired(), r.people()
	var plan preview.Plan
	var err error
	if batch == nil {
		plan, err = p.Everybody(r.ctx)
	} else {
		plan, err = p.Publish(r.ctx, publication(batch), r.newest())
	}
	if err != nil {
		r.t.Fatalf("%s: %v", what, err)
	}
	if after := r.desired(); !reflect.DeepEqual(before, after) || !slices.Equal(had, r.people()) {
		r.t.Fatalf("%s: planning wrote something", what)
	}
	if batch == nil {
		r.apply(next)
	} else {
		r.publish(batch)
	}
	after := r.desired()
	for subject, d := range said {
		if is := after[subject]; hashOf(d) != hashOf(&is) {
			r.t.Errorf("%s: %s was planned as %+v, and is %+v", what, subject, d, is)
		}
	}
	for subject := range after {
		if _, planned := said[subject]; !planned && before[subject].Hash != after[subject].Hash {
			r.t.Errorf("%s: %s has changed, and the plan did not look at it", what, subject)
		}
	}
	r.wantCounted(what, plan, before, after, said)
}

func hashOf(d *events.Desired) string {
	if d == nil {
		return ""
	}
	return d.Hash
}

// wantCounted counts, in the plainest way, what has become of those the plan looked
// at, and compares the plan's numbers.
func (r *rig) wantCounted(what string, plan preview.Plan, before, after map[string]events.Desired, looked map[string]*events.Desired) {
	r.t.Helper()
	for _, o := range plan.Orgs {
		for what, n := range o.What {
			r.seen[what] += n
		}
		want := map[string]int{}
		for subject := range looked {
			is, next := before[subject], after[subject]
			if next.Org != o.Org {
				continue
			}
			if is.Active {
				want["before/"+is.Rule]++
			}
			if next.Active {
				want["after/"+next.Rule]++
			}
			switch {
			case is.Hash == next.Hash || is.Problem != nil || next.Problem != nil:
				continue
			case is.Active && !next.Active:
				want["out"]++
			case !is.Active && next.Active:
				want["in"]++
			case is.Active:
				want["changed"]++
				for _, name := range slices.Sorted(maps.Keys(next.Fields)) {
					if fmt.Sprint(is.Fields[name]) != fmt.Sprint(next.Fields[name]) {
						want["field/"+name]++
					}
				}
				if is.Profile != next.Profile {
					want["move/"+is.Profile+"/"+next.Profile]++
				}
			}
			for _, kind := range events.AssignmentKeys() {
				for _, name := range next.Assignments[kind] {
					if !slices.Contains(is.Assignments[kind], name) {
						want["gained/"+name]++
					}
				}
				for _, name := range is.Assignments[kind] {
					if !slices.Contains(next.Assignments[kind], name) {
						want["lost/"+name]++
					}
				}
			}
		}
		if got := numbers(o, before, after, looked); !maps.Equal(got, want) {
			r.t.Errorf("%s, org %s: the plan says %v, and it became %v", what, o.Org, got, want)
		}
	}
}

// numbers are the plan's, under the same names, without those who are stuck or no
// longer: of them nothing else is counted.
func numbers(o preview.Org, before, after map[string]events.Desired, looked map[string]*events.Desired) map[string]int {
	out := map[string]int{}
	put := func(name string, n int) {
		if n != 0 {
			out[name] += n
		}
	}
	for _, c := range o.Rules {
		put("before/"+c.Rule, c.Before)
		put("after/"+c.Rule, c.After)
	}
	stuckOut, stuckIn := 0, 0 // who comes or goes with a problem
	for subject := range looked {
		is, next := before[subject], after[subject]
		if next.Org == o.Org && is.Problem != nil && is.Active && !next.Active {
			stuckOut++
		}
		if next.Org == o.Org && next.Problem == nil && is.Problem != nil && !is.Active && next.Active {
			stuckIn++
		}
	}
	put("out", o.What[preview.Deactivated]-stuckOut)
	put("in", o.What[preview.Created]+o.What[preview.Reactivated]-stuckIn)
	put("changed", o.What[preview.Updated])
	for name, n := range o.Fields {
		put("field/"+name, n)
	}
	for _, m := range o.Profiles {
		put("move/"+m.From+"/"+m.To, m.People)
	}
	for _, a := range o.Assignments {
		put("gained/"+a.Name, a.Gained)
		put("lost/"+a.Name, a.Lost)
	}
	return out
}

// world makes up configurations and events.
type world struct {
	r    *rand.Rand
	made int
}

func pick[T any](w *world, of ...T) T { return of[w.r.IntN(len(of))] }

// file is the configuration with some of it changed, as people change one.
func (w *world) file(f config.File) config.File {
	f.Orgs = maps.Clone(f.Orgs)
	for name := range f.Orgs {
		f.Orgs[name] = config.Org{Assign: w.assign(), Gate: config.Gate{Off: true}} // what is held stays as it was
	}
	f.Authority = pick(w, []string{"hr"}, []string{"hr"}, []string{"directory"}, []string{"hr", "directory"})
	f.Precedence = pick(w, nil, map[string][]string{"title": {"directory", "hr"}}, map[string][]string{"*": {"directory"}})
	return f
}

func (w *world) assign() config.Assign {
	a := rulestest.Assign()
	for _, r := range []config.Rule{
		{Name: "north", When: `person.enterprise.division == "North"`, Profile: "Reader"}, // cannot be decided for some
		{Name: "lead", When: `person.?title.orValue("").startsWith("Lead")`, Profile: "Lead", Assignments: config.Assignments{"permissionSets": {"Lead"}}},
		{Name: "everybody", When: "true", Profile: "Reader", Fields: map[string]string{"Title": `"Staff"`}},
	} {
		if w.r.IntN(2) == 0 {
			a.Rules = append(a.Rules, r)
		}
	}
	w.r.Shuffle(len(a.Rules), func(i, j int) { a.Rules[i], a.Rules[j] = a.Rules[j], a.Rules[i] })
	for i := range a.Rules {
		if w.r.IntN(3) == 0 { // one letter
			a.Rules[i].When = strings.Replace(a.Rules[i].When, `"Sales"`, `"sales"`, 1)
		}
		if w.r.IntN(4) == 0 {
			a.Rules[i].Profile = pick(w, "Reader", "Sales User", "Lead")
		}
		if w.r.IntN(4) == 0 {
			a.Rules[i].Assignments = config.Assignments{"permissionSets": {pick(w, "Base", "Bsae")}, "groups": {pick(w, "Everybody", "Sales")}}
		}
	}
	a.Fields["Title"] = pick(w, `person.?title`, `person.title`, `person.?title.orValue("") + "!"`)
	a.Fields["Username"] = pick(w, `person.userName + ".crm"`, `person.userName + ".crm"`, `person.userName + ".sales"`)
	if w.r.IntN(4) == 0 {
		a.Grants = nil
	}
	a.Match = pick(w, nil, []string{"username"}, []string{"federation_id", "email"})
	return a
}

// events are made-up events about some of forty people, one for each: what several
// about one person come to hangs on how many of them assignment takes at once.
func (w *world) events(n int) []published {
	var out []published
	for _, who := range w.r.Perm(40)[:n] {
		w.made++
		e := rulestest.Event(who, func(e *events.Event) {
			e.ID = fmt.Sprintf("e-%d", w.made)
			e.Person.Enterprise.Department = pick(w, "Sales", "sales", "Support", "")
			e.Person.Enterprise.Division = pick(w, "North", "South", "")
			e.Person.Title = pick(w, "Consultant", "Lead", "Leader", "")
			if w.r.IntN(4) == 0 {
				is := w.r.IntN(2) == 0
				e.Person.Active = &is
			}
			if w.r.IntN(15) == 0 {
				e.Person.Emails = nil // Email cannot be worked out
			}
		})
		if w.r.IntN(12) == 0 {
			e.Type = events.TypePersonRemoved
		}
		out = append(out, published{source: pick(w, "hr", "hr", "hr", "directory"), event: e})
	}
	return out
}

// published is an event, and the source that publishes it.
type published struct {
	source string
	event  *events.Event
}

func publication(batch []published) preview.Publication {
	return func(each func(preview.Row) error) error {
		for i, p := range batch {
			data, err := events.EncodeEvent(p.event)
			if err != nil {
				return err
			}
			if err := each(preview.Row{Line: i + 1, Subject: events.DirectorySubject(p.source, events.Kind(p.event.Type)), Data: data}); err != nil {
				return err
			}
		}
		return nil
	}
}

// patience bounds every wait, however busy the machine is.
const patience = 5 * time.Minute

// rig is one test's own NATS server, configuration, and assignment.
type rig struct {
	t      testing.TB
	ctx    context.Context
	server *bustest.Server
	bus    *bus.Bus
	keyer  *events.Keyer
	file   config.File
	stop   func()
	// seen counts what people became.
	seen map[preview.What]int
}

func newRig(t testing.TB) *rig {
	t.Helper()
	f := rulestest.File(t)
	f.Orgs["support"] = config.Org{Assign: rulestest.Assign()}
	server := bustest.Start(t, bus.Topology{Orgs: []string{"sales", "support"}})
	keyer, err := events.NewKeyer([]byte(strings.Repeat("k", events.MinDeploymentKeyBytes)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	r := &rig{t: t, ctx: ctx, server: server, bus: server.Bus(t), keyer: keyer, file: f, stop: func() {}, seen: map[preview.What]int{}}
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *rig) preview(f config.File) *preview.Preview {
	r.t.Helper()
	p, err := preview.New(r.bus, f, r.keyer)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// apply stops assignment and starts it with a configuration, until everybody has
// been compared with it.
func (r *rig) apply(f config.File) {
	r.t.Helper()
	r.stop()
	cfg, err := assign.ConfigFrom(f)
	if err != nil {
		r.t.Fatal(err)
	}
	s, err := assign.New(cfg, r.server.As(r.t, "assignment"), telemetry.Discard())
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.ctx)
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("run: %v", err)
		}
		r.stop = func() {}
	}
	r.file = f
	r.until("everybody is compared with the configuration", func() bool {
		is, err := inforce.Read(r.ctx, r.bus)
		return err == nil && is.Hash == f.Hash() && is.Swept()
	})
}

// publish stores events and waits until assignment has taken them.
func (r *rig) publish(batch []published) {
	r.t.Helper()
	groups := make([]bus.Group, len(batch))
	for i, p := range batch {
		groups[i] = bus.Group{{Subject: events.DirectorySubject(p.source, events.Kind(p.event.Type)), Data: rulestest.Encoded(r.t, p.event)}}
	}
	if _, err := r.bus.Commit(r.ctx, events.StreamDirectory, groups); err != nil {
		r.t.Fatalf("publish: %v", err)
	}
	newest := r.newest()
	r.until("events are taken", func() bool {
		all, err := r.bus.Consumers(r.ctx, events.StreamDirectory)
		if err != nil {
			r.t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(c bus.ConsumerStatus) bool { return c.Name == events.ConsumerAssignment })
		return all[i].Pending == 0 && all[i].AckPending == 0 && all[i].AckFloor >= newest
	})
}

func (r *rig) newest() uint64 {
	r.t.Helper()
	s, err := r.bus.Stream(r.ctx, events.StreamDirectory)
	if err != nil {
		r.t.Fatal(err)
	}
	return s.LastSeq
}

// desired is everybody's, by subject.
func (r *rig) desired() map[string]events.Desired {
	r.t.Helper()
	out := map[string]events.Desired{}
	err := r.bus.Scan(r.ctx, events.StreamRoster, events.DesiredSubject("*", "*"), 1, func(e bus.Entry) error {
		d, err := events.Decode[events.Desired](e.Data)
		out[e.Subject] = d
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// people are the sequences of everybody's state.
func (r *rig) people() []uint64 {
	r.t.Helper()
	var out []uint64
	if err := r.bus.Scan(r.ctx, events.StreamRoster, events.PersonsAll, 1, func(e bus.Entry) error {
		out = append(out, e.Seq)
		return nil
	}); err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r *rig) until(what string, is func() bool) {
	r.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-r.ctx.Done():
			r.t.Fatalf("it never came to pass that %s", what)
		}
	}
}
