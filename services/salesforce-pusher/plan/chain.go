package plan

import (
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// Need is what a person needs next, in the order in which a batch is served:
// whatever may show that less has to be done comes first.
type Need int

// The needs.
const (
	// NeedNothing says that the person has ended.
	NeedNothing Need = iota
	// NeedJobOver asks for the end of a Bulk job that may make their user.
	NeedJobOver
	// NeedNames asks for the ids behind the names of desired.
	NeedNames
	// NeedNamesAgain asks for them anew: an id turned out to be wrong.
	NeedNamesAgain
	// NeedUser asks for a look for their user.
	NeedUser
	// NeedOwner asks for the user found to be theirs before anything is sent to it.
	NeedOwner
	// NeedAssignments asks what the user found has been assigned already.
	NeedAssignments
	// NeedCreate asks for a new user.
	NeedCreate
	// NeedFreeze asks for UserLogin.IsFrozen to be set.
	NeedFreeze
	// NeedTake asks for assignments to be taken away.
	NeedTake
	// NeedUpdate asks for fields of the user, IsActive among them.
	NeedUpdate
	// NeedReadBack asks for a look at the user, for an update got no answer.
	NeedReadBack
	// NeedUnfreeze asks for UserLogin.IsFrozen to be cleared.
	NeedUnfreeze
	// NeedGive asks for assignments.
	NeedGive
	// NeedAssignmentsBack asks for a look at assignments whose call got no answer.
	NeedAssignmentsBack
	// NeedHolder asks who has a username that the user was refused. It comes last:
	// nobody else waits for it.
	NeedHolder
)

// Needs are all but NeedNothing, in the order in which they are met.
func Needs() []Need {
	out := make([]Need, 0, NeedHolder)
	for n := NeedJobOver; n <= NeedHolder; n++ {
		out = append(out, n)
	}
	return out
}

// Verdict is what a check asks for: exactly one of its fields is set.
type Verdict struct {
	// Need is the next call.
	Need Need
	// Plan says that enough is known to work out what differs.
	Plan bool
	// Fail ends the attempt.
	Fail *events.Failure
	// Applied says that everything is as desired.
	Applied bool
	// Later says that nothing may be done yet: a call without an answer may still
	// be applied.
	Later bool
}

// check is one link of the chain; false lets the next one decide.
type check struct {
	name   string
	decide func(p *Person, o *Policy) (Verdict, bool)
}

// chain is a person's way, from a claim to the end: the first check that applies
// decides. What is too much is taken before anything is given: whoever is refused
// the new keeps nothing of the old.
func chain() []check {
	return []check{
		{"the user is another's by now", movedOn},
		{"a job may still make the user", jobRuns},
		{"names are not resolved", unnamed},
		{"profile or role is not there", namesMissing},
		{"an update got no answer", updateLost},
		{"assignments got no answer", assignmentsLost},
		{"an id was wrong", idWrong},
		{"a deactivation was refused", deactivationRefused},
		{"an assignment was refused", assignmentRefused},
		{"nothing is planned", unplanned},
		{"the profile may not be given", profileHeld},
		{"a user is to be made", creates},
		{"a user is to be frozen", freezes},
		{"assignments are too many", takes},
		{"another user has the username", contested},
		{"fields differ", updates},
		{"a user is to be let in", unfreezes},
		{"assignments are missing", gives},
		{"a user who may come back was not frozen", freezeRefused},
		{"an assignment was not taken", notTaken},
		{"a name is not in the configuration", notHeld},
		{"a permission set may not be given", setsHeld},
		{"a permission set or group is not there", gap},
		{"all is as desired", allDone},
	}
}

// correlation is the part of the way on which it is found out who the user is.
func correlation() []check {
	return []check{
		{"the user is protected", protectedByName},
		{"the user is known", known},
		{"an insert is the cheapest look-up", insertable},
		{"nobody has looked", unseen},
		{"several users fit", unclear},
		{"the user found is protected", protectedUser},
		{"nobody is to be deactivated", nobodyActive},
		{"the user is nobody's to take", adoption},
		{"there is a user", seen},
		{"a deactivation is held", stays},
		{"a wrong id kept the user from being made", createIDWrong},
		{"a create was refused", createRefused},
		{"creating is switched off", createDisabled},
		{"another create may still be applied", createElsewhere},
		{"there is no user", planIt},
	}
}

// Decide says what a person needs next. It changes nothing.
func (p *Person) Decide(o *Policy) Verdict {
	if p.fate != Open {
		return Verdict{}
	}
	v, _ := first(chain(), p, o)
	return v
}

func first(checks []check, p *Person, o *Policy) (Verdict, bool) {
	for _, c := range checks {
		if v, ok := c.decide(p, o); ok {
			return v, true
		}
	}
	return Verdict{}, false
}

// Next does what a decision implies without any call, and returns the need that
// is left.
func (p *Person) Next(o *Policy) Need {
	for {
		v := p.Decide(o)
		switch {
		case v.Plan:
			p.reconcile(o)
		case v.Fail != nil:
			p.Fail(v.Fail)
			return NeedNothing
		case v.Applied:
			p.end(Applied)
			return NeedNothing
		case v.Later:
			p.end(Later)
			return NeedNothing
		default:
			return v.Need
		}
	}
}

func need(n Need, ok bool) (Verdict, bool) { return Verdict{Need: n}, ok }

func fail(f *events.Failure) (Verdict, bool) { return Verdict{Fail: f}, f != nil }

func jobRuns(p *Person, _ *Policy) (Verdict, bool) { return need(NeedJobOver, p.Link.Job != "") }

func unnamed(p *Person, _ *Policy) (Verdict, bool) {
	return need(NeedNames, p.Desired.Active && !p.names.done)
}

func namesMissing(p *Person, _ *Policy) (Verdict, bool) { return fail(p.names.lacks) }

func updateLost(p *Person, _ *Policy) (Verdict, bool) {
	return need(NeedReadBack, p.call.update != nil)
}

func assignmentsLost(p *Person, _ *Policy) (Verdict, bool) {
	return need(NeedAssignmentsBack, len(p.call.assignments) > 0)
}

func idWrong(p *Person, _ *Policy) (Verdict, bool) {
	if p.call.stale == nil {
		return Verdict{}, false
	}
	if p.call.resolvedAgain {
		return fail(p.call.stale)
	}
	return need(NeedNamesAgain, true)
}

// deactivationRefused: those whom Salesforce keeps active are shut out first.
func deactivationRefused(p *Person, _ *Policy) (Verdict, bool) {
	if p.call.kept == nil {
		return Verdict{}, false
	}
	if !p.Link.Frozen && !p.call.freezeTried {
		return need(NeedFreeze, true)
	}
	return fail(Diagnose(Refusal{Err: p.call.kept, Operation: OpDeactivate, Kept: true}))
}

func assignmentRefused(p *Person, _ *Policy) (Verdict, bool) { return fail(p.call.fault) }

func unplanned(p *Person, o *Policy) (Verdict, bool) {
	if p.planned {
		return Verdict{}, false
	}
	return first(correlation(), p, o)
}

func protectedByName(p *Person, o *Policy) (Verdict, bool) {
	return Verdict{Fail: o.protectedFailure(p.Link.UserID)}, o.Protects(p.Link.UserID, p.Username())
}

// known: a link that is sure says itself who the user is.
func known(p *Person, _ *Policy) (Verdict, bool) {
	return Verdict{Plan: true}, p.Link.UserID != "" && !p.Link.Unsure && !p.reread && !p.lookup.done
}

func insertable(p *Person, o *Policy) (Verdict, bool) {
	return Verdict{Plan: true}, p.MayInsert(o) && p.call.create == nil && !p.lookup.done
}

func unseen(p *Person, _ *Policy) (Verdict, bool) { return need(NeedUser, !p.lookup.done) }

func unclear(p *Person, _ *Policy) (Verdict, bool) { return fail(p.lookup.unclear) }

func protectedUser(p *Person, o *Policy) (Verdict, bool) {
	u := p.lookup.user
	if u == nil {
		return Verdict{}, false
	}
	return Verdict{Fail: o.protectedFailure(u.ID)}, o.Protects(u.ID, u.Username)
}

// nobodyActive: a user who is not active and not linked needs nothing of a
// leaver, so there is nothing to own.
func nobodyActive(p *Person, _ *Policy) (Verdict, bool) {
	u := p.lookup.user
	return Verdict{Applied: true}, !p.Desired.Active && (u == nil || !u.Active && p.Link.UserID == "")
}

func seen(p *Person, _ *Policy) (Verdict, bool) {
	switch {
	case p.lookup.user == nil:
		return Verdict{}, false
	case !p.ownership.linked:
		return need(NeedOwner, true)
	case p.Desired.Active && !p.ownership.read && len(p.Assignments().All()) > 0:
		return need(NeedAssignments, true)
	}
	return Verdict{Plan: true}, true
}

func createIDWrong(p *Person, _ *Policy) (Verdict, bool) {
	e := p.call.create
	return need(NeedNamesAgain, e != nil && e.Class == salesforce.Reference && !p.call.resolvedAgain)
}

func createRefused(p *Person, _ *Policy) (Verdict, bool) {
	if p.call.create == nil {
		return Verdict{}, false
	}
	return fail(judged(p.call.create, OpCreate))
}

func createDisabled(p *Person, o *Policy) (Verdict, bool) {
	if p.gone != "" && !o.Create {
		return fail(userGone(p.gone, "config forbids creating one in this org (push.create)"))
	}
	return Verdict{Fail: &events.Failure{Cause: events.CauseCreateDisabled, Operation: OpCreate,
		Message: "The person has no Salesforce user, and config forbids creating one in this org (push.create)."}}, !o.Create
}

// createElsewhere: a create under another username, whose answer never came, may
// still make a user; a second one would be a second user.
func createElsewhere(p *Person, _ *Policy) (Verdict, bool) {
	name, _ := p.Desired.Fields[FieldUsername].(string)
	return Verdict{Later: true}, p.late() && p.Link.SentUsername != "" && !strings.EqualFold(p.Link.SentUsername, name)
}

func notTaken(p *Person, _ *Policy) (Verdict, bool) { return fail(p.call.untaken) }

func freezeRefused(p *Person, _ *Policy) (Verdict, bool) { return fail(p.call.freeze) }

func planIt(*Person, *Policy) (Verdict, bool) { return Verdict{Plan: true}, true }

func creates(p *Person, _ *Policy) (Verdict, bool) { return need(NeedCreate, p.change.Create != nil) }

func freezes(p *Person, _ *Policy) (Verdict, bool) { return need(NeedFreeze, p.change.Freeze) }

func updates(p *Person, _ *Policy) (Verdict, bool) {
	return need(NeedUpdate, len(p.change.Update) > 0)
}

func unfreezes(p *Person, _ *Policy) (Verdict, bool) {
	return need(NeedUnfreeze, p.change.Unfreeze && p.Link.Active)
}

func gives(p *Person, _ *Policy) (Verdict, bool) { return need(NeedGive, len(p.change.Give) > 0) }

func takes(p *Person, _ *Policy) (Verdict, bool) { return need(NeedTake, len(p.change.Take) > 0) }

func gap(p *Person, _ *Policy) (Verdict, bool) {
	if len(p.names.absent) == 0 {
		return Verdict{}, false
	}
	return fail(gapOf(p.names.absent, p.names.withheld))
}

func allDone(p *Person, _ *Policy) (Verdict, bool) { return Verdict{Applied: true}, p.change.empty() }

// MayInsert says whether an insert finds an existing user as surely as a look-up
// does, and may be made.
func (p *Person) MayInsert(o *Policy) bool {
	return p.Desired.Active && !p.leaving() && p.Link.UserID == "" && o.Create && !p.Link.Unsure && p.Link.Job == "" && !p.moved() && o.Match.sureOfInsert(p.Desired)
}

func (o *Policy) protectedFailure(id string) *events.Failure {
	f := &events.Failure{Cause: events.CauseProtected, Operation: OpLookup,
		Message: "The person's Salesforce user is on the list that Rollcall never touches (push.protect)."}
	if o.integrates(id) {
		f.Message = "Salesforce user " + id + " is the integration user, as whom Rollcall itself signs in: it is never touched, whatever push.protect says. " +
			"Correct in HR the username, federation id or e-mail address by which this person fits it, or take those values from it in Salesforce, then retry."
	}
	return f
}
