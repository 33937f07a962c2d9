package push

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// minCall is the least time a call is worth starting for.
const minCall = 50 * time.Millisecond

// maxHalvings bounds the calls spent on finding the record for whose sake a
// whole call was refused.
const maxHalvings = 16

// codeNotSent marks a call that was not made: its claims end too soon, or the
// step has stopped.
const codeNotSent = "NOT_SENT"

// unit is one record of a collection call and whose it is; name says which of
// their assignments, where it is one.
type unit struct {
	p    *person
	name string
}

func unitsOf(people []*person) []unit {
	out := make([]unit, len(people))
	for i, p := range people {
		out[i].p = p
	}
	return out
}

// peopleOf are the people behind units, each once.
func peopleOf(units []unit) []*person {
	var out []*person
	seen := make(map[*person]bool, len(units))
	for _, u := range units {
		if !seen[u.p] {
			seen[u.p] = true
			out = append(out, u.p)
		}
	}
	return out
}

// result is what one unit of a call came to.
type result struct {
	id  string
	err *salesforce.Error
}

// stopped says whether no more calls may be made in this step.
func (s *step) stopped() bool {
	return s.trouble != nil || s.broken != nil || s.late || s.ctx.Err() != nil
}

// call makes one API call on behalf of people: inside their claims, traced,
// counted. Trouble of the whole org stops the step, unless the call may have
// been applied all the same: then the caller reads back first.
func (s *step) call(operation, object string, people []*person, do func(ctx context.Context) error) error {
	limit := min(s.left(people), s.org.cfg.CallTimeout)
	if limit < minCall {
		s.late = true
		return notSent()
	}
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	defer cancel()
	ctx, end := s.trace.call(ctx, operation, object, people)
	err := do(ctx)
	end(err)
	s.org.metrics.call(s.ctx, operation, err)
	if f := trouble(err, operation); f != nil && !maybeApplied(err) {
		s.stop(f)
	}
	return err
}

// stop ends the step's calls because of the whole org.
func (s *step) stop(f *events.Failure) {
	if s.trouble == nil {
		s.trouble = f
	}
}

func maybeApplied(err error) bool {
	var e *salesforce.Error
	return errors.As(err, &e) && e.Outcome == salesforce.MaybeApplied
}

// collect sends one collection call and returns each unit's own result. A call that is refused as a whole for the sake of one
// record's data is halved until the record is found: a bad person delays only
// themselves.
func (s *step) collect(operation, object string, units []unit, send func(ctx context.Context, part []unit) ([]salesforce.Result, error)) []result {
	budget := maxHalvings
	var halve func(part []unit) []result
	halve = func(part []unit) []result {
		var got []salesforce.Result
		err := s.call(operation, object, peopleOf(part), func(ctx context.Context) (err error) {
			got, err = send(ctx, part)
			return err
		})
		if err == nil {
			return resultsOf(got)
		}
		e := salesforceError(err)
		if len(part) == 1 || !blamesData(e) || budget < 2 || s.stopped() {
			return repeat(result{err: e}, len(part))
		}
		budget -= 2
		mid := len(part) / 2
		first := halve(part[:mid])
		if s.stopped() {
			return append(first, repeat(result{err: notSent()}, len(part)-mid)...)
		}
		return append(first, halve(part[mid:])...)
	}
	return halve(units)
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
			out[i].err = salesforceError(err)
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

// excused says whether a person's result is no failure of theirs: the org's
// trouble, which stops the step. Nothing was applied, so they are given back.
func (s *step) excused(r result, operation string) bool {
	if r.err == nil || r.err.Outcome != salesforce.NotApplied {
		return false
	}
	if f := s.demoted(r.err, operation); f != nil {
		s.stop(f)
		return true
	}
	if !r.err.OrgWide() {
		return false
	}
	if r.err.Code == codeNotSent {
		return true
	}
	s.stop(failureOf(r.err, operation))
	return true
}

// typed names the object of a record in a mixed call.
func typed(object string, r salesforce.Record) salesforce.Record {
	r["attributes"] = map[string]string{"type": object}
	return r
}

func protects(protected map[string]bool, values ...string) bool {
	for _, v := range values {
		if v != "" && protected[strings.ToLower(v)] {
			return true
		}
	}
	return false
}
