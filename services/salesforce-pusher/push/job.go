package push

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// jobs sees to it that Bulk jobs of workers that are gone are over.
type jobs struct{ *batch }

// end looks at jobs that may still make a user. Until they are over the step
// waits: a job may make one at any time.
func (j jobs) end(ctx context.Context, tasks []*task) error {
	byJob := map[string][]*task{}
	for _, t := range tasks {
		byJob[t.Link.Job] = append(byJob[t.Link.Job], t)
	}
	for _, id := range slices.Sorted(maps.Keys(byJob)) {
		who, err := j.ready(ctx, byJob[id], tasks)
		if err != nil {
			return err
		}
		if len(who) == 0 {
			continue
		}
		if err := j.endOne(ctx, id, who); err != nil {
			return err
		}
	}
	return nil
}

func (j jobs) endOne(ctx context.Context, id string, tasks []*task) error {
	var over, stopped bool
	e, halted := j.caller.call(ctx, plan.OpLookup, "jobs/ingest", tasks, func(ctx context.Context) (err error) {
		over, stopped, err = j.abort(ctx, id)
		return err
	})
	switch {
	case halted != nil:
		return halted
	case e == nil && over:
		setJob(tasks, "")
		return nil
	case e == nil: // it may make their users at any time, and nobody else's
		for _, t := range tasks {
			t.Wait(again(stopped))
		}
		return nil
	case e.Outcome == salesforce.MaybeApplied, e.OrgWide(), e.Class == salesforce.Timeout:
		return outOfTime() // looked at again in a moment
	}
	for _, t := range tasks {
		t.LookFailed(plan.OpLookup, e)
	}
	return nil
}

// again is when a job that is not over is looked at again: soon where it was
// stopped, otherwise in its own time, for each look is an API call.
func again(stopped bool) time.Duration {
	if stopped {
		return giveBack
	}
	return 30 * giveBack
}

// abort says whether a job is over, and aborts one that is not, which it says as
// well: rows that were done stay done. What ran while it was aborted may still
// write, so only the next look calls it over.
func (j jobs) abort(ctx context.Context, jobID string) (over, stopped bool, err error) {
	client := j.caller.client
	job, err := client.BulkStatus(ctx, jobID)
	if err != nil && plan.ErrorIn(err).Class == salesforce.NotFound {
		return true, false, nil // Salesforce drops jobs after a week, and never one that runs
	}
	if err != nil || job.Done() {
		return err == nil, false, err
	}
	waiting := job.State == salesforce.BulkStateOpen
	aborted, err := client.BulkAbort(ctx, jobID)
	if e := plan.ErrorIn(err); err != nil && e.Outcome == salesforce.NotApplied && !e.OrgWide() {
		return false, false, nil // it ended meanwhile, or cannot be aborted: the next look says
	}
	if err != nil {
		return false, false, err
	}
	j.org.log.InfoContext(ctx, "bulk job aborted", "org", j.org.cfg.Name, "job", jobID)
	return waiting && aborted.Done(), true, nil
}

// giveUp ends a job that is not waited for any more, and says whether it is over.
func (j jobs) giveUp(ctx context.Context, jobID string) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), j.org.cfg.CallTimeout)
	defer cancel()
	over, _, err := j.abort(ctx, jobID)
	if err != nil {
		j.org.log.DebugContext(ctx, "bulk job is not aborted", "org", j.org.cfg.Name, "job", jobID, "error", err)
	}
	return over
}

func setJob(tasks []*task, jobID string) {
	for _, t := range tasks {
		t.JobIs(jobID)
	}
}
