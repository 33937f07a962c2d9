package push

import (
	"context"
	"fmt"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// maxLooks is how often one step asks who has usernames. Each time at least one
// more person can be renamed; whoever is left then comes again.
const maxLooks = 20

// renaming gives people usernames that others of them have.
type renaming struct{ *batch }

// settle finds out, for everybody who was refused a username at once, who has it.
func (n renaming) settle(ctx context.Context, tasks []*task) error {
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
	s := plan.Settling{Org: n.org.cfg.Name, Holders: holders, Present: persons(n.present)}
	s.Settle(persons(tasks))
	return nil
}

// holders reads which users have the usernames.
func (n renaming) holders(ctx context.Context, tasks []*task) (map[string]plan.Holder, *salesforce.Error, error) {
	term := salesforce.InTerm{Field: plan.FieldUsername}
	for _, t := range tasks {
		term.Values = append(term.Values, t.Wants())
	}
	q := salesforce.InQuery{From: "User", Fields: []string{plan.FieldUsername}, Any: []salesforce.InTerm{term}}
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
		out[strings.ToLower(r.String(plan.FieldUsername))] = plan.Holder{UserID: r.ID()}
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
		d, err := events.Decode[events.Desired](e.Data)
		if err != nil {
			return nil, err
		}
		out[keys[i]] = &d
	}
	return out, nil
}
