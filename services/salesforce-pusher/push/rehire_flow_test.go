package push_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// patient retries somebody who waits, as retry-scheduler would, until they do not.
func (r *rig) patient(o events.Outcome) events.Outcome {
	r.t.Helper()
	for o.Failure != nil && o.Failure.Cause == events.CauseWaiting {
		o = r.repoke(o.Key)
	}
	return o
}

// rehired is a person under a new number: the same human as person(1).
func rehired(change ...func(*events.Desired)) events.Desired {
	return person(2, append([]func(*events.Desired){func(d *events.Desired) {
		d.Match.Username, d.Fields["Username"], d.Fields["Alias"] = "person0001@example.com", "person0001@example.com", "p0001"
		d.Fields["LastName"], d.Assignments = "Person0001", sets("HR_Data")
	}}, change...)...)
}

// says is what a person's sources say of whether they are active, in PersonState.
func (r *rig) says(k events.Key, active ...bool) {
	r.t.Helper()
	p := events.PersonState{Key: k, Sources: map[string]events.SourceState{}}
	for i, a := range active {
		name := []string{"hr", "directory"}[i]
		p.Sources[name] = events.SourceState{Person: &events.Person{UserName: "person0001"}, Active: []events.Activity{{Active: a}}}
	}
	r.other(events.PersonSubject(k), encode(r.t, p))
}

// federate puts a federation id on a user, as an admin would.
func (r *rig) federate(username, id string) {
	r.t.Helper()
	if err := r.org.UpdateUser(username, map[string]any{"FederationIdentifier": id}); err != nil {
		r.t.Fatal(err)
	}
}

// oneOwner fails the test unless the user is this person's and nobody else's.
func (r *rig) oneOwner(userID string, k events.Key, others ...events.Key) {
	r.t.Helper()
	subject := events.OwnerSubject(orgName, userID)
	got, err := r.bus.Latest(r.t.Context(), events.StreamRoster, []string{subject})
	if err != nil {
		r.t.Fatal(err)
	}
	o, err := events.Decode[events.Owner](got[subject].Data)
	if err != nil || o.Key != k {
		r.t.Errorf("the owner of %s is %q (%v), want %s", userID, o.Key, err, k)
	}
	if l := r.link(k); l.UserID != userID {
		r.t.Errorf("the link of %s names %q, want %s", k, l.UserID, userID)
	}
	for _, other := range others {
		if l := r.link(other); l.UserID != "" {
			r.t.Errorf("the link of %s names %s as well", other, l.UserID)
		}
	}
	if n := len(r.org.Users()); n != 2 {
		r.t.Errorf("%d users, want the integration user and one", n)
	}
}

// TestANewNumberTakesTheUserOver follows the words of what is parked to the letter.
func TestANewNumberTakesTheUserOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(func(s *setup) { s.cfg.FreezeFirst = true })
	r.push(person(1))
	id := r.user("person0001@example.com").ID
	o := r.push(rehired())
	expectFailed(t, o, events.CauseAmbiguousMatch)
	for _, want := range []string{"put this person's federation id on that user", "have left first", "rollcall person merge EARLIER key0002 --org acme"} {
		if !strings.Contains(o.Failure.Message, want) {
			t.Errorf("says %q, want %q in it", o.Failure.Message, want)
		}
	}
	r.federate("person0001@example.com", "fed0002")
	o = r.patient(r.repoke("key0002"))
	expectFailed(t, o, events.CauseDuplicate)
	if !strings.Contains(o.Failure.Message, "let HR say that the other has left") || !strings.Contains(o.Failure.Message, "person merge key0001 key0002 --org acme") {
		t.Errorf("while the old number is active: %q", o.Failure.Message)
	}
	r.oneOwner(id, "key0001", "key0002")

	r.push(leaver(1))
	if u := r.user("person0001@example.com"); u.IsActive || !u.IsFrozen {
		t.Fatalf("the leaver: %+v", u)
	}
	expect(t, r.repoke("key0002"), events.ResultApplied, "assigned", "reactivated", "taken_over", "unassigned", "unfrozen", "updated")
	r.oneOwner(id, "key0002", "key0001")
	u := r.user("person0001@example.com")
	if !u.IsActive || u.IsFrozen || u.FederationIdentifier != "fed0002" || !slices.Equal(u.PermissionSets, []string{"HR_Data"}) {
		t.Errorf("the user: active %v, frozen %v, %v, %v", u.IsActive, u.IsFrozen, u.FederationIdentifier, u.PermissionSets)
	}
}

