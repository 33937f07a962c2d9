package plan

import (
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// leaving says whether the person is to be deactivated, and only stays active
// until an operator has decided about it.
func (p *Person) leaving() bool {
	return p.Desired.Active && slices.ContainsFunc(p.Desired.Held, func(h events.Hold) bool { return h.Aspect == events.AspectActive })
}

// stays: who may be about to leave is given nothing, a user least of all. Where
// one of theirs is found it is theirs as ever: it is to be deactivated, perhaps.
func stays(p *Person, _ *Policy) (Verdict, bool) {
	return Verdict{Later: p.late(), Applied: !p.late()}, p.leaving()
}

// holdBack leaves out of a change what gives something to somebody whose
// deactivation is held. What takes goes on, and so does what they are called.
func (p *Person) holdBack() {
	if !p.leaving() {
		return
	}
	delete(p.change.Update, FieldActive)
	p.change.Unfreeze, p.change.Give = false, nil
}
