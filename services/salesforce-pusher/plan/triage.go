package plan

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// Triage says who needs anything at all, from desired and link alone: those
// still open afterwards have to be claimed, and Salesforce has to be asked. A
// claim of another worker counts until skew after its end, for clocks differ.
func (p *Person) Triage(worker string, now time.Time, skew time.Duration, o *Policy) {
	p.plausible(o)
	c := p.Link.Claim
	p.At, p.leaves, p.believed = now, o.Leave, p.Link.Active
	if p.Revision == 0 {
		p.end(Idle)
		return
	}
	if c != nil && c.Worker != worker && now.Before(c.Until.Add(skew)) {
		p.Wait(p.turn(now, c.Until.Add(skew)))
		return
	}
	switch {
	case c != nil: // the holder is gone, and nobody knows how far it came
		p.doubt(c.Until.Add(o.LateFor))
	case p.Link.Unsure && p.Link.UnsureUntil.IsZero(): // version 1 said no more
		p.doubt(p.Link.At.Add(o.LateFor))
	}
	p.inherited = c != nil || p.Link.Unsure
	if c != nil || p.Link.Unsure || p.Link.Job != "" || !p.Link.UnsureUntil.IsZero() {
		// What was applied before says nothing while a call may still be applied.
		p.Link.Unsure, p.Link.AppliedHash = true, ""
		return
	}
	if p.Lane == events.LaneCheck || p.Link.Drift.Due() {
		p.reread, p.Link.AppliedHash = true, "" // until everything was read, and put right
		return
	}
	if p.Link.AppliedHash != p.Desired.Hash {
		return
	}
	p.end(Idle)
	if p.Link.AppliedRevision < p.Revision || p.Link.Attempts > 0 {
		p.end(Current)
	}
}

// GivenUp says whether an admin discarded this very revision.
func (p *Person) GivenUp(d events.Discarded) bool { return d.Revision == p.Revision }

// MayBeGivenUp says whether a person has failed at this revision before, and so
// may have been discarded since.
func (p *Person) MayBeGivenUp() bool {
	return p.Open() && p.Link.Attempts > 0 && p.Link.FailedRevision == p.Revision
}

// CheckDesired fails a person whose desired state could not be worked out.
func (p *Person) CheckDesired() {
	if !p.Open() || p.Desired.Problem == nil {
		return
	}
	f := *p.Desired.Problem
	if f.Cause == "" {
		f.Cause = events.CauseMapping
	}
	p.Fail(&f)
}

// plausible bounds what a link says of times to come by when it was written, which
// the server says: older versions took them from their own clocks, which may have
// been hours off.
func (p *Person) plausible(o *Policy) {
	if p.LinkedAt.IsZero() {
		return
	}
	latest := p.LinkedAt.Add(o.ClaimMost)
	if c := p.Link.Claim; c != nil {
		bounded := *c
		switch {
		case c.Until.After(latest):
			bounded.Until = latest
		case c.Until.Before(p.LinkedAt): // nobody claims for no time
			bounded.Until = p.LinkedAt.Add(o.ClaimTTL)
		}
		p.Link.Claim = &bounded
	}
	if late := latest.Add(o.LateFor); p.Link.UnsureUntil.After(late) {
		p.Link.UnsureUntil = late
	}
}
