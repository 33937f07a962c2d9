package push

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// naming turns the names that people's desired state uses into ids.
type naming struct{ *batch }

func (n naming) resolve(ctx context.Context, tasks []*task) error {
	return n.ask(ctx, tasks, func(t *task) { t.Naming().Resolved(n.org.catalogue, &n.org.policy) })
}

// resolveAgain asks anew for the names of people who were refused for a wrong
// id, once; those go on whose ids were indeed stale.
func (n naming) resolveAgain(ctx context.Context, tasks []*task) error {
	used := make(map[*task]string, len(tasks))
	for _, t := range tasks {
		used[t] = t.Naming().Forget(n.org.catalogue)
	}
	return n.ask(ctx, tasks, func(t *task) { t.Naming().ResolvedAgain(n.org.catalogue, &n.org.policy, used[t]) })
}

// ask reads what the catalogue lacks, in as few calls as bear the queries, and
// lets everybody take it in.
func (n naming) ask(ctx context.Context, tasks []*task, named func(*task)) error {
	now := time.Now()
	wanted, returning := plan.Names{}, false
	for _, t := range tasks {
		t.Naming().Add(wanted)
		returning = returning || t.Link.Attempts > 0
	}
	lacking := n.org.catalogue.Lacking(wanted, returning, now)
	queries := n.org.catalogue.Queries(lacking, now)
	answers, e, halted := n.inParts(ctx, tasks, queries)
	for halted == nil && n.org.catalogue.Unreadable(e, now) { // bounded: each time less is asked
		queries = n.org.catalogue.Queries(lacking, now)
		answers, e, halted = n.inParts(ctx, tasks, queries)
	}
	if halted != nil {
		return halted
	}
	if e != nil {
		for _, t := range tasks {
			t.LookFailed(plan.OpResolve, e)
		}
		return nil
	}
	n.org.catalogue.Learn(lacking, queries, answers, now)
	for _, t := range tasks {
		named(t)
	}
	return nil
}

// inParts makes as few calls as bear the queries, and stops at the first refusal.
func (n naming) inParts(ctx context.Context, tasks []*task, queries []plan.Query) (answers [][]salesforce.Record, refused *salesforce.Error, halted error) {
	for part := range slices.Chunk(queries, salesforce.MaxCompositeQueries) {
		got, e, halted := n.query(ctx, tasks, part)
		if e != nil || halted != nil {
			return nil, e, halted
		}
		answers = append(answers, got...)
	}
	return answers, nil, nil
}

func (n naming) query(ctx context.Context, tasks []*task, queries []plan.Query) (answers [][]salesforce.Record, refused *salesforce.Error, halted error) {
	soqls := make([]string, len(queries))
	for i, q := range queries {
		soqls[i] = q.SOQL
	}
	refused, halted = n.caller.call(ctx, plan.OpResolve, "names", tasks, func(ctx context.Context) error {
		got, errs, err := n.caller.client.CompositeQueries(ctx, soqls)
		if err != nil {
			return err
		}
		answers = got
		return firstThatMatters(queries, errs)
	})
	return answers, refused, halted
}

// firstThatMatters lets an org be without some objects: not every edition has
// permission set groups, say, and then nothing is one.
func firstThatMatters(queries []plan.Query, errs []error) error {
	for i, err := range errs {
		var e *salesforce.Error
		if err == nil || queries[i].Optional && errors.As(err, &e) && e.Kind == salesforce.KindSchema {
			continue
		}
		return err
	}
	return nil
}
