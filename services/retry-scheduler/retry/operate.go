package retry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// request is an admin's request and what is known about its targets.
type request struct {
	events.OperatorRequest
	verb    events.Verb
	seq     uint64
	ctx     context.Context //nolint:containedctx // each request of a batch has a trace of its own
	letters map[string]letter
	// answered are the targets that the audit log has an answer for already.
	answered map[events.Target]bool
}

// handleRequests does what admins ask for. The audit log is a stream that this
// service writes to itself, so most of what comes is its own entries.
func (s *Service) handleRequests(ctx context.Context, msgs []*bus.Message, later postponed) error {
	for _, m := range msgs {
		handle := s.handleRequest
		verb := verbOf(m.Subject)
		switch verb {
		case events.VerbRetry, events.VerbDiscard, events.VerbRelease, events.VerbReject, events.VerbResync:
		case events.VerbPause, events.VerbResume:
			handle = s.handlePause
		default: // a merge and an unlink are asked of salesforce-pusher
			continue
		}
		err := handle(ctx, m, verb)
		switch {
		case errors.Is(err, events.ErrNewer):
			s.postpone(ctx, m, later, err)
		case err != nil:
			s.tel.Log.WarnContext(ctx, "admin's request is put back", "seq", m.Seq, "error", err)
			later[m] = s.cfg.PutBack
		}
	}
	return nil
}

func verbOf(subject string) events.Verb {
	return events.Verb(subject[strings.LastIndexByte(subject, '.')+1:])
}

func (s *Service) handleRequest(ctx context.Context, m *bus.Message, verb events.Verb) error {
	ctx, span := s.tel.Tracer.Start(telemetry.Extract(ctx, m.Header), "process "+events.OperatorSubject(verb),
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			attribute.String("messaging.system", "nats"),
			attribute.String("messaging.operation.type", "process"),
			attribute.String("messaging.operation.name", "process"),
			attribute.String("messaging.destination.name", m.Subject),
		))
	defer span.End()
	asked, err := events.Decode[events.OperatorRequest](m.Data)
	if err == nil {
		err = checkRequest(asked, verb)
	}
	if errors.Is(err, events.ErrNewer) {
		return err
	}
	if err != nil {
		return s.refuseRequest(ctx, m, verb, asked, err)
	}
	if verb == events.VerbResync {
		return s.resync(ctx, asked)
	}
	r := &request{OperatorRequest: asked, verb: verb, seq: m.Seq, ctx: ctx}
	if verb == events.VerbRelease || verb == events.VerbReject {
		return s.handleDecision(ctx, r)
	}
	if err := s.look(ctx, r, m.Deliveries); err != nil {
		return err
	}
	act, refuse := r.judge()
	if err := s.refuse(ctx, r, refuse); err != nil {
		return err
	}
	if verb == events.VerbDiscard {
		return s.discard(ctx, r, act)
	}
	return s.retry(ctx, r, act)
}

// checkRequest says what is wrong with a request as a whole.
func checkRequest(r events.OperatorRequest, verb events.Verb) error {
	switch {
	case r.ID == "":
		return errors.New("the request has no id")
	case r.By == "":
		return errors.New("the request does not say who asks")
	case verb == events.VerbResync && r.Select == nil:
		return errors.New("the request does not say whom it is about")
	case verb == events.VerbResync:
		return r.Select.Check()
	case len(r.Targets) == 0:
		return errors.New("the request names nothing")
	case len(r.Targets) > events.MaxTargets:
		return fmt.Errorf("the request names %d dead letters or holds, the limit is %d", len(r.Targets), events.MaxTargets)
	}
	return nil
}

// refuseRequest refuses a request that cannot be understood.
func (s *Service) refuseRequest(ctx context.Context, m *bus.Message, verb events.Verb, asked events.OperatorRequest, why error) error {
	s.tel.Log.WarnContext(ctx, "admin's request cannot be understood", "seq", m.Seq, "verb", string(verb), "error", why)
	return s.audit(ctx, []auditEntry{{
		verb:   events.VerbRefused,
		id:     fmt.Sprintf("refused:%d", m.Seq),
		result: events.OperatorResult{Request: asked.ID, By: asked.By, Note: string(verb) + ": " + why.Error()},
	}})
}

// look reads the dead letters that the request names and, where that is not
// enough to know, what the audit log has about the request.
func (s *Service) look(ctx context.Context, r *request, deliveries int) error {
	var subjects []string
	for _, t := range r.Targets {
		if checkTarget(t) == nil {
			subjects = append(subjects, events.DeadSubject(t.Org, t.Cause, t.Key))
		}
	}
	if len(subjects) > 0 {
		found, err := s.store.Latest(ctx, events.StreamDead, subjects)
		if err != nil {
			return fmt.Errorf("read dead letters: %w", err)
		}
		if err := r.found(found); err != nil {
			return err
		}
	}
	_, odd := r.judge()
	if deliveries == 1 && len(odd) == 0 {
		return nil // certainly new: every target is as the admin saw it
	}
	if len(odd) > 0 && len(subjects) > 0 {
		found, err := s.lettersNow(ctx, subjects)
		if err != nil {
			return fmt.Errorf("read dead letters: %w", err)
		}
		if err := r.found(found); err != nil {
			return err
		}
	}
	return s.answers(ctx, r)
}

