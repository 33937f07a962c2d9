package plan

import (
	"maps"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// Release returns the link to write for a person at the end of a step: released,
// and with what is now true. It is what everything else rests on: AppliedHash
// stands only where all of desired was applied, and an attempt is counted only
// where the person themselves failed.
func (p *Person) Release(now time.Time) events.Link {
	l := p.Link
	l.Org, l.Key = p.Desired.Org, p.Key
	l.Claim, l.At = nil, now.UTC()
	if p.touched && p.fate != Applied {
		l.AppliedHash = ""
	}
	switch p.fate {
	case Applied, Current:
		l.AppliedRevision, l.AppliedHash = p.Revision, p.Desired.Hash
		l.Unsure = false
		if !p.late() { // everything was read after the last lost call could be applied
			if !l.UnsureUntil.IsZero() && !p.Desired.Active {
				p.disbelieve(&l)
			}
			l.UnsureUntil, l.SentUsername = time.Time{}, ""
		}
		l.Attempts, l.FailedRevision, l.FirstFailedAt = 0, 0, time.Time{}
		l.Drift = settled(l.Drift, p.Desired.Active)
		l.Allowed = spent(l.Allowed)
	case Failed:
		if l.FailedRevision != p.Revision {
			l.FailedRevision, l.Attempts, l.FirstFailedAt = p.Revision, 0, l.At
		}
		l.Attempts++
		l.Failures++
	}
	return l
}

// disbelieve takes out of the link of somebody who has left, whose look is over, what
// a call without an answer may have changed and nobody has read.
func (p *Person) disbelieve(l *events.Link) {
	l.FieldHashes = untold(l.FieldHashes)
	if !p.ownership.read {
		l.Assigned = unread(l.Assigned)
	}
}

// unread are the assignments of somebody who has left, which nobody reads: a removal
// without an answer may have been applied, so what Rollcall gave is perhaps there.
func unread(assigned map[string]string) map[string]string {
	out := maps.Clone(assigned)
	for name, id := range out {
		if id != found {
			out[name] = perhaps
		}
	}
	return out
}

// untold are the fields of somebody who has left: an update without an answer may
// have been applied, so what is wanted of somebody who is back is sent.
func untold(hashes map[string]string) map[string]string {
	out := maps.Clone(hashes)
	for name := range out {
		out[name] = someValue
	}
	return out
}

// Outcome is the record of how a person's attempt ended, once l is what Release
// returned.
func (p *Person) Outcome(l events.Link) events.Outcome {
	o := events.Outcome{
		Org: p.Desired.Org, Key: p.Key, Revision: p.Revision, Lane: p.Desired.Lane,
		Result: events.ResultApplied, Actions: p.actions, UserID: l.UserID,
		Attempt: l.Attempts, FirstFailedAt: l.FirstFailedAt, Failures: l.Failures,
		At: l.At, Origin: p.Desired.Origin, Username: p.Username(),
	}
	if o.Lane == "" {
		o.Lane = p.Lane
	}
	switch p.fate {
	case Failed:
		o.Result, o.Failure = events.ResultFailed, p.failure
	case Discarded:
		o.Result = events.ResultDiscarded
	}
	return o
}

// Interim is the link to write in the middle of a step: what is known by now,
// still claimed.
func (p *Person) Interim(c events.Claim) events.Link {
	l := p.Link
	l.Key, l.Claim = p.Key, &c
	if name, _ := p.Desired.Fields[FieldUsername].(string); l.UserID == "" && !p.late() {
		l.SentUsername = name // whoever takes over looks for the user that we may be making
	}
	if p.touched {
		l.AppliedHash = ""
	}
	return l
}

// spent is a yes that has been made use of: the next time somebody asks again. It is kept,
// so that a request which comes twice is known.
func spent(a *events.Allowed) *events.Allowed {
	if a == nil || a.Used {
		return a
	}
	used := *a
	used.Used = true
	return &used
}
