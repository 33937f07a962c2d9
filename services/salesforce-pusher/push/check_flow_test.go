package push_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/check"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// checking has the pusher read the org often; modes are by kind of drift.
func checking(modes map[string]string) func(*setup) {
	return func(s *setup) {
		names := plan.Names{}
		names.Add("ps", "Sales_Base", "HR_Data")
		s.cfg.Check = check.Config{
			Org: orgName, Interval: 100 * time.Millisecond, Page: 200, CallTimeout: s.cfg.CallTimeout, Names: names, Modes: modes,
			Fields: []string{"Username", "FederationIdentifier", "Email", "LastName", "FirstName", "Alias", "Title"},
		}
	}
}

// readings waits for n more whole readings of the org.
func (r *rig) readings(n int) events.Check {
	r.t.Helper()
	began := r.register().RoundEnded
	for range n {
		r.untilRegister("a reading", func(c events.Check) bool { return c.RoundEnded.After(began) })
		began = r.register().RoundEnded
	}
	return r.register()
}

func (r *rig) register() events.Check {
	r.t.Helper()
	subject := events.CheckSubject(orgName)
	got, err := r.bus.Latest(r.t.Context(), events.StreamRoster, []string{subject})
	if err != nil {
		r.t.Fatal(err)
	}
	if len(got) == 0 {
		return events.Check{}
	}
	c, err := events.Decode[events.Check](got[subject].Data)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// untilRegister waits for a condition over how far the org was read.
func (r *rig) untilRegister(what string, ok func(events.Check) bool) {
	r.t.Helper()
	r.polled(what, func() bool { return ok(r.register()) })
}

// polled waits for what nobody says on the bus: what the org itself has by now.
func (r *rig) polled(what string, ok func() bool) {
	r.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			r.t.Fatalf("waited %s in vain for %s", patience, what)
		}
	}
}

func (r *rig) hand(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

const one = "person0001@example.com"

// TestWhatIsChangedByHandIsPutRight: everything that may be repaired, one after the
// other.
func TestWhatIsChangedByHandIsPutRight(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before []events.Desired
		change func(r *rig) error
		right  func(u emulator.User) bool
	}{
		"a leaver reactivated": {before: []events.Desired{person(1), leaver(1)},
			change: func(r *rig) error { return r.org.UpdateUser(one, map[string]any{"IsActive": true}) },
			right:  func(u emulator.User) bool { return !u.IsActive }},
		"deactivated": {before: []events.Desired{person(1)},
			change: func(r *rig) error { return r.org.DisableUser(one) },
			right:  func(u emulator.User) bool { return u.IsActive }},
		"a field": {before: []events.Desired{person(1)},
			change: func(r *rig) error { return r.org.UpdateUser(one, map[string]any{"Title": "Boss"}) },
			right:  func(u emulator.User) bool { return u.Fields["Title"] == "Clerk" }},
		"taken": {before: []events.Desired{person(1)},
			change: func(r *rig) error { return r.org.Take(one, emulator.Access{PermissionSets: []string{"Sales_Base"}}) },
			right:  func(u emulator.User) bool { return slices.Contains(u.PermissionSets, "Sales_Base") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start(checking(nil))
			for _, d := range c.before {
				if o := r.push(d); o.Result != events.ResultApplied {
					t.Fatalf("before: %+v", o)
				}
			}
			r.idle()
			r.hand(c.change(r))
			r.polled("the user to be right", func() bool { return c.right(r.user(one)) })
			r.idle()
			if l := r.link("key0001"); l.Drift.Stands() || l.AppliedHash == "" {
				t.Errorf("link %+v, drift %+v: want it settled", l, l.Drift)
			}
		})
	}
}

// TestWhatAReturnerLostMeanwhileIsGivenAgain: a flow of the org's own stripped the
// user when it was deactivated, and does nothing when it comes back.
func TestWhatAReturnerLostMeanwhileIsGivenAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(checking(nil))
	r.hand(r.org.PlantFlow(emulator.Flow{Access: emulator.Access{PermissionSets: []string{emulator.Everything}}, Fields: []string{"Title"}}))
	for _, d := range []events.Desired{person(1), leaver(1), person(1)} {
		if o := r.push(d); o.Result != events.ResultApplied {
			t.Fatalf("%+v", o)
		}
	}
	r.polled("everything to be back", func() bool {
		u := r.user(one)
		return u.IsActive && slices.Contains(u.PermissionSets, "Sales_Base") && u.Fields["Title"] == "Clerk"
	})
}

