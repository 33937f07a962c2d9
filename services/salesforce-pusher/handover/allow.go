package handover

import (
	"errors"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// allowOf notes in a person's link what an admin said yes to. Whether it is still all that
// is desired is seen when the person is looked at: a yes to less is none.
func allowOf(r events.OperatorRequest, p *Predecessor, now time.Time, h bus.Header) (result, bus.Group, error) {
	done := result{verb: events.VerbAllowed, note: r.Reason + " (" + strings.Join(append([]string{r.Asks.UserID}, r.Asks.Grants...), " ") + ")"}
	l := p.Link
	switch {
	case l.Allowed != nil && l.Allowed.Request == r.ID:
		return done, nil, nil // it came twice
	case p.Desired == nil:
		return refused("allow: %s is not known in org %s", p.Key, p.org), nil, nil
	}
	l.Org, l.Key = p.org, p.Key
	l.Allowed = &events.Allowed{Asks: *r.Asks, At: now.UTC(), Request: r.ID}
	b := batch{header: h, seqs: p.seqs}
	at := events.LinkSubject(p.org, p.Key)
	put(&b, at, at, l)
	again, err := look(p, h)
	return done, append(b.group, again), errors.Join(b.err, err)
}
