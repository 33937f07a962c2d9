package push

import (
	"errors"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// halt is why a step makes no more calls. It concerns everybody in it, and is
// nobody's failure: whoever still needs something is given back. Where neither
// field is set, the claims end too soon or the service stops.
type halt struct {
	// trouble is the whole org's.
	trouble *events.Failure
	// roster is NATS not answering.
	roster error
}

func (h *halt) Error() string {
	switch {
	case h.trouble != nil:
		return "the org is in trouble: " + string(h.trouble.Cause)
	case h.roster != nil:
		return "NATS did not answer: " + h.roster.Error()
	}
	return "no time is left for a call"
}

func (h *halt) Unwrap() error { return h.roster }

// outOfTime ends a step whose claims do not last for another call.
func outOfTime() error { return &halt{} }

// noRoster ends a step because of NATS; nil where there is no error.
func noRoster(err error) error {
	if err == nil {
		return nil
	}
	return &halt{roster: err}
}

// haltIn is the halt in an error, an empty one in nil.
func haltIn(err error) halt {
	var h *halt
	if errors.As(err, &h) {
		return *h
	}
	return halt{}
}
