package push_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
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
// somebody has to look again, and what we know is void.
func TestWhoeverIsFencedIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := person(1)
	subject := events.OutcomeSubject(orgName, d.Key)
	once := sync.OnceFunc(func() {
		l := r.link(d.Key)
		l.Claim, l.Unsure = nil, true
		r.other(events.LinkSubject(orgName, d.Key), encode(t, l))
	})
	m := &meddling{beforeCommit: func(groups []bus.Group) {
		if slices.ContainsFunc(groups, func(g bus.Group) bool { return g[len(g)-1].Subject == subject }) {
			once()
		}
	}}
	r.start(func(s *setup) { s.roster = m.wrap })
	revisions := r.want(d)
	r.settledOrIdle(revisions)
	r.idle()
	r.asWanted(d, "Sales_Base")
	if n := len(r.org.Users()); n != 2 {
		t.Errorf("%d users, want 2", n)
	}
}

// settledOrIdle is settled for people whose messages may be lost: it fails as
// soon as no work is left.
func (r *rig) settledOrIdle(revisions map[events.Key]uint64) {
	r.t.Helper()
	r.idle()
	for k, rev := range revisions {
		subject := events.OutcomeSubject(orgName, k)
		got, err := r.bus.Latest(r.t.Context(), events.StreamRoster, []string{subject})
		if err != nil {
			r.t.Fatal(err)
		}
		if o, err := events.Decode[events.Outcome](got[subject].Data); err != nil || o.Revision < rev {
			r.t.Fatalf("no work is left, and %s has outcome %+v, %v", k, o, err)
		}
	}
	r.settled(revisions)
}
