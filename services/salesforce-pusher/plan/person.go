package plan

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// Actions, as an outcome names them.
const (
	actCreated     = "created"
	actAdopted     = "adopted"
	actUpdated     = "updated"
	actDeactivated = "deactivated"
	actReactivated = "reactivated"
	actFrozen      = "frozen"
	actUnfrozen    = "unfrozen"
	actAssigned    = "assigned"
	actUnassigned  = "unassigned"
	actTakenOver   = "taken_over"
	actHandedOver  = "handed_over"
)

// Fate is what becomes of a person at the end of a step.
type Fate int

// The fates.
const (
	// Open is somebody still being worked on; at the end of a step, they are given
	// back unfinished.
	Open Fate = iota
	// Idle is somebody for whom nothing is to be done and nothing to be recorded.
	Idle
	// Current is somebody for whom nothing is to be done, but a newer revision or a
	// success to be recorded.
	Current
	// Busy is somebody on whom another works; they are put back.
	Busy
	// Applied is somebody who is as desired.
	Applied
	// Failed is somebody who was refused.
	Failed
	// Discarded is somebody whose revision an admin gave up.
	Discarded
	// Fenced is somebody whom another took over; what we know is void.
	Fenced
	// Later is somebody for whom nothing may be done before a call without an
	// answer cannot be applied any more.
	Later
)

// String is the fate's name in traces and metrics.
func (f Fate) String() string {
	switch f {
	case Open:
		return "given_back"
	case Idle, Current:
		return "nothing_to_do"
	case Busy:
		return "busy"
	case Applied:
		return string(events.ResultApplied)
	case Failed:
		return string(events.ResultFailed)
	case Discarded:
		return string(events.ResultDiscarded)
	case Fenced:
		return "fenced"
	case Later:
		return "later"
	}
	return "unknown"
}

// State is what ROSTER says of a person in one org.
type State struct {
	Key  events.Key
	Lane events.Lane
	// Desired is at Revision; Revision 0 says that there is none.
	Desired  events.Desired
	Revision uint64
	// Link is what Salesforce has, brought up to date as results come in.
	Link events.Link
	// LinkedAt is when that was written.
	LinkedAt time.Time
	// At is when this was read: nothing read before is known of the person.
	At time.Time
}

// Person is one person in one step.
type Person struct {
	State

	fate    Fate
	failure *events.Failure
	again   time.Duration
	actions []string
	// reread is set where the user is read whatever the link says; leaves are the kinds
	// of drift that stay all the same.
	reread bool
	leaves map[string]bool
	// believed is whether the link had the user as active.
	believed bool
	// inherited is set where somebody else's calls are in doubt from the start.
	inherited bool
	// touched is set when a call that changes something was sent.
	touched bool
	// lateUntil is until when a call made under our claim may be applied.
	lateUntil time.Time

	names     naming
	lookup    lookup
	gone      string // the user that the link named and that is not there
	change    Change
	planned   bool // change says all there is to do
	ownership ownership
	call      followUp
	contest   contest
}

// ownership is how a person came to the user they have.
type ownership struct {
	// linked is set once the link names the user and the user's owner record
	// names the person; fresh where that happened in this step.
	linked, fresh bool
	// made is set where Rollcall created the user, whenever that was.
	made bool
	// ours is set where what the user has of what is desired is our doing, though no
	// record says so: our integration user created it, or the person was as desired
	// with it before.
	ours bool
	// read is set once what the user was assigned already has been read.
	read bool
}

// lookup is what a look for a person's user came to.
type lookup struct {
	done    bool
	user    *User // nil: there is none
	unclear *events.Failure
}

// followUp is what calls came to that has to be followed up before the end.
type followUp struct {
	// create is the refusal or loss of a create, until a look-up explains it.
	create *salesforce.Error
	// update is an update whose answer was lost, until the user is read back.
	update *salesforce.Error
	// kept is the refusal of a deactivation for a reason of the org's own.
	kept *salesforce.Error
	// stale is a refusal for a wrong id, until names are resolved again.
	stale *events.Failure
	// fault is the refusal to make an assignment, untaken that to take one away, for
	// which nothing else waits.
	fault, untaken *events.Failure
	// assignments are those whose call got no answer, by name.
	assignments map[string]lostAssignment
	// resolvedAgain is set once names were resolved again: once is enough.
	resolvedAgain bool
	// freezeTried is set once a freeze was tried: it is a precaution. mustFreeze is
	// set where it is more than that, and freeze is then its refusal.
	freezeTried, mustFreeze bool
	freeze                  *events.Failure
	// freezeIntended is set while a freeze is noted that may not have been sent;
	// lostBefore says whether an earlier one was lost.
	freezeIntended, lostBefore bool
}

// Naming is what the names of a person's desired state resolve to.
type Naming struct{ *Person }

// Account is the Salesforce user of a person.
type Account struct{ *Person }

// Assignments are the permission sets and groups of a person.
type Assignments struct{ *Person }

// Naming takes in what names resolve to.
func (p *Person) Naming() Naming { return Naming{p} }

// Account takes in what becomes of the user.
func (p *Person) Account() Account { return Account{p} }

// Assignments takes in what becomes of permission sets and groups.
func (p *Person) Assignments() Assignments { return Assignments{p} }

// New is a person of whom nothing is known but what ROSTER says.
func New(s State) *Person { return &Person{State: s} }

// Fate is what has become of the person so far.
func (p *Person) Fate() Fate { return p.fate }

// Failure is why they failed; nil unless they did.
func (p *Person) Failure() *events.Failure { return p.failure }

// Again is when to look again at somebody busy.
func (p *Person) Again() time.Duration { return p.again }

// Open says whether the person is still being worked on.
func (p *Person) Open() bool { return p.fate == Open }

// Change is what is left to be done to the person's user.
func (p *Person) Change() *Change { return &p.change }

// User is the Salesforce user read in this step, nil where none was.
func (p *Person) User() *User { return p.lookup.user }

// Claimed notes until when the claim lasts under which calls are made from now on.
func (p *Person) Claimed(until time.Time, o *Policy) { p.lateUntil = until.Add(o.LateFor) }

// HasTouched says whether a call that changes something was sent.
func (p *Person) HasTouched() bool { return p.touched }

// Touched notes that a call that changes something was sent.
func (p *Person) Touched() { p.touched = true }

// Fail ends the person's attempt for a reason of their own.
func (p *Person) Fail(f *events.Failure) { p.fate, p.failure = Failed, f }

// Wait ends the step for a person whom somebody else works on.
func (p *Person) Wait(again time.Duration) { p.fate, p.again = Busy, again }

// Fence ends the step for a person whom somebody else took over.
func (p *Person) Fence() { p.fate = Fenced }

// GiveUp ends the attempt at a revision that an admin discarded.
func (p *Person) GiveUp() { p.fate = Discarded }

// end is a fate without a failure.
func (p *Person) end(f Fate) { p.fate = f }

func (p *Person) act(action string) {
	for _, a := range p.actions {
		if a == action {
			return
		}
	}
	p.actions = append(p.actions, action)
}

// Username is what an operator knows the person by.
func (p *Person) Username() string {
	if p.Desired.Match.Username != "" {
		return p.Desired.Match.Username
	}
	if s, ok := p.Desired.Fields[FieldUsername].(string); ok {
		return s
	}
	if p.lookup.user != nil {
		return p.lookup.user.Username
	}
	return ""
}
