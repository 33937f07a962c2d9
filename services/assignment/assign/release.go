package assign

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// takeReleases does what operators decide about what is held.
func (s *Service) takeReleases(run context.Context, feed *bus.Feed) {
	ctx := context.WithoutCancel(run)
	for {
		msgs, err := feed.Next(run, batchSize, 0)
		if err != nil {
			return
		}
		s.letPass(ctx, msgs)
	}
}

// letPass looks at the people of some decisions again, and acks. A decision that
// comes twice finds nothing that it names any more.
func (s *Service) letPass(ctx context.Context, msgs []*bus.Message) {
	by := map[*change]*bus.Message{}
	for _, part := range distinct(msgs) {
		var changes []*change
		for _, m := range part {
			c, err := s.releaseChange(ctx, m.Entry)
			if err != nil {
				s.settleRelease(ctx, m, err)
				continue
			}
			by[c] = m
			changes = append(changes, c)
		}
		err := s.revise(ctx, changes)
		for _, c := range changes {
			s.settleRelease(ctx, by[c], s.released(c, err))
		}
	}
}

// distinct splits messages so that none of two about one person are together.
func distinct(msgs []*bus.Message) [][]*bus.Message {
	var out [][]*bus.Message
	place := map[string]int{}
	for _, m := range msgs {
		i := place[m.Subject]
		place[m.Subject]++
		if i == len(out) {
			out = append(out, nil)
		}
		out[i] = append(out[i], m)
	}
	return out
}

func (s *Service) releaseChange(ctx context.Context, e bus.Entry) (*change, error) {
	r, err := events.Decode[events.Release](e.Data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	c := s.sweepChange(telemetry.Extract(ctx, e.Header), r.Key)
	c.lane, c.release = events.LaneChange, &r
	return c, nil
}

// released says what is still to be done about a decision, nil for nothing.
func (s *Service) released(c *change, err error) error {
	switch {
	case err != nil:
		return err
	case c.err != nil:
		return fmt.Errorf("%w: %w", errUnreadable, c.err)
	case !c.decided:
		return errUndecided
	}
	return nil
}

func (s *Service) settleRelease(ctx context.Context, m *bus.Message, err error) {
	switch {
	case err == nil:
		err = m.Ack()
	case errors.Is(err, errUnreadable):
		s.log.WarnContext(ctx, "decision about what is held waits for state that cannot be read", "seq", m.Seq, "error", err)
		err = m.Nak(s.unreadableAgain)
	default:
		s.log.WarnContext(ctx, "decision about what is held could not be followed yet", "seq", m.Seq, "error", err)
		err = m.Nak(again)
	}
	if err != nil {
		s.log.DebugContext(ctx, "decision could not be acknowledged and will come again", "seq", m.Seq, "error", err)
	}
}

// releaseFor is the decision that the change follows in an org, nil for none.
func (c *change) releaseFor(org string) *events.Release {
	if c.release == nil || c.release.Org != org {
		return nil
	}
	return c.release
}
