package push

import (
	"context"
	"errors"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/tokens"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/health"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

const (
	// minCall is the least time a call is worth starting for.
	minCall = 50 * time.Millisecond
	// maxHalvings bounds the calls spent on finding the record for whose sake a
	// whole call was refused.
	maxHalvings = 16
	// codeNotSent marks a call that was not made: its claims end too soon, or
	// the step has stopped.
	codeNotSent = "NOT_SENT"
)

// unit is one record of a collection call and whose it is; name says which of
// their assignments, where it is one.
type unit struct {
	t    *task
	name string
}

func unitsOf(tasks []*task) []unit {
	out := make([]unit, len(tasks))
	for i, t := range tasks {
		out[i].t = t
	}
	return out
}

// tasksOf are the people behind units, each once.
func tasksOf(units []unit) []*task {
	var out []*task
	seen := make(map[*task]bool, len(units))
	for _, u := range units {
		if !seen[u.t] {
			seen[u.t] = true
			out = append(out, u.t)
		}
	}
	return out
}

// result is what one unit of a call came to.
type result struct {
	id  string
	err *salesforce.Error
	// after is the answer to an earlier call for the same record, of which nobody
	// knows whether it was applied; nil where there was none.
	after *salesforce.Error
}

// caller makes API calls on behalf of people: inside their claims, traced,
// counted.
type caller struct {
	client  *salesforce.Client
	timeout time.Duration
	ledger  *ledger
	trace   *stepTrace
	metrics *metrics
	// reader says as whom calls are made; began is as whom the step began, which is
	// whom it leaves alone.
	reader *tokens.Reader
	began  tokens.Identity
	// answers is set once the org answered after a call that it did not answer.
	answers bool
}

// call makes one API call and returns what it was answered, nil for success.
// Trouble of the whole org halts the step, unless the call may have been applied
// all the same: then the caller reads back first.
func (c *caller) call(ctx context.Context, operation, object string, tasks []*task, do func(ctx context.Context) error) (refused *salesforce.Error, halted error) {
	limit := min(c.ledger.left(tasks), c.timeout)
	if limit < minCall || ctx.Err() != nil || c.another() {
		return notSent(), outOfTime()
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	within, end := c.trace.call(within, operation, object, tasks)
	err := do(within)
	end(err)
	c.metrics.call(ctx, operation, err)
	if health.TooLate(err) {
		return notSent(), outOfTime()
	}
	if err != nil {
		refused = plan.ErrorIn(err)
	}
	if f := health.Trouble(err, operation); f != nil && !maybeApplied(err) {
		halted = &halt{trouble: f}
	}
	if refused != nil && refused.Class == salesforce.Timeout && refused.Code == salesforce.CodeNoAnswer && operation != plan.OpProbe {
		halted = c.stillThere(ctx, operation, tasks)
	}
	return refused, halted
}

// another says whether somebody signed Rollcall in as another user meanwhile, whom the
// step does not know to leave alone.
func (c *caller) another() bool { return c.reader.Identity().UserID != c.began.UserID }

// stillThere asks, once in a step, whether an org that did not answer in time
// answers at all; the error is that it does not. A call that takes too long is a
// matter of its records only while others are answered.
func (c *caller) stillThere(ctx context.Context, operation string, tasks []*task) error {
	if c.answers {
		return nil
	}
	e, halted := c.call(ctx, plan.OpProbe, "limits", tasks, func(ctx context.Context) error {
		_, err := c.client.Limits(ctx)
		return err
	})
	if halted != nil {
		return halted
	}
	if e != nil {
		if f := plan.Diagnose(plan.Refusal{Err: e, Operation: operation, Probe: true}); f.Cause.OrgWide() {
			return &halt{trouble: f}
		}
	}
	c.answers = true
	return nil
}

func maybeApplied(err error) bool {
	var e *salesforce.Error
	return errors.As(err, &e) && e.Outcome == salesforce.MaybeApplied
}

// collect sends one collection call and returns each unit's own result, also
// where it halts. A call that is refused as a whole for the sake of one record's
// data, or answered 5xx, is halved until the record is found: a bad person delays
// only themselves.
func (c *caller) collect(ctx context.Context, operation, object string, units []unit, send func(ctx context.Context, part []unit) ([]salesforce.Result, error)) (results []result, halted error) {
	return (&search{caller: c, operation: operation, object: object, send: send, left: maxHalvings}).run(ctx, units)
}

// blamesData says whether a refusal of a whole call may be one record's fault.
func blamesData(e *salesforce.Error) bool {
	if e.Outcome != salesforce.NotApplied || e.OrgWide() {
		return false
	}
	switch e.Class {
	case salesforce.Timeout, salesforce.Locked, salesforce.Credentials, salesforce.Throttled, salesforce.Unavailable:
		return false
	}
	return e.Status >= 400 && e.Status < 500
}

// notSent stands for a record whose call was not made any more.
func notSent() *salesforce.Error {
	return &salesforce.Error{Class: salesforce.Unavailable, Code: codeNotSent, Outcome: salesforce.NotApplied, Message: "not sent"}
}

func resultsOf(got []salesforce.Result) []result {
	out := make([]result, len(got))
	for i, r := range got {
		out[i].id = r.ID
		if err := r.Err(); err != nil {
			out[i].err = plan.ErrorIn(err)
		}
	}
	return out
}

func repeat(r result, n int) []result {
	out := make([]result, n)
	for i := range out {
		out[i] = r
	}
	return out
}

// typed names the object of a record in a mixed call.
func typed(object string, r salesforce.Record) salesforce.Record {
	r["attributes"] = map[string]string{"type": object}
	return r
}
