package assign

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// errUnreadable marks events for which stored state is needed that cannot be
// read. Nothing is written over it.
var errUnreadable = errors.New("stored state cannot be read")

// unreadable is stored state of one group or person that cannot be read, and its
// subject. Only what is about them waits for it.
type unreadable struct {
	subject string
	why     error
}

func (u *unreadable) Error() string {
	return fmt.Sprintf("%s of %s: %v", errUnreadable, u.subject, u.why)
}

func (u *unreadable) Unwrap() error { return u.why }

// unreadable parks an event whose state cannot be read, for whoever can mend that;
// all others go on. What a newer version wrote, another replica reads: the
// event waits for it.
func (s *Service) unreadable(ctx context.Context, in *incoming, err error) {
	var state *unreadable
	if errors.Is(err, events.ErrNewer) || !errors.As(err, &state) {
		s.waits(ctx, in, in.key, err)
		return
	}
	s.log.ErrorContext(ctx, "stored state cannot be read, events that need it are rejected", "key", in.key, "subject", state.subject, "error", state.why)
	mend := "Put back the last message of that subject that can be read, from a backup, then retry this."
	if in.event.Group != nil && state.subject == events.GroupSubject(in.key) {
		mend = "Put back the last message of that subject that can be read, from a backup; or, where there is none, store an empty one: " +
			"the group is then what the next event says. Then retry this."
	}
	in.fault = &events.EventError{Reason: "is in order, but what is stored in " + events.StreamRoster + " under " + state.subject + " cannot be read. " + mend}
}

// waits puts an event back until the state can be read.
func (s *Service) waits(ctx context.Context, in *incoming, key events.Key, err error) {
	in.trouble = errUnreadable
	if errors.Is(err, events.ErrNewer) {
		s.log.WarnContext(ctx, "events wait for stored state that cannot be read", "key", key, "error", err)
		return
	}
	s.log.ErrorContext(ctx, "events wait for stored state that cannot be read", "key", key, "error", err)
}

// forgotten says whether somebody has stored an empty message in place of a state
// that could not be read.
func forgotten(e bus.Entry) bool { return e.Seq > 0 && len(e.Data) == 0 }

// membersOf adds everybody who is said to be in a group to those it concerns: of a
// group that was forgotten, only its members know who they were.
func (s *Service) membersOf(ctx context.Context, key events.Key, to map[string]bool) error {
	err := s.roster.Scan(ctx, events.StreamRoster, events.PersonSubject("*"), 1, func(e bus.Entry) error {
		p, err := events.Decode[events.PersonState](e.Data)
		if errors.Is(err, events.ErrNewer) {
			return fmt.Errorf("%w: %w", errUnreadable, err)
		}
		if m, in := p.Groups[key]; err == nil && in && !m.Left {
			to[p.CorrelationID] = true
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for the members of a group: %w", err)
	}
	return nil
}
