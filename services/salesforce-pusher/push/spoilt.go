package push

import (
	"context"
	"net/http"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/health"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// search is one collection call, and the calls it takes to find out whose
// trouble the refusal of all of it is.
type search struct {
	*caller
	operation, object string
	send              func(ctx context.Context, part []unit) ([]salesforce.Result, error)
	// left are the calls that may be made on top.
	left int
	// served is set once the org has answered that it takes changes.
	served bool
}

// run sends a part and returns each unit's own result, also where it halts.
func (s *search) run(ctx context.Context, part []unit) ([]result, error) {
	var got []salesforce.Result
	e, halted := s.call(ctx, s.operation, s.object, tasksOf(part), func(ctx context.Context) (err error) {
		got, err = s.send(ctx, part)
		return err
	})
	switch {
	case e == nil:
		return resultsOf(got), nil
	case halted != nil:
		return repeat(result{err: e}, len(part)), halted
	case spoilt(e):
		return s.spoilt(ctx, part, e)
	case len(part) == 1 || !blamesData(e) || s.left < 2:
		return repeat(result{err: e}, len(part)), nil
	}
	return s.halves(ctx, part)
}

func (s *search) halves(ctx context.Context, part []unit) ([]result, error) {
	s.left -= 2
	mid := len(part) / 2
	first, halted := s.run(ctx, part[:mid])
	if halted != nil {
		return append(first, repeat(result{err: notSent()}, len(part)-mid)...), halted
	}
	second, halted := s.run(ctx, part[mid:])
	return append(first, second...), halted
}

// spoilt goes on after an answer that leaves open whether anything of the part
// was applied. An org that takes no change at all is in trouble; otherwise it is
// somebody's among these, who are halved until it is known whose. To send the
// same once more does no harm: an update says the same again, and Salesforce
// makes no second user of one username and no second assignment. Where the calls
// do not suffice, the rest is given back.
func (s *search) spoilt(ctx context.Context, part []unit, e *salesforce.Error) ([]result, error) {
	if halted := s.takesChanges(ctx, part); halted != nil {
		return repeat(result{err: e}, len(part)), halted
	}
	if len(part) == 1 {
		return []result{{err: e}}, nil
	}
	if s.left < 2 {
		return repeat(result{err: notSent(), after: e}, len(part)), nil
	}
	results, halted := s.halves(ctx, part)
	for i := range results {
		if results[i].after == nil {
			results[i].after = e
		}
	}
	return results, halted
}

// takesChanges asks the org, once in a search, whether it takes any change; the
// error is why not.
func (s *search) takesChanges(ctx context.Context, part []unit) error {
	if s.served {
		return nil
	}
	e, halted := s.call(ctx, plan.OpProbe, "User", tasksOf(part), func(ctx context.Context) error {
		return health.TryWrite(ctx, s.client)
	})
	if halted != nil {
		return halted
	}
	if e != nil {
		if f := plan.Diagnose(plan.Refusal{Err: e, Operation: s.operation, Probe: true}); f.Cause.OrgWide() {
			return &halt{trouble: f}
		}
	}
	s.served = true
	return nil
}

// spoilt says whether a call was answered, and the answer leaves open whether it
// was applied: 5xx, and what is no answer of Salesforce's.
func spoilt(e *salesforce.Error) bool { return e.Outcome == salesforce.MaybeApplied && e.Status != 0 }

// mayComeLate says whether such a call may be applied after its answer: not where
// Salesforce itself says that it failed.
func mayComeLate(e *salesforce.Error) bool {
	return e != nil && (e.Status != http.StatusInternalServerError || e.Code == salesforce.CodeNotSalesforce)
}
