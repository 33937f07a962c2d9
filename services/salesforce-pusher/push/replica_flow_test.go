package push_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/push"
)

// meddling is a roster in which another replica does something just before, or
// just after, one of our own steps goes through.
type meddling struct {
	push.Roster
	beforeCommit func(groups []bus.Group)
	afterLatest  func(subjects []string)
}

func (m *meddling) wrap(r push.Roster) push.Roster { m.Roster = r; return m }

func (m *meddling) Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error) {
	if m.beforeCommit != nil {
		m.beforeCommit(groups)
	}
	return m.Roster.Commit(ctx, stream, groups)
}

func (m *meddling) Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error) {
	out, err := m.Roster.Latest(ctx, stream, subjects)
	if m.afterLatest != nil {
		m.afterLatest(subjects)
	}
	return out, err
}

// other writes what another replica writes.
func (r *rig) other(subject string, data []byte) {
	r.t.Helper()
	if _, err := r.bus.Commit(context.Background(), events.StreamRoster, []bus.Group{{{Subject: subject, Data: data}}}); err != nil {
		r.t.Error(err)
	}
}

// TestTwoReplicasFindOneUser: while one replica looks whose a user is, another
// one links it to somebody else.
func TestTwoReplicasFindOneUser(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.existing(map[string]any{"Username": "person0001@example.com"})
	subject := events.OwnerSubject(orgName, id)
	once := sync.OnceFunc(func() {
		r.other(subject, encode(t, events.Owner{Key: "key0002", By: "adopted"}))
	})
	m := &meddling{afterLatest: func(subjects []string) {
		if slices.Contains(subjects, subject) {
			once()
		}
	}}
	r.start(func(s *setup) { s.roster = m.wrap })
	expectFailed(t, r.push(person(1)), events.CauseDuplicate)
	if u := r.user("person0001@example.com"); u.LastName != "Before" {
		t.Errorf("wrote to another person's user: %+v", u)
	}
	if l := r.link("key0001"); l.UserID != "" {
		t.Errorf("linked to another person's user: %+v", l)
	}
	got, err := r.bus.Latest(t.Context(), events.StreamRoster, []string{subject})
	if err != nil {
		t.Fatal(err)
	}
	if o, err := events.Decode[events.Owner](got[subject].Data); err != nil || o.Key != "key0002" {
		t.Errorf("the owner is %+v, %v", o, err)
	}
}

// TestWhoeverIsFencedIsLookedAtAgain: another worker writes a person's link
// while our last call is under way. Both may have written to the user, so
// somebody has to look again, what we know is void, and the other's link says
// that our calls may still come.
func TestWhoeverIsFencedIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const theirs = 99 // a revision by which their link is known
	d := person(1)
	var doubted atomic.Bool
	subject := events.OutcomeSubject(orgName, d.Key)
	once := sync.OnceFunc(func() {
		l := r.link(d.Key)
		l.Claim, l.AppliedRevision = nil, theirs
		r.other(events.LinkSubject(orgName, d.Key), encode(t, l))
	})
	m := &meddling{beforeCommit: func(groups []bus.Group) {
		for _, g := range groups {
			if l, err := events.Decode[events.Link](g[0].Data); err == nil && l.AppliedRevision == theirs && !l.UnsureUntil.IsZero() {
				doubted.Store(true)
			}
			if g[len(g)-1].Subject == subject {
				once()
			}
		}
	}}
	r.start(func(s *setup) { s.roster = m.wrap })
	revisions := r.want(d)
	r.outcomesOrIdle(revisions)
	r.idle()
	r.asWanted(d, "Sales_Base")
	if !doubted.Load() {
		t.Error("the other worker's link does not say that our calls may still come")
	}
	if n := len(r.org.Users()); n != 2 {
		t.Errorf("%d users, want 2", n)
	}
}

// outcomesOrIdle is awaitOutcomes for people whose messages may be lost: it fails as
// soon as no work is left.
func (r *rig) outcomesOrIdle(revisions map[events.Key]uint64) {
	r.t.Helper()
	r.idle()
	r.recorded(revisions)
	r.awaitOutcomes(revisions)
}

// recorded fails the test unless every person has an outcome by now.
func (r *rig) recorded(revisions map[events.Key]uint64) {
	r.t.Helper()
	for k, rev := range revisions {
		subject := events.OutcomeSubject(orgName, k)
		got, err := r.bus.Latest(r.t.Context(), events.StreamRoster, []string{subject})
		if err != nil {
			r.t.Fatal(err)
		}
		if o, err := events.Decode[events.Outcome](got[subject].Data); err != nil || o.Revision < rev {
			r.t.Fatalf("%s has outcome %+v, %v", k, o, err)
		}
	}
}

// TestNothingIsGivenToWhomAnotherTookOver: another worker takes a person over
// while we announce what we are about to give them.
func TestNothingIsGivenToWhomAnotherTookOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := person(1)
	var until time.Time
	once := sync.OnceFunc(func() {
		l := r.link(d.Key)
		until = time.Now().Add(time.Second).UTC()
		l.Claim = &events.Claim{Worker: "another", Revision: 1, Until: until}
		r.other(events.LinkSubject(orgName, d.Key), encode(t, l))
	})
	m := &meddling{beforeCommit: func(groups []bus.Group) {
		if intends(groups, d.Key) {
			once()
		}
	}}
	r.start(func(s *setup) { s.roster = m.wrap })
	r.outcomesOrIdle(r.want(d))
	given := r.org.Journal(emulator.JournalFilter{MutatingOnly: true})
	if n := len(given); n != 2 {
		t.Fatalf("%d calls that change something, want the user made and the set given once: %+v", n, given)
	}
	if given[1].Time.Before(until) {
		t.Errorf("given %s before the end of the other worker's claim", until.Sub(given[1].Time))
	}
	r.asWanted(d, "Sales_Base")
}

// intends says whether groups announce what is about to be given to a person.
func intends(groups []bus.Group, k events.Key) bool {
	return slices.ContainsFunc(groups, func(g bus.Group) bool {
		if g[0].Subject != events.LinkSubject(orgName, k) {
			return false
		}
		l, err := events.Decode[events.Link](g[0].Data)
		return err == nil && l.Claim != nil && len(l.Assigned) > 0
	})
}

// TestStateOfANewerVersionIsLeft: whoever can read it will work on the person;
// the others of the batch do not wait.
func TestStateOfANewerVersionIsLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	newer := []byte(`{"v":99,"added":true}`)
	subject := events.LinkSubject(orgName, "key0001")
	r.other(subject, newer)
	people := crowd(3)[1:]
	revisions := r.want(people...)
	delete(revisions, "key0001")
	w := r.start()
	r.awaitOutcomes(revisions)
	w.stop() // when all answers are sent
	got, err := r.bus.Latest(t.Context(), events.StreamRoster, []string{subject})
	if err != nil || string(got[subject].Data) != string(newer) {
		t.Errorf("the newer version's link became %s, %v", got[subject].Data, err)
	}
	if n := r.left(); n != 1 {
		t.Errorf("%d messages left, want the one of whom nothing can be read", n)
	}
	if n := len(r.org.Users()); n != 2 {
		t.Errorf("%d users, want none made for whom nothing can be read", n)
	}
}
