package push_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// admin is what an admin has in hand, with an admin's permissions.
func (r *rig) admin() *operator.Operator {
	r.t.Helper()
	return operator.New(r.nats.As(r.t, bus.RoleOperator), r.tel, nil)
}

// merge and release do what the commands of that name do, and return what came of it.
func (r *rig) merge(from, to string) operator.AuditEntry {
	r.t.Helper()
	o := r.admin()
	h, err := o.Merge(r.t.Context(), orgName, from, to)
	return r.handOver(o, h, err)
}

func (r *rig) release(who string) operator.AuditEntry {
	r.t.Helper()
	o := r.admin()
	h, err := o.Release(r.t.Context(), orgName, who)
	return r.handOver(o, h, err)
}

func (r *rig) handOver(o *operator.Operator, h operator.Handover, err error) operator.AuditEntry {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	asked, err := o.HandOver(r.t.Context(), "grete", "one human", h)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	got, err := o.Came(ctx, asked)
	if err != nil {
		r.t.Fatal(err)
	}
	r.idle()
	return got
}

// cameOf fails the test unless the request ended so.
func cameOf(t testing.TB, e operator.AuditEntry, verb events.Verb, words ...string) {
	t.Helper()
	if e.Verb != verb || e.By != "grete" {
		t.Errorf("came of it: %+v, want %s", e, verb)
	}
	for _, w := range words {
		if !strings.Contains(e.Note, w) {
			t.Errorf("says %q, want %q in it", e.Note, w)
		}
	}
}

// TestMergeDoesWhatNoValueSays: nothing in Salesforce agrees, and an admin knows better.
func TestMergeDoesWhatNoValueSays(t *testing.T) {
	t.Parallel()
	for name, both := range map[string]bool{"the old number has left": false, "both are active": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start()
			r.push(person(1))
			id := r.link("key0001").UserID
			if !both {
				r.push(leaver(1))
			}
			expectFailed(t, r.push(rehired()), events.CauseAmbiguousMatch)
			cameOf(t, r.merge("key0001", "key0002"), events.VerbMerged, "one human")
			r.oneOwner(id, "key0002", "key0001")
			if u := r.user("person0001@example.com"); !u.IsActive || u.FederationIdentifier != "fed0002" {
				t.Errorf("the user: %+v", u)
			}
			if o := r.outcome("key0002"); o.Result != events.ResultApplied {
				t.Errorf("the new number: %+v", o)
			}
			o := r.outcome("key0001")
			if !both {
				expect(t, o, events.ResultApplied, "handed_over")
				return
			}
			expectFailed(t, o, events.CauseDuplicate)
			if !strings.Contains(o.Failure.Message, "that of key0002") {
				t.Errorf("the old number: %q", o.Failure.Message)
			}
			// And to the letter: the old number is to have it again.
			r.push(hashed(events.Desired{V: 1, Org: orgName, Key: "key0002", Match: rehired().Match, Lane: events.LaneLeaver}))
			cameOf(t, r.merge("key0002", "key0001"), events.VerbMerged)
			r.oneOwner(id, "key0001", "key0002")
			if u := r.user("person0001@example.com"); !u.IsActive || u.FederationIdentifier != "fed0001" {
				t.Errorf("the user, back again: %+v", u)
			}
		})
	}
}

