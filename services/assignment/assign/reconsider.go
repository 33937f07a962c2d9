package assign

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// takeReconsiderations reads rejected events again when an admin says so.
func (s *Service) takeReconsiderations(run context.Context, feed *bus.Feed) {
	ctx := context.WithoutCancel(run)
	for {
		msgs, err := feed.Next(run, batchSize, 0)
		if err != nil {
			return
		}
		for _, m := range msgs {
			s.answer(ctx, run, m)
		}
	}
}

// answer handles one request and acks it, or puts it back.
func (s *Service) answer(ctx, run context.Context, m *bus.Message) {
	err := s.reconsider(ctx, run, m.Entry)
	switch {
	case err == nil:
		err = m.Ack()
	case errors.Is(err, errPaused):
		err = m.Nak(pausedAgain)
	default:
		s.log.WarnContext(ctx, "event could not be reconsidered yet", "subject", m.Subject, "error", err)
		err = m.Nak(again)
	}
	if err != nil {
		s.log.DebugContext(ctx, "request could not be acknowledged and will come again", "subject", m.Subject, "error", err)
	}
}

// errUndecided says that an event has to be reconsidered once more.
var errUndecided = errors.New("event is undecided")

// reconsider folds a rejected event with its own sequence, so that it cannot
// undo what came after it.
func (s *Service) reconsider(ctx, run context.Context, request bus.Entry) error {
	seq, err := reconsidered(request.Subject)
	if err != nil {
		s.log.WarnContext(ctx, "request to reconsider names no event", "subject", request.Subject)
		return nil //nolint:nilerr // it can never be understood: logged, and done with
	}
	subject := events.RejectionSubject(seq)
	have, err := s.roster.Latest(ctx, events.StreamRoster, []string{subject})
	if err != nil {
		return fmt.Errorf("read rejection: %w", err)
	}
	entry, known := have[subject]
	prior, err := decodeRejection(entry, known)
	if err != nil {
		return err
	}
	if !known || prior.Resolved || entry.Seq > request.Seq {
		return nil // nothing is rejected, or this request has been answered
	}
	if s.pauses.Source(events.SourceOf(prior.Subject)) {
		return errPaused
	}
	in, err := s.recall(ctx, request, seq, prior)
	if err != nil {
		return err
	}
	s.handle(ctx, run, []*incoming{in})
	switch in.verdict {
	case verdictRejected:
		return nil
	case verdictUndecided:
		return errUndecided
	}
	return s.resolve(ctx, in, prior, entry.Seq)
}

func reconsidered(subject string) (uint64, error) {
	a, err := events.ParseSubject(subject)
	if err != nil {
		return 0, err
	}
	digits, ok := strings.CutPrefix(string(a.Key), "e")
	if !ok {
		return 0, fmt.Errorf("%q names no event", a.Key)
	}
	return strconv.ParseUint(digits, 10, 64)
}

// recall reads the event from DIRECTORY. Its span continues the event's trace
// and is linked to the admin's request.
func (s *Service) recall(ctx context.Context, request bus.Entry, seq uint64, prior events.Rejection) (*incoming, error) {
	entry, err := s.roster.At(ctx, events.StreamDirectory, seq)
	var in *incoming
	switch {
	case errors.Is(err, bus.ErrNotFound):
		in = &incoming{entry: bus.Entry{Subject: prior.Subject, Seq: seq}, source: events.SourceOf(prior.Subject), origin: prior.Origin}
		in.fault = &events.EventError{Reason: "is no longer stored in " + events.StreamDirectory}
	case err != nil:
		return nil, fmt.Errorf("read event: %w", err)
	default:
		in, err = s.reader.read(entry)
		in.fault = err
	}
	in.again = true
	parent := telemetry.WithTraceparent(ctx, prior.Origin.Traceparent)
	asked := trace.LinkFromContext(telemetry.Extract(ctx, request.Header))
	s.begin(parent, in)
	if asked.SpanContext.IsValid() {
		in.span.AddLink(asked)
	}
	return in, nil
}

// resolve writes down that a rejected event is understood after all.
func (s *Service) resolve(ctx context.Context, in *incoming, prior events.Rejection, lastSeq uint64) error {
	r := prior
	r.Failure, r.Resolved, r.At = nil, true, time.Now().UTC()
	r.Origin = in.origin
	write, err := rejectionWrite(in, r, lastSeq)
	if err != nil {
		return err
	}
	results, err := s.roster.Commit(ctx, events.StreamRoster, []bus.Group{{write}})
	if err != nil {
		return fmt.Errorf("commit resolution: %w", err)
	}
	if results[0].Err != nil {
		return fmt.Errorf("commit resolution: %w", results[0].Err)
	}
	s.log.InfoContext(in.context, "rejected event was understood after all", "event_id", in.origin.EventID, "seq", in.entry.Seq)
	return nil
}
