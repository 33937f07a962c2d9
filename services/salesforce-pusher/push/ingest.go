package push

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

const (
	// bulkPatience is how long a job may take. Salesforce itself gives up on a
	// batch after much less; what is lost then is looked up.
	bulkPatience = time.Hour
	// bulkTries bounds how often a job is taken up again whose state could not
	// be read.
	bulkTries = 5
	// keepEvery is well inside the ack wait, and inside a claim.
	keepEvery = 10 * time.Second
)

// ingest makes the users of people by one job and returns what became of each;
// loop is the service's own context, at whose end a job is not waited for any
// more. notSent stands for those the job did nothing for: they are left to the
// ordinary calls, whose answers say more.
func (l *load) ingest(loop, ctx context.Context, tasks []*task) (map[*task]result, error) {
	var broken error
	rows := l.bulkLoad(ctx, tasks)
	rows.Opened = func(jobID string) error {
		var err error
		broken, err = l.note(ctx, tasks, jobID)
		return err
	}
	began := time.Now()
	waited, cancel := context.WithTimeout(loop, bulkPatience)
	defer cancel()
	for _, t := range tasks {
		t.Touched()
	}
	traced, end := l.trace.call(waited, plan.OpCreate, "User", tasks)
	job, got, err := l.runJob(traced, rows)
	end(err)
	l.org.metrics.call(ctx, plan.OpCreate, err)
	l.org.log.InfoContext(ctx, "bulk job ended", "org", l.org.cfg.Name, "job", job.ID, "state", job.State,
		"people", len(tasks), "failed", job.Failed, "seconds", time.Since(began).Seconds(), "error", err)
	halted := noRoster(broken)
	if job.ID != "" && err != nil && !(jobs{l.batch}).giveUp(ctx, job.ID) {
		if halted == nil {
			halted = outOfTime() // nobody is looked up while the job may still run
		}
	} else {
		setJob(tasks, "")
	}
	out := make(map[*task]result, len(tasks))
	for i, t := range tasks {
		out[t] = ofJob(job, got, i, err)
	}
	return out, halted
}

// ofJob is what a job did for the ith of its people.
func ofJob(job salesforce.BulkJob, got []salesforce.Result, i int, err error) result {
	if err != nil {
		e := plan.ErrorIn(err)
		if e.Outcome == salesforce.NotApplied && !e.OrgWide() {
			return result{err: notSent()} // the job itself was refused, nobody in it
		}
		return result{err: e}
	}
	r := result{id: got[i].ID}
	if err := got[i].Err(); err != nil {
		r.err = plan.ErrorIn(err)
		if job.State != salesforce.BulkStateComplete && r.err.Outcome == salesforce.NotApplied {
			r.err = notSent() // the job ended before it came to this row
		}
	}
	return r
}

// runJob starts the job and sees it through, over answers that got lost.
func (l *load) runJob(ctx context.Context, rows salesforce.BulkLoad) (salesforce.BulkJob, []salesforce.Result, error) {
	client := l.caller.client
	started, err := client.BulkStart(ctx, rows)
	if err != nil && (started.ID == "" || !maybeApplied(err)) {
		return started, nil, err
	}
	lost := err != nil
	for try := 1; ; try++ {
		var job salesforce.BulkJob
		var got []salesforce.Result
		if lost {
			lost, err = l.closeAgain(ctx, started.ID)
		}
		if !lost {
			job, got, err = client.BulkFinish(ctx, started.ID, rows)
		}
		if err == nil || try == bulkTries || ctx.Err() != nil {
			job.ID = started.ID
			return job, got, inDoubt(err)
		}
		l.org.log.DebugContext(ctx, "bulk job is taken up again", "org", l.org.cfg.Name, "job", started.ID, "error", err)
		pause(ctx, rows.Delay(try-1))
	}
}

// inDoubt: of a job that was perhaps closed, nobody knows what it did.
func inDoubt(err error) error {
	var e *salesforce.Error
	if errors.As(err, &e) {
		e.Outcome = salesforce.MaybeApplied
	}
	return err
}

// closeAgain closes a job whose close got lost, where Salesforce has not heard of
// it: an open job does nothing, for ever. It says whether the close is still lost.
func (l *load) closeAgain(ctx context.Context, jobID string) (lost bool, err error) {
	job, err := l.caller.client.BulkStatus(ctx, jobID)
	if err == nil && job.State == salesforce.BulkStateOpen {
		_, err = l.caller.client.BulkClose(ctx, jobID)
	}
	return err != nil, err
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (l *load) bulkLoad(ctx context.Context, tasks []*task) salesforce.BulkLoad {
	columns := map[string]bool{plan.FieldUsername: true}
	records := make([]salesforce.Record, len(tasks))
	for i, t := range tasks {
		records[i] = t.Change().Create
		for name := range records[i] {
			columns[name] = true
		}
	}
	return salesforce.BulkLoad{
		Object: "User", Operation: salesforce.BulkInsert, Columns: slices.Sorted(maps.Keys(columns)),
		MatchColumn: plan.FieldUsername, Records: records, Delay: l.pauses(ctx),
	}
}

// pauses are those between looks at a job. In each, what is held is kept.
func (l *load) pauses(ctx context.Context) func(n int) time.Duration {
	kept := time.Now()
	return func(n int) time.Duration {
		if time.Since(kept) >= keepEvery/2 {
			kept = time.Now()
			l.keep(ctx)
		}
		return min(salesforce.DefaultBulkDelay(n), keepEvery/2)
	}
}

// note writes down, in everybody's link, which job may make their user, before
// it holds a row. Whoever takes them over ends it before looking for a user:
// somebody who leaves meanwhile would have none yet, and one afterwards. broken
// is NATS not answering.
func (l *load) note(ctx context.Context, tasks []*task, jobID string) (broken, refused error) {
	setJob(tasks, jobID)
	if err := l.ledger.claim(ctx, tasks); err != nil {
		return err, notSent()
	}
	if len(those(tasks, isOpen)) < len(tasks) {
		return nil, notSent() // somebody took one of them over
	}
	return nil, nil
}

// keep holds on to everybody open: their messages stay with us, and their claims
// are renewed in time.
func (l *load) keep(ctx context.Context) {
	held := those(l.tasks, isOpen)
	for _, t := range held {
		for _, m := range t.messages {
			if err := m.Working(); err != nil {
				l.org.log.DebugContext(ctx, "message is not held on to", "org", l.org.cfg.Name, "key", t.Key, "error", err)
			}
		}
	}
	if len(held) == 0 || l.ledger.left(held) > l.org.cfg.ClaimTTL*2/3 {
		return
	}
	if err := l.ledger.claim(ctx, held); err != nil {
		// Another look renews them; past their end everybody is fenced.
		l.org.log.WarnContext(ctx, "claims of a load not renewed", "org", l.org.cfg.Name, "error", err)
	}
}
