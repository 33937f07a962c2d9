package push

import (
	"context"
	"fmt"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// maxLooks is how often one step asks who has usernames. Each time at least one
// more person can be renamed; whoever is left then comes again.
const maxLooks = 20

// renaming gives people usernames that others of them have.
type renaming struct{ *batch }

// order finds out, for everybody who was refused a username at once, who has it, and in
// which order they try again.
func (n renaming) order(ctx context.Context, tasks []*task) error {
	if n.looks++; n.looks > maxLooks {
		return outOfTime()
	}
	holders, e, halted := n.holders(ctx, tasks)
	if halted != nil {
		return halted
	}
	if e != nil {
		for _, t := range tasks {
			t.Account().HolderUnknown()
		}
		return nil
	}
	if err := n.whose(ctx, holders); err != nil {
		return noRoster(err)
	}
	joined, err := n.join(ctx, tasks, holders)
	if err != nil || joined {
		return noRoster(err)
	}
	s := plan.Renames{Org: n.org.cfg.Name, Holders: holders, Present: persons(n.present)}
	s.Order(persons(tasks))
	return nil
}

// join takes into the step whom somebody waits for and who is not in it, if they
// are to give up their username and nobody works on them. The two halves of a
// swap that came in two batches meet in this way.
func (n renaming) join(ctx context.Context, waiting []*task, holders map[string]plan.Holder) (bool, error) {
	if n.lane == events.LaneBackfill { // a load has its own way
		return false, nil
	}
	here := make(map[events.Key]bool, len(n.present))
	for _, t := range n.present {
		here[t.Key] = true
	}
	var absent []*task
	for _, w := range waiting {
		h := holders[strings.ToLower(w.Wants())]
		if h.Key == "" || here[h.Key] || !h.Moves(w.Wants()) {
			continue
		}
		here[h.Key] = true
		t := &task{Person: plan.New(plan.State{Key: h.Key, Lane: n.lane})}
		n.trace.join(t, w)
		absent = append(absent, t)
	}
	came, err := n.ledger.join(ctx, absent)
	n.present, n.joined = append(n.present, came...), append(n.joined, came...)
	return len(came) > 0, err
}

// join reads and claims people whom no message named, and returns those of them
// who can be worked on. Whoever was refused for something else keeps their own
// time for the next attempt.
func (l *ledger) join(ctx context.Context, tasks []*task) ([]*task, error) {
	if len(tasks) == 0 {
		return nil, nil
	}
	var subjects []string
	for _, t := range tasks {
		subjects = append(subjects, events.DesiredSubject(l.org, t.Key), events.LinkSubject(l.org, t.Key), events.OutcomeSubject(l.org, t.Key))
	}
	now, err := l.roster.Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read those who are waited for: %w", err)
	}
	entries, err := l.roster.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return nil, fmt.Errorf("read those who are waited for: %w", err)
	}
	var open []*task
	for _, t := range tasks {
		if l.load(t, entries, now) != nil || !mayJoin(l.org, t, entries) {
			continue // what cannot be read is left to whoever can
		}
		if t.CheckDesired(); t.Open() {
			open = append(open, t)
		}
	}
	if err := l.discarded(ctx, open); err != nil {
		return nil, err
	}
	open = those(open, isOpen)
	if err := l.claim(ctx, open); err != nil {
		return nil, err
	}
	return those(open, isOpen), nil
}

// mayJoin says whether a person has not failed yet as they should be now, or
// failed because they wait for somebody themselves.
func mayJoin(org string, t *task, entries map[string]bus.Entry) bool {
	if t.Link.Attempts == 0 || t.Link.FailedRevision != t.Revision {
		return true
	}
	o, err := events.Decode[events.Outcome](entries[events.OutcomeSubject(org, t.Key)].Data)
	return err == nil && o.Failure != nil && o.Failure.Cause == events.CauseWaiting
}

// holders reads which users have the usernames.
func (n renaming) holders(ctx context.Context, tasks []*task) (map[string]plan.Holder, *salesforce.Error, error) {
	term := salesforce.InTerm{Field: plan.FieldUsername}
	for _, t := range tasks {
		term.Values = append(term.Values, t.Wants())
	}
	q := salesforce.InQuery{From: "User", Fields: []string{plan.FieldUsername, plan.FieldFederation}, Any: []salesforce.InTerm{term}}
	var records []salesforce.Record
	e, halted := n.caller.call(ctx, plan.OpLookup, "User", tasks, func(ctx context.Context) (err error) {
		records, err = n.caller.client.QueryIn(ctx, q)
		return err
	})
	if e != nil {
		return nil, e, halted
	}
	out := make(map[string]plan.Holder, len(records))
	for _, r := range records {
		name := r.String(plan.FieldUsername)
		out[strings.ToLower(name)] = plan.Holder{UserID: r.ID(), Username: name, Federation: r.String(plan.FieldFederation)}
	}
	return out, nil, nil
}

// whose adds the people whose users the holders are, and what they should have.
func (n renaming) whose(ctx context.Context, holders map[string]plan.Holder) error {
	ids := make([]string, 0, len(holders))
	for _, h := range holders {
		ids = append(ids, h.UserID)
	}
	owners, err := n.ledger.owners(ctx, ids)
	if err != nil {
		return err
	}
	keys := make([]events.Key, 0, len(owners))
	for _, o := range owners {
		keys = append(keys, o.Key)
	}
	desired, err := n.ledger.desired(ctx, keys)
	if err != nil {
		return err
	}
	for name, h := range holders {
		if o := owners[h.UserID]; o != nil {
			h.Key, h.Desired = o.Key, desired[o.Key]
			holders[name] = h
		}
	}
	return nil
}

// desired reads what people should have, as it is by now.
func (l *ledger) desired(ctx context.Context, keys []events.Key) (map[events.Key]*events.Desired, error) {
	subjects := make([]string, len(keys))
	for i, k := range keys {
		subjects[i] = events.DesiredSubject(l.org, k)
	}
	entries, err := l.roster.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return nil, fmt.Errorf("read what holders should have: %w", err)
	}
	out := make(map[events.Key]*events.Desired, len(entries))
	for i, subject := range subjects {
		e, ok := entries[subject]
		if !ok {
			continue
		}
		if d, err := events.Decode[events.Desired](e.Data); err == nil { // a newer version's is not known
			out[keys[i]] = &d
		}
	}
	return out, nil
}
