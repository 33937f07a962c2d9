package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// Handover is a Salesforce user that is to be another person's, or nobody's any more.
type Handover struct {
	Org    string `json:"org"`
	UserID string `json:"userId,omitempty"`
	// From has the user, To is to have it; To is empty for a release.
	From Party `json:"from"`
	To   Party `json:"to,omitzero"`
	// Drops is another user that To has, and lets go for it.
	Drops string `json:"drops,omitempty"`
}

// Party is one of the people of a handover.
type Party struct {
	Key events.Key `json:"key"`
	// Username is what they should be called in the org, if that is known.
	Username string `json:"username,omitempty"`
	// Known says that something is desired of them in the org, Active what.
	Known  bool `json:"known"`
	Active bool `json:"active"`
	// UserID is the user that their link names.
	UserID string `json:"userId,omitempty"`
	// Moved is the user that was theirs, and whose it is since.
	Moved *events.Moved `json:"moved,omitempty"`
}

// ErrNoUser is returned where a person has no user that could be moved.
var ErrNoUser = errors.New("has no Salesforce user there")

// Merge says what moving the user of one person to another comes to; nothing is done.
// from may be known by nothing but a user's owner record. It returns [ErrNobody],
// [ErrSeveral] or [ErrNoUser].
func (o *Operator) Merge(ctx context.Context, org, from, to string) (Handover, error) {
	h, err := o.Release(ctx, org, from)
	if err != nil {
		return h, err
	}
	if h.UserID == "" {
		return h, fmt.Errorf("%s: %w", from, ErrNoUser)
	}
	key, err := o.find(ctx, to)
	if err != nil {
		return h, fmt.Errorf("find %s: %w", to, err)
	}
	if h.To, err = o.party(ctx, org, key); h.To.UserID != h.UserID {
		h.Drops = h.To.UserID
	}
	return h, err
}

// Release says what taking the user away from a person comes to; nothing is done.
func (o *Operator) Release(ctx context.Context, org, name string) (Handover, error) {
	h := Handover{Org: org}
	key, err := o.find(ctx, name)
	if errors.Is(err, ErrNobody) && plainKey(name) {
		key, err = events.Key(name), nil // of somebody erased, an owner record may be all there is
	}
	if err != nil {
		return h, fmt.Errorf("find %s: %w", name, err)
	}
	if h.From, err = o.party(ctx, org, key); err != nil {
		return h, err
	}
	if h.UserID = h.From.UserID; h.UserID != "" {
		return h, nil
	}
	if h.UserID, err = o.owned(ctx, org, key); err != nil {
		return h, err
	}
	if h.UserID == "" && h.From.Moved == nil {
		if !h.From.Known {
			return h, fmt.Errorf("find %s: %w", name, ErrNobody)
		}
		return h, fmt.Errorf("%s: %w", name, ErrNoUser)
	}
	return h, nil
}

func (o *Operator) party(ctx context.Context, org string, key events.Key) (Party, error) {
	p := Party{Key: key}
	desired, link := events.DesiredSubject(org, key), events.LinkSubject(org, key)
	found, err := o.bus.Latest(ctx, events.StreamRoster, []string{desired, link})
	if err != nil {
		return p, fmt.Errorf("read person: %w", err)
	}
	if e, ok := found[desired]; ok {
		d, err := read[events.Desired](e)
		if err != nil {
			return p, err
		}
		p.Known, p.Active, p.Username = true, d.Active, d.Match.Username
	}
	if e, ok := found[link]; ok {
		l, err := read[events.Link](e)
		if err != nil {
			return p, err
		}
		p.UserID, p.Moved = l.UserID, l.Moved
	}
	return p, nil
}

// owned is the user whose owner record names a person, empty for none.
func (o *Operator) owned(ctx context.Context, org string, key events.Key) (string, error) {
	var id string
	err := o.bus.Scan(ctx, events.StreamRoster, events.OwnerSubject(org, "*"), 1, func(e bus.Entry) error {
		owner, err := read[events.Owner](e)
		if err != nil {
			return err
		}
		a, err := events.ParseSubject(e.Subject)
		if err == nil && owner.Key == key {
			id = string(a.Key)
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read whose users are: %w", err)
	}
	return id, nil
}

// HandOver asks for what [Operator.Merge] or [Operator.Release] said. It returns when
// the request is stored.
func (o *Operator) HandOver(ctx context.Context, by, reason string, h Handover) (Asked, error) {
	verb, targets := events.VerbUnlink, []events.Target{{Org: h.Org, Key: h.From.Key}}
	if h.To.Key != "" {
		verb, targets = events.VerbMerge, append(targets, events.Target{Org: h.Org, Key: h.To.Key})
	}
	if by == "" {
		return Asked{}, fmt.Errorf("request %s: it must say who asks", verb)
	}
	asked, err := o.enter(ctx, verb, events.OperatorRequest{By: by, Reason: reason, UserID: h.UserID, Drops: h.Drops, Targets: targets})
	if err != nil {
		return asked, fmt.Errorf("request %s: %w", verb, err)
	}
	return asked, nil
}

// Came waits for what came of one request, until ctx ends.
func (o *Operator) Came(ctx context.Context, asked Asked) (AuditEntry, error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for from := asked.Seq + 1; ; {
		var got AuditEntry
		err := o.bus.Scan(ctx, events.StreamOperator, events.OperatorAll, from, func(e bus.Entry) error {
			from = e.Seq + 1
			if entry := readAudit(e); entry.Request == asked.ID {
				got = entry
			}
			return nil
		})
		if err != nil || got.Seq > 0 {
			return got, err
		}
		select {
		case <-ctx.Done():
			return got, ctx.Err()
		case <-tick.C:
		}
	}
}
