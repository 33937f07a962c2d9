package retry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// who names one person in one org, or one event that belongs to no org.
type who struct {
	org string
	key events.Key
}

// report is an outcome or rejection that something has to be done about: a
// failure to be retried or parked, or a success that closes a dead letter.
type report struct {
	who
	msg      *bus.Message
	failed   bool
	revision uint64
	// letter is the dead letter this failure makes, before what an older one
	// knows is added.
	letter events.DeadLetter
	ctx    context.Context //nolint:containedctx // each person of a batch has a trace of their own
	span   trace.Span
}

func (s *Service) handleOutcomes(ctx context.Context, msgs []*bus.Message, later postponed) error {
	return s.decide(ctx, s.read(ctx, msgs, later, s.readOutcome), later)
}

func (s *Service) handleRejections(ctx context.Context, msgs []*bus.Message, later postponed) error {
	return s.decide(ctx, s.read(ctx, msgs, later, s.readRejection), later)
}

// read returns what the batch says, the newest for each person: an older
// message of the same subject says nothing that still holds.
func (s *Service) read(ctx context.Context, msgs []*bus.Message, later postponed,
	one func(context.Context, *bus.Message) (*report, error),
) []*report {
	newest := make(map[string]*bus.Message, len(msgs))
	for _, m := range msgs {
		if have, ok := newest[m.Subject]; !ok || m.Seq > have.Seq {
			newest[m.Subject] = m
		}
	}
	var out []*report
	for _, m := range msgs {
		if newest[m.Subject] != m {
			continue
		}
		f, err := one(ctx, m)
		if err != nil {
			s.postpone(ctx, m, later, err)
		}
		if f != nil {
			out = append(out, f)
		}
	}
	return out
}

// readOutcome returns nil for an outcome that asks for nothing.
func (s *Service) readOutcome(ctx context.Context, m *bus.Message) (*report, error) {
	o, err := events.Decode[events.Outcome](m.Data)
	if err != nil {
		return nil, err
	}
	f := &report{who: who{o.Org, o.Key}, msg: m, failed: o.Result == events.ResultFailed, revision: o.Revision}
	if !f.failed && (o.Result != events.ResultApplied || o.Failures == 0) {
		return nil, nil //nolint:nilnil // nothing to do is no fault
	}
	f.letter = events.DeadLetter{
		Org: o.Org, Key: o.Key, Username: o.Username, UserID: o.UserID,
		Revision: o.Revision, Lane: o.Lane, Failure: failureOf(o.Failure),
		Attempts: o.Attempt, RevisionAttempts: o.Attempt,
		FirstAt: earliest(o.FirstFailedAt, o.At), LastAt: o.At, Origin: o.Origin, Evidence: m.Seq,
	}
	s.begin(ctx, f, events.TemplateOutcome)
	return f, nil
}

func (s *Service) readRejection(ctx context.Context, m *bus.Message) (*report, error) {
	r, err := events.Decode[events.Rejection](m.Data)
	if err != nil {
		return nil, err
	}
	attempt := max(r.Attempt, 1)
	f := &report{
		who: who{events.NoOrg, events.EventKey(r.Origin.Seq)}, msg: m,
		failed: !r.Resolved, revision: r.Origin.Seq,
	}
	f.letter = events.DeadLetter{
		Org: f.org, Key: f.key, Revision: r.Origin.Seq, Failure: failureOf(r.Failure),
		Attempts: attempt, RevisionAttempts: attempt,
		FirstAt: earliest(r.FirstAt, r.At), LastAt: r.At, Origin: r.Origin, Evidence: m.Seq,
	}
	f.letter.Failure.Cause = events.CausePoison
	s.begin(ctx, f, events.TemplateRejection)
	return f, nil
}

