package plan

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// lostAssignment is an assignment whose call got no answer.
type lostAssignment struct {
	operation string
	err       *salesforce.Error
}

// doubt notes that a call may still be applied, until then: whatever is read
// before proves nothing.
func (p *Person) doubt(until time.Time) {
	p.Link.Unsure = true
	if until.After(p.Link.UnsureUntil) {
		p.Link.UnsureUntil = until.UTC()
	}
}

// Doubt takes in that an earlier call of this step may still be applied, whatever
// came of those after it.
func (p *Person) Doubt() { p.doubt(p.lateUntil) }

// MayBeCreated takes in that a create may have been applied, and that nobody looks
// in this step any more.
func (p Account) MayBeCreated() {
	p.Link.SentUsername, _ = p.change.Create[FieldUsername].(string)
	p.Doubt()
}

// FreezeLost takes in that the org as a whole did not say whether the user was
// shut out, or let in.
func (p Account) FreezeLost(frozen bool) {
	p.Link.FreezeLost = p.Link.FreezeLost || frozen
	p.Doubt()
}

// Doubted is a link of somebody else's making, with the doubt that a call of ours
// may still be applied.
func Doubted(l events.Link, until time.Time) events.Link {
	p := Person{State: State{Link: l}}
	p.doubt(until)
	p.Link.AppliedHash = ""
	return p.Link
}

// late says whether a call without an answer may still be applied.
func (p *Person) late() bool { return p.At.Before(p.Link.UnsureUntil) }

// lateCreated is the user that a create without an answer made after all, under
// the username it was sent with.
func (p Account) lateCreated(users Users) (*User, *events.Failure) {
	u := users.byName[strings.ToLower(p.Link.SentUsername)]
	if p.Link.SentUsername == "" || u == nil {
		return nil, nil
	}
	if want := p.Desired.Match.FederationID; want != "" && !strings.EqualFold(u.Federation, want) {
		return nil, ambiguous("Salesforce user " + u.ID + " has the username that a lost call of Rollcall's sent, but another federation id.")
	}
	return u, nil
}

// UpdateLost takes in that nobody knows whether the user has the fields sent.
func (p Account) UpdateLost(e *salesforce.Error) {
	p.call.update = e
	p.doubt(p.lateUntil)
	if _, ok := p.change.Update[FieldRole]; ok {
		p.Link.FieldHashes = withRole(p.Link.FieldHashes)
	}
}

// ReadBack judges a lost update by the user as read since.
func (p Account) ReadBack(users Users, o *Policy) {
	e := p.call.update
	p.call.update = nil
	u := users.byID[p.Link.UserID]
	if u == nil {
		p.Fail(lost(e, p.updating()))
		return
	}
	sent, operation := p.Sending(), p.updating()
	p.lookup.user, p.Link.Active, p.Link.Seen = u, u.Active, p.At.UTC()
	p.reconcile(o)
	if p.fate != Open {
		return
	}
	if p.contest.interim != nil {
		p.interimRead(u, e, operation)
		return
	}
	for name := range sent {
		if _, still := p.change.Update[name]; still {
			p.Link.Unsure = true // it may still take effect: read again next time
			p.Fail(lost(e, operation))
			return
		}
	}
	p.has(sent)
}

// Lost takes in that nobody knows whether an assignment was made, or
// taken away.
func (p Assignments) Lost(name, operation string, e *salesforce.Error) {
	if p.call.assignments == nil {
		p.call.assignments = map[string]lostAssignment{}
	}
	p.call.assignments[name] = lostAssignment{operation: operation, err: e}
	p.doubt(p.lateUntil)
}

// Back judges lost assignments by those read since, the id by name;
// asked says whether the absence of one means anything.
func (p Assignments) Back(have map[string]string, asked func(name string) bool) {
	p.Link.Unsure = false
	for _, name := range slices.Sorted(maps.Keys(p.call.assignments)) {
		l := p.call.assignments[name]
		id, has := have[name]
		switch {
		case l.operation == OpAssign && has:
			p.Given(name, id)
		case l.operation == OpUnassign && !has && asked(name):
			p.Taken(name)
		default:
			// A call without an answer may still take effect: what was to be
			// given stays noted as perhaps given.
			p.stillLost(name, l)
		}
	}
	p.call.assignments = nil
}

// NotBack takes in that they could not be read.
func (p Assignments) NotBack() {
	for name, l := range p.call.assignments {
		p.stillLost(name, l)
	}
	p.call.assignments = nil
}

// stillLost counts a lost call that was not seen to be applied.
func (p Assignments) stillLost(name string, l lostAssignment) {
	f := lost(l.err, l.operation)
	if l.operation == OpAssign {
		p.refused(f)
		return
	}
	p.change.Take = without(p.change.Take, name)
	p.call.untaken = f
}

// Stop ends the step where no more calls can be made: what is done is done, what
// was refused for a person's own sake stands, the rest is given back.
func (p *Person) Stop(o *Policy) {
	if p.fate != Open {
		return
	}
	p.doubtUser()
	v := Verdict{}
	if p.planned {
		v = p.Decide(o)
	}
	switch {
	case v.Applied:
		p.end(Applied)
	case v.Fail != nil:
		p.Fail(v.Fail)
	case p.call.kept != nil:
		p.Fail(Diagnose(Refusal{Err: p.call.kept, Operation: OpDeactivate, Kept: true}))
	}
}

// judged is the failure of a refused or lost call.
func judged(e *salesforce.Error, operation string) *events.Failure {
	if e.Outcome == salesforce.MaybeApplied {
		return lost(e, operation)
	}
	return Diagnose(Refusal{Err: e, Operation: operation})
}

// lost is the failure of a person of whose call nothing is known although the
// org answers.
func lost(e *salesforce.Error, operation string) *events.Failure {
	return Diagnose(Refusal{Err: e, Operation: operation, Alone: true})
}
