package retry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// pauseTries bounds a compare-and-set against other replicas.
const pauseTries = 8

// handlePause pauses or resumes. What came of a request is part of the table it
// changes, so that one that is delivered again, however late, changes nothing
// more; the audit log is written after, and again by whoever it is delivered to.
func (s *Service) handlePause(ctx context.Context, m *bus.Message, verb events.Verb) error {
	ctx, span := s.tel.Tracer.Start(telemetry.Extract(ctx, m.Header), "process "+events.OperatorSubject(verb),
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			attribute.String("messaging.system", "nats"),
			attribute.String("messaging.operation.type", "process"),
			attribute.String("messaging.operation.name", "process"),
			attribute.String("messaging.destination.name", m.Subject),
		))
	defer span.End()
	asked, err := events.Decode[events.OperatorRequest](m.Data)
	if errors.Is(err, events.ErrNewer) {
		return err
	}
	if err == nil {
		err = s.checkPause(verb, asked)
	}
	if err != nil {
		return s.refuseRequest(ctx, m, verb, asked, err)
	}
	came, err := s.settlePause(ctx, verb, asked)
	if err != nil {
		return err
	}
	s.tel.Log.InfoContext(ctx, "admin's request handled", "request", asked.ID, "verb", string(verb), "result", string(came.Verb), "about", asked.Scope.String())
	return s.audit(ctx, []auditEntry{{
		verb: came.Verb, id: string(came.Verb) + ":" + asked.ID, header: header(ctx),
		result: events.OperatorResult{Request: asked.ID, By: asked.By, Scope: asked.Scope, Note: came.Note},
	}})
}

// checkPause says what is wrong with a request as a whole.
func (s *Service) checkPause(verb events.Verb, r events.OperatorRequest) error {
	switch {
	case r.ID == "":
		return errors.New("the request has no id")
	case r.By == "":
		return errors.New("the request does not say who asks")
	case verb == events.VerbPause && strings.TrimSpace(r.Reason) == "":
		return errors.New("the request does not say why")
	case r.Scope == nil, (r.Scope.Org == "") == (r.Scope.Source == ""), r.Scope.Lane != "" && r.Scope.Org == "":
		return errors.New("the request names neither one org, nor one lane of an org, nor one source")
	case r.Scope.Source != "":
		return known("source", r.Scope.Source, s.cfg.Sources)
	}
	if err := known("org", r.Scope.Org, s.cfg.Orgs); err != nil || r.Scope.Lane == "" {
		return err
	}
	lanes := make([]string, 0, len(events.Lanes()))
	for _, l := range events.Lanes() {
		lanes = append(lanes, string(l))
	}
	return known("lane", string(r.Scope.Lane), lanes)
}

// known refuses a name that the configuration does not have: a pause of nothing
// would look like one of something.
func known(what, name string, there []string) error {
	if slices.Contains(there, name) {
		return nil
	}
	return fmt.Errorf("there is no %s %q, only %s", what, name, strings.Join(there, ", "))
}

// settlePause changes the table until that is written, and says what came of the
// request, now or when it was handled before.
func (s *Service) settlePause(ctx context.Context, verb events.Verb, asked events.OperatorRequest) (events.SettledPause, error) {
	for range pauseTries {
		table, seq, err := s.readPauses(ctx)
		if err != nil {
			return events.SettledPause{}, err
		}
		if came, had := table.Had(asked.ID); had {
			return came, nil
		}
		came := s.judgePause(&table, verb, asked)
		table.Settle(came)
		table.At = s.now().UTC()
		data, err := events.Encode(table)
		if err != nil {
			return came, err
		}
		done, err := s.store.Commit(ctx, events.StreamRoster, []bus.Group{{{
			Subject: events.PausesSubject(), Data: data, Header: header(ctx), Guarded: true, LastSeq: seq,
		}}})
		if err != nil {
			return came, fmt.Errorf("write what is paused: %w", err)
		}
		if done[0].Err == nil {
			return came, nil
		}
	}
	return events.SettledPause{}, fmt.Errorf("write what is paused: %w", bus.ErrConflict)
}

func (s *Service) readPauses(ctx context.Context) (events.Pauses, uint64, error) {
	have, err := s.store.Latest(ctx, events.StreamRoster, []string{events.PausesSubject()})
	if err != nil {
		return events.Pauses{}, 0, fmt.Errorf("read what is paused: %w", err)
	}
	e, ok := have[events.PausesSubject()]
	if !ok {
		return events.Pauses{}, 0, nil
	}
	p, err := events.Decode[events.Pauses](e.Data)
	return p, e.Seq, err
}

// judgePause changes the table as asked, or says why not.
func (s *Service) judgePause(table *events.Pauses, verb events.Verb, asked events.OperatorRequest) events.SettledPause {
	refuse := func(format string, args ...any) events.SettledPause {
		return events.SettledPause{Request: asked.ID, Verb: events.VerbRefused, Note: string(verb) + ": " + fmt.Sprintf(format, args...)}
	}
	is := table.Of(*asked.Scope)
	if verb == events.VerbPause {
		if is != nil {
			return refuse("%s is paused already, since %s by %s: %s", asked.Scope, is.Since.Format(time.RFC3339), is.By, is.Reason)
		}
		table.Add(events.Pause{Scope: *asked.Scope, By: asked.By, Reason: asked.Reason, Since: s.now().UTC(), Request: asked.ID})
		return events.SettledPause{Request: asked.ID, Verb: events.VerbPaused, Note: asked.Reason}
	}
	switch {
	case is == nil:
		return refuse("%s is not paused", asked.Scope)
	case asked.Pause != "" && asked.Pause != is.Request:
		return refuse("%s has been resumed and paused again since, by %s: %s", asked.Scope, is.By, is.Reason)
	}
	note := fmt.Sprintf("paused by %s for %s: %s", is.By, s.now().Sub(is.Since).Round(time.Second), is.Reason)
	table.Remove(*asked.Scope)
	return events.SettledPause{Request: asked.ID, Verb: events.VerbResumed, Note: note}
}