// failureOf makes sure that a failure has a cause that may stand in a subject.
func failureOf(f *events.Failure) events.Failure {
	if f == nil {
		return events.Failure{Cause: events.CauseUnknown, Message: "no reason was reported"}
	}
	out := *f
	if !slices.Contains(events.Causes(), out.Cause) {
		out.Cause = events.CauseUnknown
	}
	return out
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// begin starts the person's span: a child of what was reported, or, where the
// reporter sent no context, of the change it goes back to.
func (s *Service) begin(ctx context.Context, f *report, template string) {
	parent := telemetry.Extract(ctx, f.msg.Header)
	if !trace.SpanContextFromContext(parent).IsValid() {
		parent = telemetry.WithTraceparent(ctx, f.letter.Origin.Traceparent)
	}
	f.ctx, f.span = s.tel.Tracer.Start(parent, "process "+template,
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			attribute.String("messaging.system", "nats"),
			attribute.String("messaging.operation.type", "process"),
			attribute.String("messaging.operation.name", "process"),
			attribute.String("messaging.destination.template", template),
			attribute.String("rollcall.org", f.org),
			attribute.String("rollcall.key", string(f.key)),
		))
}

// decided notes on the person's span what was done.
func (f *report) decided(what string) {
	f.span.SetAttributes(
		attribute.String("rollcall.decision", what),
		attribute.String("rollcall.cause", string(f.letter.Failure.Cause)),
		attribute.Int("rollcall.attempt", f.letter.RevisionAttempts),
	)
}

// decide does what the policy says about each report.
func (s *Service) decide(ctx context.Context, all []*report, later postponed) error {
	if len(all) == 0 {
		return nil
	}
	defer func() {
		for _, f := range all {
			f.span.End()
		}
	}()
	given, unknown, err := s.discardedRevisions(ctx, all)
	if err != nil {
		return err
	}
	var again, park, done []*report
	for _, f := range all {
		switch policy := PolicyOf(f.letter.Failure.Cause); {
		case unknown[f.who]:
			s.postpone(ctx, f.msg, later, fmt.Errorf("discard marker: %w", events.ErrNewer))
		case !f.failed:
			done = append(done, f)
		case given[f.who] == f.revision:
			f.decided("given up")
		case policy.retries(f.letter.RevisionAttempts):
			again = append(again, f)
		default:
			park = append(park, f)
		}
	}
	if err := s.schedule(ctx, again); err != nil {
		return err
	}
	letters, err := s.lettersOf(ctx, append(slices.Clone(park), done...))
	if err != nil {
		return err
	}
	if err := s.park(ctx, s.known(ctx, park, letters, later), letters, later); err != nil {
		return err
	}
	return s.closeOlder(ctx, s.known(ctx, done, letters, later), letters)
}

// discardedRevisions returns the revision that an admin gave up, of each person
// who failed; unknown are those of whom a newer version says it.
func (s *Service) discardedRevisions(ctx context.Context, all []*report) (given map[who]uint64, unknown map[who]bool, err error) {
	people := map[string]who{}
	for _, f := range all {
		if f.failed {
			people[events.DiscardedSubject(f.org, f.key)] = f.who
		}
	}
	if len(people) == 0 {
		return nil, nil, nil
	}
	found, err := s.store.Latest(ctx, events.StreamRoster, slices.Collect(maps.Keys(people)))
	if err != nil {
		return nil, nil, fmt.Errorf("read what was discarded: %w", err)
	}
	given, unknown = make(map[who]uint64, len(found)), map[who]bool{}
	for subject, e := range found {
		mark, err := events.Decode[events.Discarded](e.Data)
		if errors.Is(err, events.ErrNewer) {
			unknown[people[subject]] = true
			continue
		}
		if err != nil {
			// One person's marker must not hold up the others of the batch.
			s.tel.Log.WarnContext(ctx, "discard marker cannot be read", "seq", e.Seq, "error", err)
			continue
		}
		given[people[subject]] = mark.Revision
	}
	return given, unknown, nil
}