// TestEveryOwnershipCanBeMended has a state each that no event and no retry gets out of.
func TestEveryOwnershipCanBeMended(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		// broken makes it so, beside person 1, who has the user.
		broken func(r *rig, id string)
		mend   func(r *rig)
		users  int
	}{
		"the owner is somebody nobody knows, who is not like them": {
			broken: func(r *rig, id string) {
				r.other(events.OwnerSubject(orgName, id), encode(r.t, events.Owner{Key: "lost", By: "created"}))
				r.other(events.LinkSubject(orgName, "key0001"), encode(r.t, events.Link{Org: orgName, Key: "key0001"}))
				r.federate("person0001@example.com", "somebody")
			},
			mend: func(r *rig) { cameOf(r.t, r.merge("lost", "key0001"), events.VerbMerged) },
		},
		"the link names a user that is another's": {
			broken: func(r *rig, id string) {
				r.other(events.OwnerSubject(orgName, id), encode(r.t, events.Owner{Key: "key0002", By: "created"}))
				l := r.link("key0001")
				l.Unsure = true
				r.other(events.LinkSubject(orgName, "key0001"), encode(r.t, l))
			},
			mend: func(r *rig) { cameOf(r.t, r.merge("key0002", "key0001"), events.VerbMerged) },
		},
		"it has no owner": {
			broken: func(r *rig, id string) {
				r.other(events.OwnerSubject(orgName, id), encode(r.t, events.Owner{By: "adopted", From: "lost"}))
				r.other(events.LinkSubject(orgName, "key0001"), encode(r.t, events.Link{Org: orgName, Key: "key0001"}))
			},
			mend: func(r *rig) { r.poke("key0001"); r.idle() },
		},
		"the right user is the one they do not have": {
			broken: func(r *rig, _ string) {
				r.federate("person0001@example.com", "fed0009")
				if err := r.org.UpdateUser("person0001@example.com", map[string]any{"Username": "elsewhere@example.com", "CommunityNickname": "elsewhere"}); err != nil {
					r.t.Fatal(err)
				}
				r.existing(map[string]any{"Username": "person0001@example.com", "FederationIdentifier": "fed0001"})
			},
			mend:  func(r *rig) { cameOf(r.t, r.release("key0001"), events.VerbUnlinked) },
			users: 3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start()
			r.push(person(1))
			c.broken(r, r.link("key0001").UserID)
			c.mend(r)
			id := r.user("person0001@example.com").ID
			if o := r.repoke2("key0001"); o.Result != events.ResultApplied {
				t.Errorf("afterwards: %+v", o.Failure)
			}
			if c.users == 0 {
				r.oneOwner(id, "key0001")
			}
			if l := r.link("key0001"); l.UserID != id {
				t.Errorf("the link names %q, want %s", l.UserID, id)
			}
			if n := len(r.org.Users()); n != max(c.users, 2) {
				t.Errorf("%d users", n)
			}
		})
	}
}

// repoke2 has somebody looked at again, and returns how they stand, whether or not
// there was anything to do.
func (r *rig) repoke2(k events.Key) events.Outcome {
	r.t.Helper()
	r.poke(k)
	r.idle()
	return r.outcome(k)
}

// A user who was deleted, or whose org is another one by now, is made anew.
func TestMergeOfAUserWhoIsGone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.push(person(1))
	r.push(leaver(1))
	l := r.link("key0001")
	gone := "005000000000000AAA"
	r.other(events.OwnerSubject(orgName, gone), encode(t, events.Owner{Key: "key0001", By: "created"}))
	l.UserID = gone
	r.other(events.LinkSubject(orgName, "key0001"), encode(t, l))
	r.push(person(3, func(d *events.Desired) { d.Problem = &events.Failure{Cause: events.CauseMapping} }))
	cameOf(t, r.merge("key0001", "key0003"), events.VerbMerged)
	expect(t, r.push(person(3)), events.ResultApplied, "created", "assigned")
	if got := r.link("key0003").UserID; got != r.user("person0003@example.com").ID {
		t.Errorf("the link names %q", got)
	}
}

// A second user was made before anybody knew that they are one human: the runbook, to
// the letter.
func TestMergeLetsASecondUserGo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.push(person(1))
	r.push(leaver(1))
	id := r.link("key0001").UserID
	r.push(person(2))
	second := r.link("key0002").UserID
	if err := r.org.UpdateUser("person0002@example.com", map[string]any{"Username": "former@example.com", "FederationIdentifier": nil, "CommunityNickname": "former", "IsActive": false}); err != nil {
		t.Fatal(err)
	}
	cameOf(t, r.merge("key0001", "key0002"), events.VerbMerged)
	if o := r.outcome("key0002"); o.Result != events.ResultApplied {
		t.Errorf("%+v", o.Failure)
	}
	if u := r.user("person0002@example.com"); u.ID != id || !u.IsActive || u.FederationIdentifier != "fed0002" || r.link("key0002").UserID != id {
		t.Errorf("the user: %+v", u)
	}
	subject := events.OwnerSubject(orgName, second)
	got, err := r.bus.Latest(t.Context(), events.StreamRoster, []string{subject})
	if o, _ := events.Decode[events.Owner](got[subject].Data); err != nil || o.Key != "" || o.From != "key0002" {
		t.Errorf("the second user is that of %+v (%v)", o, err)
	}
	if u := r.user("former@example.com"); u.IsActive {
		t.Error("the second user was touched")
	}
}

// The number of somebody whose user moved on is given to another human.
func TestANumberThatIsUsedAgainGetsAUserOfItsOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	id := r.moved()
	other := person(1, func(d *events.Desired) {
		d.Match = events.Match{Username: "other@example.com", FederationID: "fed0001"}
		d.Fields["Username"], d.Fields["LastName"] = "other@example.com", "Other"
	})
	expectFailed(t, r.push(other), events.CauseDuplicate)
	cameOf(t, r.release("key0001"), events.VerbUnlinked)
	if o := r.outcome("key0001"); o.Result != events.ResultApplied {
		t.Errorf("the new human: %+v", o.Failure)
	}
	if l := r.link("key0001"); l.UserID == id || l.UserID == "" || l.Moved != nil {
		t.Errorf("link %+v", l)
	}
	if l := r.link("key0002"); l.UserID != id {
		t.Errorf("the user of the first: %+v", l)
	}
}

