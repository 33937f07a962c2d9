package push

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// updating makes existing users as they are desired: fields, activation,
// deactivation.
type updating struct{ *batch }

func (w updating) update(ctx context.Context, tasks []*task) error {
	tasks = slices.Clone(tasks)
	slices.SortStableFunc(tasks, func(a, b *task) int { return cmp.Compare(a.Account().Turn(), b.Account().Turn()) })
	units := unitsOf(tasks)
	results, halted := w.caller.collect(ctx, plan.OpUpdate, "User", units, func(ctx context.Context, part []unit) ([]salesforce.Result, error) {
		records := make([]salesforce.Record, len(part))
		for i, u := range part {
			records[i] = withID(u.t.Link.UserID, u.t.Account().Sending())
			u.t.Touched()
		}
		return w.caller.client.UpdateRecords(ctx, "User", records)
	})
	return w.sift(ctx, halted, plan.OpUpdate, units, results, func(u unit, r result) {
		switch {
		case r.err == nil:
			u.t.Account().Updated()
		case r.err.Outcome == salesforce.MaybeApplied:
			u.t.Account().UpdateLost(r.err)
		default:
			u.t.Account().UpdateRefused(r.err)
		}
	}, nil)
}

// readBack reads users whose update got lost, and judges by what they are.
func (w updating) readBack(ctx context.Context, tasks []*task) error {
	users, _, halted := correlating(w).read(ctx, tasks)
	if halted != nil {
		return halted
	}
	for _, t := range tasks {
		t.Account().ReadBack(users, &w.org.policy)
	}
	return nil
}

// withID is a record to update.
func withID(id string, fields map[string]any) salesforce.Record {
	r := make(salesforce.Record, len(fields)+1)
	maps.Copy(r, fields)
	r[plan.FieldID] = id
	return r
}