// TestAFreezeByHandIsReportedAndNeverLifted, whatever is sent for the person, also
// when they leave and come back.
func TestAFreezeByHandIsReportedAndNeverLifted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(checking(nil), func(s *setup) { s.cfg.FreezeFirst = true })
	r.push(person(1))
	r.idle()
	r.hand(r.org.FreezeUser(one, true))
	r.untilRegister("the report", func(c events.Check) bool { return c.Reported[events.DriftFrozen] == 1 })
	if d := r.link("key0001").Drift; !d.Leaves(events.DriftFrozen) || d.Due() {
		t.Errorf("drift %+v, want the freeze left as it is", d)
	}
	r.push(person(1, func(d *events.Desired) { d.Fields["Title"] = "Other" }))
	r.push(leaver(1))
	r.push(person(1))
	if u := r.user(one); !u.IsFrozen || !u.IsActive {
		t.Errorf("frozen %v, active %v: want back, and still frozen", u.IsFrozen, u.IsActive)
	}
	r.hand(r.org.FreezeUser(one, false))
	r.untilRegister("the report to be gone", func(c events.Check) bool { return c.Reported[events.DriftFrozen] == 0 })
}

// TestWhatIsConfiguredToStayStays, and is told where it is to be.
func TestWhatIsConfiguredToStayStays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(checking(map[string]string{events.DriftDeactivated: "report", events.DriftFields: "accept", events.DriftTaken: "report", events.DriftGiven: "report"}))
	r.push(person(1))
	r.idle()
	r.hand(r.org.DisableUser(one))
	r.hand(r.org.UpdateUser(one, map[string]any{"Title": "Boss"}))
	r.hand(r.org.Take(one, emulator.Access{PermissionSets: []string{"Sales_Base"}}))
	r.hand(r.org.Give(one, emulator.Access{PermissionSets: []string{"HR_Data"}}))
	r.untilRegister("the reports", func(c events.Check) bool {
		return c.Reported[events.DriftDeactivated] == 1 && c.Reported[events.DriftTaken] == 1 && c.Reported[events.DriftGiven] == 1 && c.Reported[events.DriftFields] == 0
	})
	// Read anew, and changed by HR in another field, it stays as it is.
	r.resync("key0001")
	o := r.push(person(1, func(d *events.Desired) { d.Fields["FirstName"] = "Sam" }))
	u := r.user(one)
	if o.Result != events.ResultApplied || u.IsActive || u.Fields["Title"] != "Boss" || u.FirstName != "Sam" || !slices.Equal(u.PermissionSets, []string{"HR_Data"}) {
		t.Errorf("%s %+v: active %v, title %v, first name %v, sets %v", o.Result, o.Failure, u.IsActive, u.Fields["Title"], u.FirstName, u.PermissionSets)
	}
	if now := r.readings(2); now.Reported[events.DriftDeactivated] != 1 {
		t.Errorf("reported %v", now.Reported)
	}
}

// TestAResyncLeavesWhatIsToStay, without any check having seen it before.
func TestAResyncLeavesWhatIsToStay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(checking(map[string]string{events.DriftDeactivated: "report"}), func(s *setup) { s.cfg.Check.Interval = 0 })
	r.push(person(1))
	r.hand(r.org.DisableUser(one))
	r.resync("key0001")
	r.push(person(1, func(d *events.Desired) { d.Fields["Title"] = "Two" }))
	if u := r.user(one); u.IsActive || u.Fields["Title"] != "Two" {
		t.Errorf("active %v, title %v", u.IsActive, u.Fields["Title"])
	}
	r.push(leaver(1))
	r.push(person(1))
	if u := r.user(one); !u.IsActive {
		t.Error("who left and came back is not active")
	}
}

// resync has a person read anew, as retry-scheduler does for an admin.
func (r *rig) resync(k events.Key) {
	r.t.Helper()
	r.mu.Lock()
	was := r.seqs[k]
	r.mu.Unlock()
	r.work(events.LaneCheck, k)
	r.until("what came of the resync", func() bool { return r.seqs[k] > was })
}

func (r *rig) work(lane events.Lane, k events.Key) {
	r.t.Helper()
	w := bus.Group{{Subject: events.WorkSubject(orgName, lane, k), Data: encode(r.t, events.Work{V: 1, Reason: events.ReasonResync})}}
	if _, err := r.bus.Commit(r.t.Context(), events.StreamRoster, []bus.Group{w}); err != nil {
		r.t.Fatal(err)
	}
}

