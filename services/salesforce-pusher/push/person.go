package push

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
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
)

// fate is what becomes of a person at the end of a step.
type fate int

const (
	// open: still being worked on. At the end of a step: given back unfinished.
	open fate = iota
	// idle: nothing to do and nothing to record.
	idle
	// current: nothing to do, but a newer revision or a success to record.
	current
	// busy: somebody else works on them; they are put back.
	busy
	// applied, failed and discarded are outcomes.
	applied
	failed
	discarded
	// fenced: somebody else took them over; what we know is void.
	fenced
)

// person is one person in one step.
type person struct {
	key      events.Key
	lane     events.Lane
	messages []*bus.Message

	desired  events.Desired
	revision uint64
	// link is what Salesforce has, brought up to date as results come in.
	link    events.Link
	linkSeq uint64
	// until is when the claim ends, on the monotonic clock.
	until time.Time
	// again is when to look again at somebody busy.
	again time.Duration

	fate    fate
	failure *events.Failure
	// gap is a permission set or group that is not there: it fails the person
	// once everything else is done, never before.
	gap     *events.Failure
	absent  map[string]bool
	actions []string
	// touched is set when a call that changes something was sent.
	touched bool
	// owner is who the user's owner record has to name, empty if it does already.
	owner string

	// why is the refusal or loss of a create, until a look-up has settled it.
	why *salesforce.Error
	// fresh is set when the user was linked in this step, made when Rollcall
	// created it, whenever that was.
	fresh, made bool

	ids  ids
	user *user // as read in this step, if it was
	todo change
	// planned is set once todo says all there is to do.
	planned bool
	// claimed is set once the link names us.
	claimed bool

	span personSpan
}

// user is a Salesforce user as read in this step.
type user struct {
	id       string
	username string
	federation,
	email,
	external string
	active bool
	// fields are all values read, by lower-case name.
	fields map[string]any
}

// ids are the ids of what desired names.
type ids struct{ profile, role string }

func (p *person) fail(f *events.Failure) {
	p.fate, p.failure = failed, f
}

func (p *person) act(action string) {
	for _, a := range p.actions {
		if a == action {
			return
		}
	}
	p.actions = append(p.actions, action)
}

// finish ends a person whose calls all came back.
func (p *person) finish() {
	if p.fate != open || !p.planned || !p.todo.empty() {
		return
	}
	if p.gap != nil {
		p.fail(p.gap)
		return
	}
	p.fate = applied
}

// username is what an operator knows the person by.
func (p *person) username() string {
	if p.desired.Match.Username != "" {
		return p.desired.Match.Username
	}
	if s, ok := p.desired.Fields["Username"].(string); ok {
		return s
	}
	if p.user != nil {
		return p.user.username
	}
	return ""
}

func those(people []*person, keep func(*person) bool) []*person {
	var out []*person
	for _, p := range people {
		if keep(p) {
			out = append(out, p)
		}
	}
	return out
}
