package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// Paused is a pause as an admin sees it.
type Paused struct {
	events.Pause
	// Waiting is about how many events of a source wait for it to go on; what
	// waits for an org stands with its lanes.
	Waiting int `json:"waiting,omitempty"`
}

// Pauses are what is paused, by scope.
func (o *Operator) Pauses(ctx context.Context) ([]Paused, error) {
	have, err := o.bus.Latest(ctx, events.StreamRoster, []string{events.PausesSubject(), events.AsidesAll})
	if err != nil {
		return nil, fmt.Errorf("read what is paused: %w", err)
	}
	e, ok := have[events.PausesSubject()]
	if !ok {
		return nil, nil
	}
	table, err := events.Decode[events.Pauses](e.Data)
	if err != nil {
		return nil, fmt.Errorf("read what is paused: %w", err)
	}
	out := make([]Paused, len(table.Paused))
	for i, p := range table.Paused {
		out[i] = Paused{Pause: p}
		if p.Source == "" {
			continue
		}
		if e, ok := have[events.AsideSubject(p.Source)]; ok {
			if a, err := events.Decode[events.Aside](e.Data); err == nil {
				out[i].Waiting = a.Passed
			}
		}
	}
	return out, nil
}

// Pause asks for an org, a lane or a source to be left alone.
func (o *Operator) Pause(ctx context.Context, by, reason string, s events.Scope) (Asked, error) {
	switch {
	case by == "":
		return Asked{}, errors.New("pause: it must say who asks")
	case reason == "":
		return Asked{}, errors.New("pause: it must say why")
	}
	return o.scoped(ctx, events.VerbPause, events.OperatorRequest{By: by, Reason: reason, Scope: &s})
}

// Resume asks for a pause to end; was is the pause as the admin saw it.
func (o *Operator) Resume(ctx context.Context, by, reason string, was events.Pause) (Asked, error) {
	if by == "" {
		return Asked{}, errors.New("resume: it must say who asks")
	}
	return o.scoped(ctx, events.VerbResume, events.OperatorRequest{By: by, Reason: reason, Scope: &was.Scope, Pause: was.Request})
}

func (o *Operator) scoped(ctx context.Context, verb events.Verb, r events.OperatorRequest) (Asked, error) {
	asked, err := o.enter(ctx, verb, r)
	if err != nil {
		return asked, fmt.Errorf("request %s: %w", verb, err)
	}
	return asked, nil
}

// Answer waits for what came of a request to pause or resume, until ctx ends;
// nil then.
func (o *Operator) Answer(ctx context.Context, asked Asked) (*AuditEntry, error) {
	tick := time.NewTicker(lookEvery / 4)
	defer tick.Stop()
	from := asked.Seq + 1
	for {
		var found *AuditEntry
		err := o.bus.Scan(ctx, events.StreamOperator, events.OperatorAll, from, func(e bus.Entry) error {
			from = e.Seq + 1
			if entry := readAudit(e); entry.Request == asked.ID {
				found = &entry
				return errEnough
			}
			return nil
		})
		switch {
		case found != nil:
			return found, nil
		case err != nil && ctx.Err() == nil:
			return nil, fmt.Errorf("wait for what comes of it: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil, nil //nolint:nilnil // nobody has answered
		case <-tick.C:
		}
	}
}
