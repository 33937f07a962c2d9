package handover

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// reader is what reading takes of the bus.
type reader interface {
	Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error)
}

// Predecessor is whose a user is so far, and where everything of theirs stands.
type Predecessor struct {
	plan.Predecessor
	// Owner is the user's owner record, empty where there is none.
	Owner events.Owner
	org   string
	user  string
	seqs  map[string]uint64
}

// Read reads a person as the one whose a user is, or was, all as of one moment.
// It returns nil where a newer version of Rollcall wrote a part of it.
func Read(ctx context.Context, r reader, org, userID string, key events.Key) (*Predecessor, error) {
	user := events.OwnerSubject(org, userID)
	person, desired, link := events.PersonSubject(key), events.DesiredSubject(org, key), events.LinkSubject(org, key)
	entries, err := r.Latest(ctx, events.StreamRoster, []string{user, person, desired, link})
	if err != nil {
		return nil, fmt.Errorf("read whose the user is: %w", err)
	}
	p := &Predecessor{org: org, user: userID, seqs: map[string]uint64{}}
	for s, e := range entries {
		p.seqs[s] = e.Seq
	}
	p.Key, p.Revision = key, p.seqs[desired]
	p.Link = events.Link{Org: org, Key: key}
	var state events.PersonState
	var wish events.Desired
	if !decoded(entries, user, &p.Owner) || !decoded(entries, person, &state) || !decoded(entries, desired, &wish) || !decoded(entries, link, &p.Link) {
		return nil, nil //nolint:nilnil // nil is what is promised
	}
	if p.seqs[person] > 0 {
		p.Person = &state
	}
	if p.seqs[desired] > 0 {
		p.Desired = &wish
	}
	return p, nil
}

// decoded reads what there is; nothing is nothing wrong.
func decoded[P events.Payload](entries map[string]bus.Entry, subject string, into *P) bool {
	e, ok := entries[subject]
	if !ok {
		return true
	}
	got, err := events.Decode[P](e.Data)
	*into = got
	return err == nil
}

// Batch is what the predecessor comes to where the user is somebody else's from now
// on: rest is what is left in their link, owner the user's record. Everything that
// was read is guarded, also what is only read, by what is written beside it.
func (p *Predecessor) Batch(rest events.Link, owner events.Owner, now time.Time, h bus.Header) (bus.Group, error) {
	outcome := p.HandedOver(rest, now)
	rest.Org, outcome.Org = p.org, p.org
	at, user := events.LinkSubject(p.org, p.Key), events.OwnerSubject(p.org, p.user)
	b := batch{header: h, seqs: p.seqs}
	put(&b, at, at, rest)
	put(&b, events.OutcomeSubject(p.org, p.Key), events.DesiredSubject(p.org, p.Key), outcome)
	put(&b, events.WorkSubject(p.org, events.LaneLeaver, p.Key), events.PersonSubject(p.Key), events.Work{Reason: events.ReasonChanged})
	put(&b, user, user, owner)
	return b.group, b.err
}

// batch gathers writes that are guarded by what was read.
type batch struct {
	header bus.Header
	seqs   map[string]uint64
	group  bus.Group
	err    error
}

// put adds a write to subject, on condition that guard is as it was read.
func put[P events.Payload](b *batch, subject, guard string, what P) {
	data, err := events.Encode(what)
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("%s: %w", subject, err)
	}
	w := bus.Write{Subject: subject, Data: data, Header: b.header, Guarded: true, LastSeq: b.seqs[guard]}
	if guard != subject {
		w.GuardSubject = guard
	}
	b.group = append(b.group, w)
}