// TestGivenByHandIsTakenWhereConfigSaysSo.
func TestGivenByHandIsTakenWhereConfigSaysSo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(checking(map[string]string{events.DriftGiven: "repair"}))
	r.push(person(1))
	r.idle()
	r.hand(r.org.Give(one, emulator.Access{PermissionSets: []string{"HR_Data"}}))
	r.polled("it to be taken", func() bool { return slices.Equal(r.user(one).PermissionSets, []string{"Sales_Base"}) })
}

// TestAnUpdateSaysThatTheUserIsActive: without any check, whoever is changed is
// active afterwards, or parked.
func TestAnUpdateSaysThatTheUserIsActive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.push(person(1))
	r.hand(r.org.DisableUser(one))
	calls := r.org.Counters().APICalls
	if o := r.push(person(1, func(d *events.Desired) { d.Fields["Title"] = "Two" })); o.Result != events.ResultApplied {
		t.Fatalf("%+v", o)
	}
	if u := r.user(one); !u.IsActive || u.Fields["Title"] != "Two" {
		t.Errorf("active %v, title %v", u.IsActive, u.Fields["Title"])
	}
	if n := r.org.Counters().APICalls - calls; n != 1 {
		t.Errorf("%d calls, want the update alone", n)
	}
}

// TestAResyncReadsEverything that no hash speaks of.
func TestAResyncReadsEverything(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.push(person(1))
	r.push(person(2))
	r.push(leaver(2))
	r.hand(r.org.DisableUser(one))
	r.hand(r.org.UpdateUser(one, map[string]any{"Title": "Boss"}))
	r.hand(r.org.Take(one, emulator.Access{PermissionSets: []string{emulator.Everything}}))
	r.hand(r.org.UpdateUser("person0002@example.com", map[string]any{"IsActive": true}))
	r.resync("key0001")
	r.resync("key0002")
	if u := r.user(one); !u.IsActive || u.Fields["Title"] != "Clerk" || !slices.Contains(u.PermissionSets, "Sales_Base") {
		t.Errorf("active %v, title %v, sets %v", u.IsActive, u.Fields["Title"], u.PermissionSets)
	}
	if u := r.user("person0002@example.com"); u.IsActive {
		t.Error("a leaver is active after a resync")
	}
}

// TestAFightIsNotFoughtForEver: what something else undoes each time is reported in
// the end.
func TestAFightIsNotFoughtForEver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(checking(nil))
	r.push(person(1))
	for range 3 {
		r.hand(r.org.UpdateUser(one, map[string]any{"Title": "Boss"}))
		r.polled("a repair", func() bool { return r.user(one).Fields["Title"] == "Clerk" })
		r.polled("its record", func() bool { return !r.link("key0001").Drift.Due() && r.link("key0001").Claim == nil })
	}
	r.hand(r.org.UpdateUser(one, map[string]any{"Title": "Boss"}))
	r.untilRegister("the report", func(c events.Check) bool { return c.Reported[events.DriftFields] == 1 })
	r.readings(2)
	if title := r.user(one).Fields["Title"]; title != "Boss" {
		t.Errorf("title %v: repaired a fourth time", title)
	}
}

// TestAUserWhoIsGone is made anew where the person is active, and is no matter where
// they have left.
func TestAUserWhoIsGone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.start(checking(nil))
	people := crowd(12)
	r.awaitOutcomes(r.want(people...))
	r.push(leaver(2))
	r.idle()
	w.stop()
	was := r.link("key0001").UserID
	r.refresh(2, emulator.Refresh{KeepIDs: true, KeepOrgID: true, Keep: func(u emulator.User) bool {
		return u.Username != one && u.Username != "person0002@example.com"
	}})
	r.start(checking(nil))
	r.polled("the user to be made anew", func() bool { u, ok := r.org.UserByUsername(one); return ok && u.IsActive && u.ID != was })
	r.polled("the leaver to be done", func() bool { l := r.link("key0002"); return l.UserID == "" && l.AppliedHash != "" })
	if _, ok := r.org.UserByUsername("person0002@example.com"); ok {
		t.Error("a leaver was made anew")
	}
}

// refresh puts another org in the place of the rig's.
func (r *rig) refresh(generation uint64, how emulator.Refresh) {
	r.t.Helper()
	another, err := r.org.Refresh(how)
	if err != nil {
		r.t.Fatal(err)
	}
	r.org = another
	r.token(generation)
}