// moved is a user that went from person 1 to person 2.
func (r *rig) moved() (userID string) {
	r.t.Helper()
	r.push(person(1))
	r.push(leaver(1))
	r.federate("person0001@example.com", "fed0002")
	if o := r.push(rehired()); o.Result != events.ResultApplied {
		r.t.Fatalf("not taken over: %+v", o.Failure)
	}
	return r.link("key0002").UserID
}

// Whatever makes us look at the old number again, it is done with that user.
func TestTheOldNumberNeverTouchesTheUserAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(func(s *setup) { s.cfg.FreezeFirst = true })
	id := r.moved()
	calls := r.org.Counters().APICalls
	r.poke("key0001") // a letter that is replayed
	r.idle()
	again := leaver(1)
	again.Match.Email = "changed@example.com"
	expect(t, r.push(hashed(again)), events.ResultApplied) // a new revision, of a sweep say
	if n := r.org.Counters().APICalls - calls; n != 0 {
		t.Errorf("%d calls for the old number, want none", n)
	}
	for _, back := range []events.Desired{person(1), person(1, func(d *events.Desired) {
		d.Match = events.Match{Username: "other@example.com", FederationID: "fed0001"}
		d.Fields["Username"] = "other@example.com" // nobody has it: an insert would go through
	})} {
		o := r.push(back)
		expectFailed(t, o, events.CauseDuplicate)
		for _, want := range []string{"that of key0002", "person merge key0002 key0001 --org acme", "person release key0001 --org acme"} {
			if !strings.Contains(o.Failure.Message, want) {
				t.Errorf("says %q, want %q in it", o.Failure.Message, want)
			}
		}
	}
	r.push(leaver(1))
	r.oneOwner(id, "key0002", "key0001")
	if u := r.user("person0001@example.com"); !u.IsActive || u.IsFrozen || u.FederationIdentifier != "fed0002" {
		t.Errorf("the user: %+v", u)
	}
}

// TestWhoMayTakeAUserOver: nobody takes over what may be another human's.
func TestWhoMayTakeAUserOver(t *testing.T) {
	t.Parallel()
	noID := func(d *events.Desired) { d.Match.FederationID = ""; delete(d.Fields, "FederationIdentifier") }
	for name, c := range map[string]struct {
		says      []bool // what the old number's sources say; none: nobody ever spoke of them
		federated string // the user's federation id
		as        func(*events.Desired)
		fails     bool
		mind      string
	}{
		"left in every source":                   {says: []bool{false, false}, federated: "fed0002"},
		"unknown to every source":                {federated: "fed0002"},
		"active in one source":                   {says: []bool{false, true}, federated: "fed0002", fails: true, mind: "still calls active"},
		"active, and no rule matches them":       {says: []bool{true}, federated: "fed0002", fails: true, mind: "still calls active"},
		"a username alone, where ids are given":  {says: []bool{false}, federated: "", fails: true, mind: "give that user this person's federation id"},
		"a username alone, where none are given": {says: []bool{false}, federated: "", as: noID},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start()
			r.push(person(1))
			r.push(leaver(1))
			id := r.link("key0001").UserID
			if c.says != nil {
				r.says("key0001", c.says...)
			}
			r.federate("person0001@example.com", c.federated)
			change := func(*events.Desired) {}
			if c.as != nil {
				change = c.as
			}
			o := r.patient(r.push(rehired(change)))
			if !c.fails {
				if o.Result != events.ResultApplied {
					t.Fatalf("%+v", o.Failure)
				}
				r.oneOwner(id, "key0002", "key0001")
				return
			}
			expectFailed(t, o, events.CauseDuplicate)
			if o.Failure != nil && !strings.Contains(o.Failure.Message, c.mind) {
				t.Errorf("says %q, want %q in it", o.Failure.Message, c.mind)
			}
			r.oneOwner(id, "key0001", "key0002")
			if r.user("person0001@example.com").IsActive {
				t.Error("the user was let in")
			}
		})
	}
}