// A leaver who was let go is looked for no more: the user may be another's.
func TestALeaverWhoWasLetGoIsDone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.push(person(1))
	r.push(leaver(1))
	cameOf(t, r.release("key0001"), events.VerbUnlinked)
	r.federate("person0001@example.com", "")
	if err := r.org.UpdateUser("person0001@example.com", map[string]any{"IsActive": true}); err != nil {
		t.Fatal(err)
	}
	again := leaver(1)
	again.Match.Email = "changed@example.com"
	expect(t, r.push(hashed(again)), events.ResultApplied)
	if !r.user("person0001@example.com").IsActive {
		t.Error("deactivated whom an admin let go")
	}
}

// TestRequestsOfMergesAreChecked sends what no command would.
func TestRequestsOfMergesAreChecked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.push(person(1))
	r.push(person(2))
	one, two := r.link("key0001").UserID, r.link("key0002").UserID
	at := func(keys ...events.Key) []events.Target {
		var out []events.Target
		for _, k := range keys {
			out = append(out, events.Target{Org: orgName, Key: k})
		}
		return out
	}
	for name, c := range map[string]struct {
		verb events.Verb
		r    events.OperatorRequest
		says string
	}{
		"of one":            {events.VerbMerge, events.OperatorRequest{UserID: one, Targets: at("key0001")}, "names 1 people"},
		"of a subject":      {events.VerbMerge, events.OperatorRequest{UserID: "*", Targets: at("key0001", "key0002")}, "user id"},
		"of any key":        {events.VerbUnlink, events.OperatorRequest{UserID: one, Targets: at(">")}, "not a key"},
		"with oneself":      {events.VerbMerge, events.OperatorRequest{UserID: one, Targets: at("key0001", "key0001")}, "one person already"},
		"who has a user":    {events.VerbMerge, events.OperatorRequest{UserID: one, Targets: at("key0001", "key0002")}, "has a user of their own by now, " + two},
		"of another's":      {events.VerbMerge, events.OperatorRequest{UserID: two, Targets: at("key0001", "key0003")}, "not known in org"},
		"not theirs":        {events.VerbUnlink, events.OperatorRequest{UserID: two, Targets: at("key0001")}, "is not that of key0001"},
		"nothing to let go": {events.VerbUnlink, events.OperatorRequest{Targets: at("key0001")}, "is not that of key0001"},
	} {
		c.r.ID, c.r.By, c.r.At = "request "+name, "grete", time.Now()
		done, err := r.bus.Commit(t.Context(), events.StreamOperator, []bus.Group{{{Subject: events.OperatorSubject(c.verb), Data: encode(t, c.r)}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		got, err := r.admin().Came(ctx, operator.Asked{ID: c.r.ID, Seq: done[0].Seqs[0]})
		cancel()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		cameOf(t, got, events.VerbRefused, c.says)
	}
	if r.link("key0001").UserID != one || r.link("key0002").UserID != two {
		t.Error("what was refused was done")
	}
}

// Said twice, or come twice, a merge is done once; and while somebody works on one of
// the two, it waits.
func TestAMergeWaitsAndIsDoneOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.push(person(1))
	r.push(leaver(1))
	id := r.link("key0001").UserID
	r.push(rehired())
	l := r.link("key0001")
	held := l
	held.Claim = &events.Claim{Worker: "other", Until: time.Now().Add(time.Hour)}
	r.other(events.LinkSubject(orgName, "key0001"), encode(t, held))
	o := r.admin()
	h, err := o.Merge(t.Context(), orgName, "key0001", "key0002")
	if err != nil {
		t.Fatal(err)
	}
	first, err := o.HandOver(t.Context(), "grete", "x", h)
	if err != nil {
		t.Fatal(err)
	}
	r.oneOwner(id, "key0001", "key0002")
	r.other(events.LinkSubject(orgName, "key0001"), encode(t, l)) // given up
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if got, err := o.Came(ctx, first); err != nil || got.Verb != events.VerbMerged {
		t.Fatalf("%+v %v", got, err)
	}
	cameOf(t, r.handOver(o, h, nil), events.VerbMerged)
	r.oneOwner(id, "key0002", "key0001")
}
