package emulator

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/late"
)

// LateCall is a call that got no answer and is not applied yet.
type LateCall = late.Call

// Late is what an EffectLate left behind: calls that the org applies later,
// each against the org as it is then, so that it may succeed or fail. Nobody is
// told, but the journal has an entry that says what it did.
//
// Calls that are due by the server's clock are applied by themselves: at once
// while the clock is the machine's, and before the next request is looked at
// when it is WithClock's.
type Late struct {
	server *Server
	org    string
}

// Late calls of all orgs.
func (s *Server) Late() Late { return Late{server: s} }

// Late calls of this org.
func (o *Org) Late() Late { return Late{o.server, o.org.ID} }

// Calls lists what waits, in the order in which it is due; what is not due by
// itself comes last.
func (l Late) Calls() []LateCall { return l.server.env.Late.List(l.org) }

// Apply applies the calls with these ids, in this order, or all in the order of
// Calls. An id that does not wait is an error, and nothing is applied then.
func (l Late) Apply(ids ...string) error { return l.server.env.Late.Apply(l.org, ids...) }

// ApplyShuffled applies all calls, in an order that the seed decides.
func (l Late) ApplyShuffled(seed uint64) { l.server.env.Late.ApplyShuffled(l.org, seed) }

// ApplyDue applies what is due by now.
func (l Late) ApplyDue() { l.server.env.Late.ApplyDue(l.org) }

// Postpone has a call be due so long from now.
func (l Late) Postpone(id string, after time.Duration) error {
	return l.server.env.Late.Postpone(l.org, id, after)
}

// Forget takes calls away that are never applied, all when none is named.
func (l Late) Forget(ids ...string) error { return l.server.env.Late.Forget(l.org, ids...) }