// TestAnotherOrgIsNotFilledBlindly: where most users are gone nobody is put right,
// and who is read anew is parked, until an admin says again.
func TestAnotherOrgIsNotFilledBlindly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.start(checking(nil))
	r.awaitOutcomes(r.want(crowd(8)...))
	r.idle()
	r.readings(1)
	w.stop()
	r.refresh(2, emulator.Refresh{})
	other := r.start(checking(nil))
	r.untilRegister("the check to stop", func(c events.Check) bool { return c.Stopped != "" && c.Gone == 8 })
	if n := len(r.org.Users()); n != 1 {
		t.Fatalf("%d users in the other org, want its admin alone", n)
	}
	other.stop() // so that all are looked at together: one who is gone alone is made anew
	for _, p := range crowd(8) {
		r.work(events.LaneCheck, p.Key)
	}
	r.start(checking(nil), func(s *setup) { s.cfg.Linger = 500 * time.Millisecond })
	r.until("all to be parked", func() bool {
		for _, p := range crowd(8) {
			if f := r.outcomes[p.Key].Failure; f == nil || f.Cause != events.CauseUserGone {
				return false
			}
		}
		return true
	})
	r.untilRegister("the check to go on", func(c events.Check) bool { return c.Stopped == "" && c.OrganizationID == r.org.ID() })
	if n := len(r.org.Users()); n != 1 {
		t.Fatalf("%d users in the other org, want its admin alone", n)
	}
	if o := r.repoke("key0001"); o.Result != events.ResultApplied || !r.user(one).IsActive {
		t.Errorf("said again: %+v", o)
	}
}

// TestOneReplicaReadsAtATime, and reading costs one call where nothing was changed.
func TestOneReplicaReadsAtATime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	slow := func(s *setup) { checking(nil)(s); s.cfg.Check.Interval = time.Second }
	r.start(slow)
	r.start(slow)
	r.push(person(1))
	r.push(person(2))
	r.push(leaver(2))
	r.idle()
	r.readings(1)
	calls, began := r.org.Counters().APICalls, r.register().Watermark
	now := r.readings(3)
	intervals := int64(now.Watermark.Sub(began)/time.Second) + 1
	if n := r.org.Counters().APICalls - calls; n < 3 || n > intervals {
		t.Errorf("%d calls in %d intervals of two replicas, nothing having changed", n, intervals)
	}
	t.Logf("%d calls in %d intervals of two replicas", r.org.Counters().APICalls-calls, intervals)
	if now.SeenSince.IsZero() || now.Reported != nil {
		t.Errorf("%+v", now)
	}
}

// TestARoundComparesEverybody, a page at a time: what was taken leaves no trace, and
// is found all the same.
func TestARoundComparesEverybody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(checking(nil), func(s *setup) { s.cfg.Check.Page = 2 })
	people := crowd(7)
	r.awaitOutcomes(r.want(people...))
	r.idle()
	for _, p := range people {
		r.hand(r.org.Take(p.Match.Username, emulator.Access{PermissionSets: []string{"Sales_Base"}}))
	}
	for _, p := range people {
		r.polled("everybody to have it again", func() bool { return slices.Contains(r.user(p.Match.Username).PermissionSets, "Sales_Base") })
	}
}

// TestAThousandPeopleAreReadByOneCallAnInterval, whoever they are, and what has to be
// put right costs what it takes.
func TestAThousandPeopleAreReadByOneCallAnInterval(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.start(checking(nil), func(s *setup) { s.cfg.Check.Interval = time.Hour })
	r.awaitOutcomes(r.want(crowd(1000)...))
	r.idle()
	w.stop()
	calls := r.org.Counters().APICalls
	r.start(checking(nil), func(s *setup) { s.cfg.Check.Interval = time.Second })
	r.backdate()
	c := r.readings(1)
	n := r.org.Counters().APICalls - calls
	t.Logf("%d people compared by %d calls", 1000, n)
	if more := int64(time.Since(c.RoundEnded)/time.Second) + 1; n < 5 || n > 5+more {
		t.Errorf("%d calls for five pages", n)
	}
	if c.Reported != nil || c.Stopped != "" {
		t.Errorf("%+v", c)
	}
	calls = r.org.Counters().APICalls
	r.hand(r.org.DisableUser(one))
	r.polled("the user to be active", func() bool { return r.user(one).IsActive })
	t.Logf("one of them put right: %d calls, those of readings included", r.org.Counters().APICalls-calls)
}

// backdate has the next reading begin now.
func (r *rig) backdate() {
	r.t.Helper()
	c := r.register()
	c.Watermark = c.Watermark.Add(-time.Hour)
	data := encode(r.t, c)
	if _, err := r.bus.Commit(r.t.Context(), events.StreamRoster, []bus.Group{{{Subject: events.CheckSubject(orgName), Data: data}}}); err != nil {
		r.t.Fatal(err)
	}
}
