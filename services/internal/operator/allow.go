package operator

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// Allowance is what a person waits for an admin's yes to.
type Allowance struct {
	Org    string      `json:"org"`
	Person Party       `json:"person"`
	Asks   events.Asks `json:"asks"`
	// Why is what the person is parked with.
	Why string `json:"why"`
}

// ErrNothingAsked is returned where a person waits for nobody's yes.
var ErrNothingAsked = errors.New("does not wait for anybody's yes there")

// Allowance says what a person waits for; nothing is done. It returns [ErrNobody],
// [ErrSeveral] or [ErrNothingAsked].
func (o *Operator) Allowance(ctx context.Context, org, name string) (Allowance, error) {
	a := Allowance{Org: org}
	key, err := o.find(ctx, name)
	if err != nil {
		return a, fmt.Errorf("find %s: %w", name, err)
	}
	if a.Person, err = o.party(ctx, org, key); err != nil {
		return a, err
	}
	at := events.OutcomeSubject(org, key)
	found, err := o.bus.Latest(ctx, events.StreamRoster, []string{at})
	if err != nil {
		return a, fmt.Errorf("read what the person waits for: %w", err)
	}
	e, ok := found[at]
	if !ok {
		return a, fmt.Errorf("%s: %w", name, ErrNothingAsked)
	}
	out, err := read[events.Outcome](e)
	if err != nil {
		return a, err
	}
	if out.Result != events.ResultFailed || out.Failure == nil || out.Failure.Asks == nil {
		return a, fmt.Errorf("%s: %w", name, ErrNothingAsked)
	}
	a.Asks, a.Why = *out.Failure.Asks, out.Failure.Message
	return a, nil
}

// Allow says yes to what [Operator.Allowance] said, and to no more. It returns when the
// request is stored.
func (o *Operator) Allow(ctx context.Context, by, reason string, a Allowance) (Asked, error) {
	if by == "" {
		return Asked{}, fmt.Errorf("request %s: it must say who asks", events.VerbAllow)
	}
	asked, err := o.enter(ctx, events.VerbAllow, events.OperatorRequest{By: by, Reason: reason, Asks: &a.Asks,
		Targets: []events.Target{{Org: a.Org, Key: a.Person.Key}}})
	if err != nil {
		return asked, fmt.Errorf("request %s: %w", events.VerbAllow, err)
	}
	return asked, nil
}
