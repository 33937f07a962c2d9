package push

import (
	"context"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// creating makes new users. A refusal may mean that the person has a user
// already, so whoever is refused is looked up before being judged.
type creating struct{ *batch }

func (c creating) create(ctx context.Context, tasks []*task) error {
	// Whose user turned out to be gone has not said yet under which name another is made.
	silent := those(tasks, func(t *task) bool { return !t.announced })
	if err := c.ledger.claim(ctx, silent); err != nil {
		return noRoster(err)
	}
	if tasks = those(tasks, isOpen); len(tasks) == 0 {
		return nil
	}
	units := unitsOf(tasks)
	results, halted := c.caller.collect(ctx, plan.OpCreate, "User", units, func(ctx context.Context, part []unit) ([]salesforce.Result, error) {
		records := make([]salesforce.Record, len(part))
		for i, u := range part {
			records[i] = u.t.Change().Create
			u.t.Touched()
		}
		return c.caller.client.CreateRecords(ctx, "User", records)
	})
	return c.created(ctx, halted, units, results)
}

// created takes in what became of people's inserts.
func (c creating) created(ctx context.Context, halted error, units []unit, results []result) error {
	return c.sift(ctx, halted, plan.OpCreate, units, results, func(u unit, r result) {
		if r.err != nil {
			if r.after != nil && r.err.Class == salesforce.Duplicate {
				r.err = r.after // the user may be the one that the earlier call made
			}
			u.t.Account().NotCreated(r.err)
			return
		}
		u.t.owner = u.t.Account().Created(r.id)
		c.taken[r.id] = u.t.Key
	}, func(u unit, r result) {
		if r.after != nil {
			u.t.Account().MayBeCreated()
		}
	})
}
