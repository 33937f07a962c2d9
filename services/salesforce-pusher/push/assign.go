package push

import (
	"context"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// assigning gives and takes permission sets and memberships, for everybody in as
// few calls as there are 200 records.
type assigning struct{ *batch }

// read learns what users just found have already.
func (a assigning) read(ctx context.Context, tasks []*task) error {
	have, e, halted := a.query(ctx, tasks)
	if halted != nil {
		return halted
	}
	for _, t := range tasks {
		if e != nil {
			t.LookFailed(plan.OpLookup, e)
			continue
		}
		t.Assignments().Saw(have[t.Link.UserID], a.org.catalogue.Knows)
	}
	return nil
}

// readBack reads assignments whose call got lost.
func (a assigning) readBack(ctx context.Context, tasks []*task) error {
	have, e, halted := a.query(ctx, tasks)
	if halted != nil {
		return halted
	}
	for _, t := range tasks {
		if e != nil {
			t.Assignments().NotBack()
			continue
		}
		t.Assignments().Back(have[t.Link.UserID], a.org.catalogue.Asked)
	}
	return nil
}

// units are the open work of a kind, each kind of name by itself.
func units(tasks []*task, list func(c *plan.Change) []string, compare func(a, b string) int) []unit {
	var out []unit
	for _, t := range tasks {
		for _, name := range list(t.Change()) {
			out = append(out, unit{t: t, name: name})
		}
	}
	slices.SortStableFunc(out, func(a, b unit) int { return compare(a.name, b.name) })
	return out
}

// give makes assignments.
func (a assigning) give(ctx context.Context, tasks []*task) error {
	return a.inChunks(ctx, tasks, units(tasks, func(c *plan.Change) []string { return c.Give }, plan.CompareForGiving), a.giveSome)
}

// take removes assignments that Rollcall gave and that are not desired any more.
func (a assigning) take(ctx context.Context, tasks []*task) error {
	all := units(tasks, func(c *plan.Change) []string { return c.Take }, plan.CompareForTaking)
	if halted := a.identify(ctx, all); halted != nil {
		return halted
	}
	all = slices.DeleteFunc(all, func(u unit) bool {
		if !u.t.Open() || !u.t.Assignments().Nameless(u.name) {
			return !u.t.Open()
		}
		if a.org.catalogue.Asked(u.name) {
			u.t.Assignments().Missing(u.name)
		}
		return true
	})
	return a.inChunks(ctx, tasks, all, a.takeSome)
}

// inChunks works units off a call at a time, those only whose people are still
// ours.
func (a assigning) inChunks(ctx context.Context, tasks []*task, all []unit, some func(ctx context.Context, units []unit) error) error {
	for chunk := range slices.Chunk(all, batchMax) {
		if _, err := a.ready(ctx, tasksOf(chunk), tasks); err != nil {
			return err
		}
		chunk = slices.DeleteFunc(slices.Clone(chunk), func(u unit) bool { return u.t.Fate() == plan.Fenced })
		if len(chunk) == 0 {
			continue
		}
		if err := some(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

func (a assigning) giveSome(ctx context.Context, units []unit) error {
	units, err := a.intend(ctx, units)
	if err != nil || len(units) == 0 {
		return err
	}
	results, halted := a.caller.collect(ctx, plan.OpAssign, plan.Object(units[0].name), units, a.sendGive)
	return a.sift(ctx, halted, plan.OpAssign, units, results, func(u unit, r result) {
		switch {
		case r.err == nil:
			u.t.Assignments().Given(u.name, r.id)
		case r.after != nil && r.err.Class == salesforce.Duplicate:
			u.t.Assignments().Lost(u.name, plan.OpAssign, r.after) // perhaps by the earlier call
		case r.err.Class == salesforce.AlreadyDone:
			u.t.Assignments().HadAlready(u.name)
		case r.err.Outcome == salesforce.MaybeApplied:
			u.t.Assignments().Lost(u.name, plan.OpAssign, r.err)
		default:
			u.t.Assignments().GiveRefused(u.name, r.err)
		}
	}, func(u unit, r result) {
		if r.after == nil {
			u.t.Assignments().NotGiven(u.name)
		}
	})
}

// intend commits what is about to be given, and with it the users just made.
func (a assigning) intend(ctx context.Context, units []unit) ([]unit, error) {
	for _, u := range units {
		u.t.Assignments().Intend(u.name)
	}
	if err := a.ledger.checkpoint(ctx, tasksOf(units)); err != nil {
		return nil, noRoster(err)
	}
	return slices.DeleteFunc(units, func(u unit) bool {
		return !u.t.Open() && u.t.Link.UserID == "" || u.t.Fate() == plan.Fenced
	}), nil
}

func (a assigning) sendGive(ctx context.Context, part []unit) ([]salesforce.Result, error) {
	records := make([]salesforce.Record, len(part))
	for i, u := range part {
		t, _ := a.org.catalogue.Target(u.name)
		u.t.Touched()
		records[i] = typed(plan.Object(u.name), plan.NewAssignment(u.name, t, u.t.Link.UserID))
	}
	return a.caller.client.CreateMixed(ctx, records)
}

func (a assigning) takeSome(ctx context.Context, units []unit) error {
	results, halted := a.caller.collect(ctx, plan.OpUnassign, plan.Object(units[0].name), units, a.sendTake)
	return a.sift(ctx, halted, plan.OpUnassign, units, results, func(u unit, r result) {
		switch {
		case r.err == nil || plan.Gone(r.err):
			u.t.Assignments().Taken(u.name)
		case r.err.Outcome == salesforce.MaybeApplied:
			u.t.Assignments().Lost(u.name, plan.OpUnassign, r.err)
		default:
			u.t.Assignments().TakeRefused(u.name, r.err)
		}
	}, nil)
}

func (a assigning) sendTake(ctx context.Context, part []unit) ([]salesforce.Result, error) {
	ids := make([]string, len(part))
	for i, u := range part {
		ids[i] = u.t.Link.Assigned[u.name]
		u.t.Touched()
	}
	return a.caller.client.DeleteRecords(ctx, ids)
}

// identify reads the ids of assignments that were there when we made them.
func (a assigning) identify(ctx context.Context, units []unit) error {
	tasks := tasksOf(slices.DeleteFunc(slices.Clone(units), func(u unit) bool { return !u.t.Assignments().Nameless(u.name) }))
	if len(tasks) == 0 {
		return nil
	}
	have, e, halted := a.query(ctx, tasks)
	if halted != nil {
		return halted
	}
	for _, t := range tasks {
		if e != nil {
			t.LookFailed(plan.OpUnassign, e)
		}
	}
	for _, u := range units {
		if id, ok := have[u.t.Link.UserID][u.name]; ok && u.t.Assignments().Nameless(u.name) {
			u.t.Assignments().Identified(u.name, id)
		}
	}
	return nil
}

// query reads which of the managed permission sets and groups users have: by
// user id, by name, the id of the assignment.
func (a assigning) query(ctx context.Context, tasks []*task) (map[string]map[string]string, *salesforce.Error, error) {
	q := plan.QueryAssignments(persons(tasks), a.org.catalogue)
	var lists [][]salesforce.Record
	for part := range slices.Chunk(q.SOQL, salesforce.MaxCompositeQueries) {
		e, halted := a.caller.call(ctx, plan.OpLookup, "assignments", tasks, func(ctx context.Context) error {
			got, errs, err := a.caller.client.CompositeQueries(ctx, part)
			if err != nil {
				return err
			}
			lists = append(lists, got...)
			return first(errs)
		})
		if e != nil {
			return nil, e, halted
		}
	}
	return q.Read(lists), nil, nil
}

func first(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
