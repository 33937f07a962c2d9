package push

import (
	"context"
	"maps"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// note writes down, in everybody's link, which job may make their user, before
// it holds a row. Whoever takes them over ends it before looking for a user:
// somebody who leaves meanwhile would have none yet, and one afterwards.
func (s *step) note(people []*person, jobID string) error {
	setJob(people, jobID)
	if err := s.claim(s.ctx, people); err != nil {
		s.broken = err
		return notSent()
	}
	if len(those(people, isOpen)) < len(people) {
		return notSent() // somebody took one of them over
	}
	return nil
}

func setJob(people []*person, jobID string) {
	for _, p := range people {
		p.link.Job = jobID
	}
}

// endJobs sees to it that jobs of workers that are gone are over. Until then
// the step waits: the job may make a user at any time.
func (s *step) endJobs() {
	byJob := map[string][]*person{}
	for _, p := range those(s.people, isOpen) {
		if p.link.Job != "" {
			byJob[p.link.Job] = append(byJob[p.link.Job], p)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(byJob)) {
		people := s.ready(byJob[id])
		if len(people) == 0 {
			continue
		}
		var over bool
		err := s.call(opLookup, "jobs/ingest", people, func(ctx context.Context) (err error) {
			over, err = s.endJob(ctx, id)
			return err
		})
		switch e := salesforceError(err); {
		case err == nil && over:
			setJob(people, "")
		case err == nil, maybeApplied(err), e.OrgWide(), e.Class == salesforce.Timeout:
			s.late = true // looked at again in a moment
		default:
			for _, p := range people {
				p.fail(judged(e, opLookup))
			}
		}
		if s.stopped() {
			return
		}
	}
}

// endJob says whether a job is over, and aborts one that is not: rows that were
// done stay done. What ran while it was aborted may still write, so only the
// next look calls it over.
func (s *step) endJob(ctx context.Context, jobID string) (over bool, err error) {
	job, err := s.org.client.BulkStatus(ctx, jobID)
	if e := salesforceError(err); err != nil && e.Class == salesforce.NotFound {
		return true, nil // Salesforce drops jobs after a week, and never one that runs
	}
	if err != nil || job.Done() {
		return err == nil, err //nolint:wrapcheck // judged by its type
	}
	waiting := job.State == salesforce.BulkStateOpen
	aborted, err := s.org.client.BulkAbort(ctx, jobID)
	if e := salesforceError(err); err != nil && e.Outcome == salesforce.NotApplied && !e.OrgWide() {
		return false, nil // it ended meanwhile, or cannot be aborted: the next look says
	}
	if err != nil {
		return false, err //nolint:wrapcheck // judged by its type
	}
	s.org.log.InfoContext(ctx, "bulk job aborted", "org", s.org.cfg.Name, "job", jobID)
	return waiting && aborted.Done(), nil
}

// gaveUp ends a job that is not waited for any more, and says whether it is over.
func (s *step) gaveUp(jobID string) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), s.org.cfg.CallTimeout)
	defer cancel()
	over, err := s.endJob(ctx, jobID)
	if err != nil {
		s.org.log.DebugContext(ctx, "bulk job is not aborted", "org", s.org.cfg.Name, "job", jobID, "error", err)
	}
	return over
}