// TestTheOldNumberChangesAsTheUserIsTaken has something happen between the decision
// and the commit: whatever it is, one person has the user at the end.
func TestTheOldNumberChangesAsTheUserIsTaken(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(r *rig){
		"comes back":       func(r *rig) { r.want(person(1)) },
		"a source says so": func(r *rig) { r.says("key0001", true) },
		"is being worked on": func(r *rig) {
			l := r.link("key0001")
			l.Claim = &events.Claim{Worker: "other", Until: time.Now().Add(time.Hour)}
			r.other(events.LinkSubject(orgName, "key0001"), encode(r.t, l))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			early := r.start()
			r.push(person(1))
			r.push(leaver(1))
			id := r.link("key0001").UserID
			r.federate("person0001@example.com", "fed0002")
			early.stop()
			once := sync.OnceFunc(func() { happens(r) })
			m := &meddling{afterLatest: func(subjects []string) {
				if slices.Contains(subjects, events.PersonSubject("key0001")) {
					once()
				}
			}}
			r.start(func(s *setup) { s.roster = m.wrap })
			o := r.push(rehired())
			expectFailed(t, o, events.CauseWaiting)
			r.oneOwner(id, "key0001", "key0002")
			if name == "comes back" {
				r.awaitOutcomes(map[events.Key]uint64{"key0001": r.revision("key0001")})
				if o := r.patient(o); o.Failure == nil || o.Failure.Cause != events.CauseDuplicate {
					t.Errorf("at the end: %+v", o)
				}
				if u := r.user("person0001@example.com"); !u.IsActive {
					t.Errorf("whose user it is: %+v", u)
				}
			}
		})
	}
}

// revision is that of what a person should have.
func (r *rig) revision(k events.Key) uint64 {
	r.t.Helper()
	subject := events.DesiredSubject(orgName, k)
	got, err := r.bus.Latest(r.t.Context(), events.StreamRoster, []string{subject})
	if err != nil {
		r.t.Fatal(err)
	}
	return got[subject].Seq
}

// A call that was sent for the old number may be applied when the user is the new
// one's: it is looked at once more, like one of its own.
func TestALateCallForTheOldNumberIsSetRight(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(soonLate)
	r.push(person(1))
	fault := r.late("collections.update", "User")
	r.push(leaver(1)) // the deactivation gets no answer
	r.federate("person0001@example.com", "fed0002")
	if o := r.patient(r.push(rehired())); o.Result != events.ResultApplied {
		t.Fatalf("%+v", o.Failure)
	}
	r.applyLate("key0002", fault)
	if r.user("person0001@example.com").IsActive {
		t.Fatal("the late call did nothing: this tests nothing")
	}
	r.lookedAt("key0002")
	if u := r.user("person0001@example.com"); !u.IsActive {
		t.Error("the new number's user stays shut out by a call for the old one")
	}
	r.oneOwner(r.link("key0002").UserID, "key0002", "key0001")
}

// A worker of the old number stood still, and finds the user moved: what it sent
// meanwhile is noted where the user is by now.
func TestAFencedWorkerDoubtsWhoHasTheUser(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	early := r.start()
	r.push(person(1))
	id := r.link("key0001").UserID
	early.stop()
	moves := sync.OnceFunc(func() {
		l := r.link("key0001")
		l.UserID, l.Claim, l.Moved = "", nil, &events.Moved{UserID: id, To: "key0002", At: time.Now()}
		r.other(events.LinkSubject(orgName, "key0001"), encode(t, l))
		r.other(events.LinkSubject(orgName, "key0002"), encode(t, events.Link{Org: orgName, Key: "key0002", UserID: id, AppliedHash: "x"}))
	})
	r.start(gated(func(req *http.Request) error {
		if strings.Contains(req.URL.Path, "/composite/sobjects") && req.Method == http.MethodPatch {
			moves()
		}
		return nil
	}))
	r.want(leaver(1))
	r.idle()
	if l := r.link("key0002"); l.UnsureUntil.IsZero() || l.AppliedHash != "" || !l.Unsure {
		t.Errorf("link %+v", l)
	}
	if l := r.link("key0001"); l.Moved == nil {
		t.Errorf("link of the old number %+v", l)
	}
}
