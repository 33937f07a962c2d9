package push

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// settle returns the link to write for a person at the end of a step: released,
// and with what is now true. It is what everything else rests on: AppliedHash
// stands only where all of desired was applied, and an attempt is counted only
// where the person themselves failed.
func settle(p *person, now time.Time) events.Link {
	l := p.link
	l.Org, l.Key = p.desired.Org, p.key
	l.Claim, l.At = nil, now.UTC()
	if p.touched && p.fate != applied {
		l.AppliedHash = ""
	}
	switch p.fate {
	case applied, current:
		l.AppliedRevision, l.AppliedHash = p.revision, p.desired.Hash
		l.Unsure = false
		l.Attempts, l.FailedRevision, l.FirstFailedAt = 0, 0, time.Time{}
	case failed:
		if l.FailedRevision != p.revision {
			l.FailedRevision, l.Attempts, l.FirstFailedAt = p.revision, 0, l.At
		}
		l.Attempts++
		l.Failures++
	}
	return l
}

// outcomeOf is the record of how a person's attempt ended. It follows settle.
func outcomeOf(p *person, l events.Link) events.Outcome {
	o := events.Outcome{
		Org: p.desired.Org, Key: p.key, Revision: p.revision, Lane: p.desired.Lane,
		Result: events.ResultApplied, Actions: p.actions, UserID: l.UserID,
		Attempt: l.Attempts, FirstFailedAt: l.FirstFailedAt, Failures: l.Failures,
		At: l.At, Origin: p.desired.Origin, Username: p.username(),
	}
	if o.Lane == "" {
		o.Lane = p.lane
	}
	switch p.fate {
	case failed:
		o.Result, o.Failure = events.ResultFailed, p.failure
	case discarded:
		o.Result = events.ResultDiscarded
	}
	return o
}

// sort says what a person needs, from desired and link alone: fate open means
// that Salesforce has to be asked.
func sort(p *person, hasDesired bool, worker string, now time.Time, skew time.Duration) {
	c := p.link.Claim
	if !hasDesired {
		p.fate = idle
		return
	}
	if c != nil && c.Worker != worker && now.Before(c.Until.Add(skew)) {
		p.fate, p.again = busy, c.Until.Add(skew).Sub(now)
		return
	}
	if c != nil || p.link.Unsure || p.link.Job != "" {
		// The holder is gone, or a call was lost: nobody knows how far it came,
		// so what was applied before says nothing either.
		p.link.Unsure, p.link.AppliedHash = true, ""
		return
	}
	if p.link.AppliedHash != p.desired.Hash {
		return
	}
	p.fate = idle
	if p.link.AppliedRevision < p.revision || p.link.Attempts > 0 {
		p.fate = current
	}
}

// givenUp says whether an admin discarded this very revision.
func givenUp(p *person, d events.Discarded) bool { return d.Revision == p.revision }

// doubtful says whether a person has failed at this revision before, and so may
// have been discarded since.
func doubtful(p *person) bool { return p.link.Attempts > 0 && p.link.FailedRevision == p.revision }
