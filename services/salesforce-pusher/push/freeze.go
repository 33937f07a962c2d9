package push

import (
	"context"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// freezing sets UserLogin.IsFrozen, which shuts a user out or lets them in
// without touching the licence. It is another object, and so another call.
type freezing struct{ *batch }

// freeze shuts people out. Mostly it is a precaution, and may fail quietly.
func (f freezing) freeze(ctx context.Context, tasks []*task) error {
	return f.set(ctx, tasks, true, func(t *task, e *salesforce.Error) { t.Account().NotFrozen(e) })
}

// unfreeze lets people in; it is tried again with the person.
func (f freezing) unfreeze(ctx context.Context, tasks []*task) error {
	return f.set(ctx, tasks, false, func(t *task, e *salesforce.Error) { t.Account().NotUnfrozen(e) })
}

func (f freezing) set(ctx context.Context, tasks []*task, frozen bool, refused func(*task, *salesforce.Error)) error {
	logins, e, halted := f.logins(ctx, tasks)
	if halted != nil {
		return halted
	}
	var units []unit
	for _, t := range tasks {
		l := logins[t.Link.UserID]
		switch {
		case e != nil:
			refused(t, e)
		case l == nil || l.Bool("IsFrozen") == frozen:
			t.Account().FrozenIs(frozen && l != nil, false) // no row: nobody can sign in by it, and nothing to set
		default:
			units = append(units, unit{t: t})
		}
	}
	if frozen {
		var err error
		if units, err = f.intend(ctx, units); err != nil {
			return err
		}
	}
	if len(units) == 0 {
		return nil
	}
	results, halted := f.caller.collect(ctx, plan.OpFreeze, "UserLogin", units, func(ctx context.Context, part []unit) ([]salesforce.Result, error) {
		records := make([]salesforce.Record, len(part))
		for i, u := range part {
			records[i] = withID(logins[u.t.Link.UserID].ID(), map[string]any{"IsFrozen": frozen})
			u.t.Touched()
		}
		return f.caller.client.UpdateRecords(ctx, "UserLogin", records)
	})
	return f.sift(ctx, halted, plan.OpFreeze, units, results, func(u unit, r result) {
		switch {
		case r.err != nil && halted != nil:
			u.t.Account().FreezeLost(frozen) // the org's trouble, nobody's failure
			return
		case r.err != nil:
			refused(u.t, r.err)
			return
		}
		u.t.Account().FrozenIs(frozen, true)
	}, func(u unit, r result) {
		if frozen && r.after == nil {
			u.t.Account().FreezeNotSent()
		}
	})
}

// intend commits who is about to be shut out: a worker that dies after the call
// leaves a freeze that nobody else has heard of.
func (f freezing) intend(ctx context.Context, units []unit) ([]unit, error) {
	if len(units) == 0 {
		return nil, nil
	}
	for _, u := range units {
		u.t.Account().IntendFreeze()
	}
	if err := f.ledger.checkpoint(ctx, tasksOf(units)); err != nil {
		return nil, noRoster(err)
	}
	return slices.DeleteFunc(units, func(u unit) bool { return u.t.Fate() == plan.Fenced }), nil
}

func (f freezing) logins(ctx context.Context, tasks []*task) (map[string]salesforce.Record, *salesforce.Error, error) {
	ids := make([]string, len(tasks))
	for i, t := range tasks {
		ids[i] = t.Link.UserID
	}
	q := salesforce.InQuery{From: "UserLogin", Fields: []string{"UserId", "IsFrozen"}, Any: []salesforce.InTerm{{Field: "UserId", Values: ids}}}
	var records []salesforce.Record
	e, halted := f.caller.call(ctx, plan.OpLookup, "UserLogin", tasks, func(ctx context.Context) (err error) {
		records, err = f.caller.client.QueryIn(ctx, q)
		return err
	})
	if e != nil {
		return nil, e, halted
	}
	out := make(map[string]salesforce.Record, len(records))
	for _, r := range records {
		out[r.String("UserId")] = r
	}
	return out, nil, nil
}
