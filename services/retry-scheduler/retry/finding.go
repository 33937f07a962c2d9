package retry

import (
	"context"
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

// finding is an outcome or rejection that something has to be done about: a
// failure to be retried or parked, or a success that closes a dead letter.
type finding struct {
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
	return s.settle(ctx, s.read(ctx, msgs, later, s.readOutcome), later)
}

func (s *Service) handleRejections(ctx context.Context, msgs []*bus.Message, later postponed) error {
	return s.settle(ctx, s.read(ctx, msgs, later, s.readRejection), later)
}

// read returns what the batch says, the newest for each person: an older
// message of the same subject says nothing that still holds.
func (s *Service) read(ctx context.Context, msgs []*bus.Message, later postponed,
	one func(context.Context, *bus.Message) (*finding, error),
) []*finding {
	newest := make(map[string]*bus.Message, len(msgs))
	for _, m := range msgs {
		if have, ok := newest[m.Subject]; !ok || m.Seq > have.Seq {
			newest[m.Subject] = m
		}
	}
	var out []*finding
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
func (s *Service) readOutcome(ctx context.Context, m *bus.Message) (*finding, error) {
	o, err := events.Decode[events.Outcome](m.Data)
	if err != nil {
		return nil, err
	}
	f := &finding{who: who{o.Org, o.Key}, msg: m, failed: o.Result == events.ResultFailed, revision: o.Revision}
	if !f.failed && (o.Result != events.ResultApplied || o.Failures == 0) {
		return nil, nil //nolint:nilnil // nothing to do is no fault
	}
	f.letter = events.DeadLetter{
		V: events.Version, Org: o.Org, Key: o.Key, Username: o.Username, UserID: o.UserID,
		Revision: o.Revision, Lane: o.Lane, Failure: failureOf(o.Failure),
		Attempts: o.Attempt, RevisionAttempts: o.Attempt,
		FirstAt: earliest(o.FirstFailedAt, o.At), LastAt: o.At, Origin: o.Origin, Evidence: m.Seq,
	}
	s.begin(ctx, f, events.TemplateOutcome)
	return f, nil
}

func (s *Service) readRejection(ctx context.Context, m *bus.Message) (*finding, error) {
	r, err := events.Decode[events.Rejection](m.Data)
	if err != nil {
		return nil, err
	}
	attempt := max(r.Attempt, 1)
	f := &finding{
		who: who{events.NoOrg, events.EventKey(r.Origin.Seq)}, msg: m,
		failed: !r.Resolved, revision: r.Origin.Seq,
	}
	f.letter = events.DeadLetter{
		V: events.Version, Org: f.org, Key: f.key, Revision: r.Origin.Seq, Failure: failureOf(r.Failure),
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
func (s *Service) begin(ctx context.Context, f *finding, template string) {
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
func (f *finding) decided(what string) {
	f.span.SetAttributes(
		attribute.String("rollcall.decision", what),
		attribute.String("rollcall.cause", string(f.letter.Failure.Cause)),
		attribute.Int("rollcall.attempt", f.letter.RevisionAttempts),
	)
}

// settle does what the policy says about each finding.
func (s *Service) settle(ctx context.Context, all []*finding, later postponed) error {
	if len(all) == 0 {
		return nil
	}
	defer func() {
		for _, f := range all {
			f.span.End()
		}
	}()
	given, err := s.discardedRevisions(ctx, all)
	if err != nil {
		return err
	}
	var again, park, done []*finding
	for _, f := range all {
		switch policy := PolicyOf(f.letter.Failure.Cause); {
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
	if err := s.park(ctx, park, letters, later); err != nil {
		return err
	}
	return s.closeOlder(ctx, done, letters)
}

// discardedRevisions returns the revision that an admin gave up, of each person
// who failed.
func (s *Service) discardedRevisions(ctx context.Context, all []*finding) (map[who]uint64, error) {
	people := map[string]who{}
	for _, f := range all {
		if f.failed {
			people[events.DiscardedSubject(f.org, f.key)] = f.who
		}
	}
	if len(people) == 0 {
		return map[who]uint64{}, nil
	}
	found, err := s.store.Latest(ctx, events.StreamRoster, slices.Collect(maps.Keys(people)))
	if err != nil {
		return nil, fmt.Errorf("read what was discarded: %w", err)
	}
	out := make(map[who]uint64, len(found))
	for subject, e := range found {
		mark, err := events.Decode[events.Discarded](e.Data)
		if err != nil {
			// One person's marker must not hold up the others of the batch.
			s.tel.Log.WarnContext(ctx, "discard marker cannot be read", "seq", e.Seq, "error", err)
			continue
		}
		out[people[subject]] = mark.Revision
	}
	return out, nil
}
