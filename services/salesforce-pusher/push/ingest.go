package push

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
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

// ingest makes the users of people by one job and returns what became of each.
// notSent stands for those the job did nothing for: they are left to the
// ordinary calls, whose answers say more.
func (s *step) ingest(ctx context.Context, people []*person) map[*person]result {
	load := s.bulkLoad(people)
	load.Opened = func(jobID string) error { return s.note(people, jobID) }
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, bulkPatience)
	defer cancel()
	for _, p := range people {
		p.touched = true
	}
	traced, end := s.trace.call(ctx, opCreate, "User", people)
	job, got, err := s.runJob(traced, load)
	end(err)
	s.org.metrics.call(s.ctx, opCreate, err)
	s.org.log.InfoContext(s.ctx, "bulk job ended", "org", s.org.cfg.Name, "job", job.ID, "state", job.State,
		"people", len(people), "failed", job.Failed, "seconds", time.Since(began).Seconds(), "error", err)
	if job.ID != "" && err != nil && !s.gaveUp(job.ID) {
		s.late = true // nobody is looked up while the job may still run
	} else {
		setJob(people, "")
	}
	out := make(map[*person]result, len(people))
	for i, p := range people {
		out[p] = s.ofJob(job, got, i, err)
	}
	return out
}

// ofJob is what a job did for the ith of its people.
func (s *step) ofJob(job salesforce.BulkJob, got []salesforce.Result, i int, err error) result {
	if err != nil {
		e := salesforceError(err)
		if e.Outcome == salesforce.NotApplied && !e.OrgWide() {
			return result{err: notSent()} // the job itself was refused, nobody in it
		}
		return result{err: e}
	}
	r := result{id: got[i].ID}
	if err := got[i].Err(); err != nil {
		r.err = salesforceError(err)
		if job.State != salesforce.BulkStateComplete && r.err.Outcome == salesforce.NotApplied {
			r.err = notSent() // the job ended before it came to this row
		}
	}
	return r
}

// runJob starts the job and sees it through, over answers that got lost.
func (s *step) runJob(ctx context.Context, load salesforce.BulkLoad) (salesforce.BulkJob, []salesforce.Result, error) {
	started, err := s.org.client.BulkStart(ctx, load)
	if err != nil && (started.ID == "" || !maybeApplied(err)) {
		return started, nil, err //nolint:wrapcheck // judged by its type
	}
	lost := err != nil
	for try := 1; ; try++ {
		var job salesforce.BulkJob
		var got []salesforce.Result
		if err = s.closeAgain(ctx, started.ID, &lost); err == nil {
			job, got, err = s.org.client.BulkFinish(ctx, started.ID, load)
		}
		if err == nil || try == bulkTries || ctx.Err() != nil {
			job.ID = started.ID
			return job, got, inDoubt(err)
		}
		s.org.log.DebugContext(ctx, "bulk job is taken up again", "org", s.org.cfg.Name, "job", started.ID, "error", err)
		s.pause(ctx, load.Delay(try-1))
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
// it: an open job does nothing, for ever.
func (s *step) closeAgain(ctx context.Context, jobID string, lost *bool) error {
	if !*lost {
		return nil
	}
	job, err := s.org.client.BulkStatus(ctx, jobID)
	if err == nil && job.State == salesforce.BulkStateOpen {
		_, err = s.org.client.BulkClose(ctx, jobID)
	}
	*lost = err != nil
	return err //nolint:wrapcheck // judged by its type
}

func (s *step) pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (s *step) bulkLoad(people []*person) salesforce.BulkLoad {
	columns := map[string]bool{fieldUsername: true}
	records := make([]salesforce.Record, len(people))
	for i, p := range people {
		records[i] = p.todo.create
		for name := range p.todo.create {
			columns[name] = true
		}
	}
	return salesforce.BulkLoad{
		Object: "User", Operation: salesforce.BulkInsert, Columns: slices.Sorted(maps.Keys(columns)),
		MatchColumn: fieldUsername, Records: records, Delay: s.pauses(),
	}
}

// pauses are those between looks at a job. In each, what is held is kept.
func (s *step) pauses() func(n int) time.Duration {
	kept := time.Now()
	return func(n int) time.Duration {
		if time.Since(kept) >= keepEvery/2 {
			kept = time.Now()
			s.keep()
		}
		return min(salesforce.DefaultBulkDelay(n), keepEvery/2)
	}
}

// keep holds on to everybody open: their messages stay with us, and their claims
// are renewed in time.
func (s *step) keep() {
	held := those(s.people, isOpen)
	for _, p := range held {
		for _, m := range p.messages {
			if err := m.Working(); err != nil {
				s.org.log.DebugContext(s.ctx, "message is not held on to", "org", s.org.cfg.Name, "key", p.key, "error", err)
			}
		}
	}
	if len(held) == 0 || s.left(held) > s.org.cfg.ClaimTTL*2/3 {
		return
	}
	if err := s.claim(s.ctx, held); err != nil {
		// Another look renews them; past their end everybody is fenced.
		s.org.log.WarnContext(s.ctx, "claims of a load not renewed", "org", s.org.cfg.Name, "error", err)
	}
}

// fold compares usernames as Salesforce does.
func fold(username string) string { return strings.ToLower(username) }