// found takes the letters in that the request names.
func (r *request) found(entries map[string]bus.Entry) error {
	r.letters = make(map[string]letter, len(entries))
	for subject, e := range entries {
		l, err := readLetter(e)
		if err != nil {
			return err
		}
		if l.newer {
			return fmt.Errorf("dead letter %d: %w", l.seq, events.ErrNewer)
		}
		r.letters[subject] = l
	}
	return nil
}

// answers reads which targets the audit log has an answer for. It follows the
// request in the log, so only what is newer is read.
func (s *Service) answers(ctx context.Context, r *request) error {
	r.answered = map[events.Target]bool{}
	err := s.scanNow(ctx, events.StreamOperator, events.OperatorAll, r.seq+1, func(e bus.Entry) error {
		if verbOf(e.Subject).Asked() {
			return nil
		}
		got, err := events.Decode[events.OperatorResult](e.Data)
		if errors.Is(err, events.ErrNewer) {
			return err // it may be the answer to this request
		}
		if err == nil && got.Request == r.ID {
			r.answered[got.Target] = true
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read audit log: %w", err)
	}
	return nil
}

// refusal is a target that is not acted on, and why.
type refusal struct {
	events.Target
	note string
}

// judge tells the targets that are as the admin saw them from those that are
// not. One that has an answer already is not refused: it is gone because of it.
func (r *request) judge() (act []letter, refuse []refusal) {
	seen := map[events.Target]bool{}
	for _, t := range r.Targets {
		if seen[t] {
			continue
		}
		seen[t] = true
		l, ok := r.letters[events.DeadSubject(t.Org, t.Cause, t.Key)]
		switch err := checkTarget(t); {
		case err == nil && ok && l.seq == t.Seq:
			act = append(act, l)
		case err == nil && ok && r.took(l, t):
			l.seen = t.Seq
			act = append(act, l)
		case r.answered[t]:
		case err != nil:
			refuse = append(refuse, refusal{t, err.Error()})
		case ok:
			refuse = append(refuse, refusal{t, fmt.Sprintf("the dead letter has changed since: it is now number %d", l.seq)})
		default:
			refuse = append(refuse, refusal{t, "the dead letter is gone"})
		}
	}
	return act, refuse
}

// checkTarget says whether a target can be the address of a dead letter. It
// comes from outside and becomes part of a subject.
func checkTarget(t events.Target) error {
	if t.Org != events.NoOrg && events.CheckName(t.Org) != nil {
		return errors.New("the org is not a name")
	}
	if !slices.Contains(events.Causes(), t.Cause) {
		return errors.New("there is no such cause")
	}
	return checkKey(t.Key)
}

func checkKey(key events.Key) error {
	plain := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' }
	if key == "" || strings.ContainsFunc(string(key), func(r rune) bool { return !plain(r) }) {
		return errors.New("the key is not a key")
	}
	return nil
}

func (s *Service) refuse(ctx context.Context, r *request, list []refusal) error {
	var entries []auditEntry
	for _, x := range list {
		entries = append(entries, r.entry(events.VerbRefused, x.Target, 0, string(r.verb)+": "+x.note))
	}
	if err := s.audit(ctx, entries); err != nil {
		return err
	}
	for _, e := range entries {
		count(ctx, s.metrics.refused, "", "") // what is refused may name no real org
		s.tel.Log.InfoContext(ctx, "admin's request refused", "request", r.ID, "org", e.result.Target.Org,
			"key", string(e.result.Target.Key), "cause", string(e.result.Target.Cause))
	}
	return nil
}

// record writes the audit entry of each letter that has none yet.
func (s *Service) record(ctx context.Context, r *request, verb events.Verb, act []letter) error {
	var entries []auditEntry
	for _, l := range act {
		if !r.answered[l.target()] {
			entries = append(entries, r.entry(verb, l.target(), l.Revision, r.Reason))
		}
	}
	return s.audit(ctx, entries)
}

func (r *request) entry(verb events.Verb, t events.Target, revision uint64, note string) auditEntry {
	about := string(t.Cause)
	if t.Aspect != "" {
		about = string(t.Aspect)
	}
	return auditEntry{
		verb: verb,
		id:   fmt.Sprintf("%s:%s:%s:%s:%s:%d", verb, r.ID, t.Org, about, t.Key, t.Seq),
		result: events.OperatorResult{
			Request: r.ID, By: r.By, Target: t, Revision: revision, Note: note,
		},
		header: header(r.ctx),
	}
}
