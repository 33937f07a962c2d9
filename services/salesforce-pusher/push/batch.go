package push

import (
	"context"
	"slices"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/health"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// maxRounds is more needs than one step can meet: everybody has each a few times
// at the most. It keeps a mistake of ours from calling Salesforce for ever.
const maxRounds = 64

// batch is what the calls of one step share.
type batch struct {
	org    *org
	lane   events.Lane
	ledger *ledger
	caller *caller
	trace  *stepTrace
	// taken are the users of this step by id, so that two people of one batch
	// cannot have one.
	taken map[string]events.Key
	// present are all people of the step; joined are those of them whom no message
	// named.
	present, joined []*task
	// looks is how often it was asked who has usernames.
	looks int
	// rights are what the integration user may do, once somebody had to ask.
	rights *health.Rights
}

// phase meets one need of many people, in as few calls as it takes. What it
// returns halts the step.
type phase func(ctx context.Context, tasks []*task) error

// phases has one for every need.
func (b *batch) phases() map[plan.Need]phase {
	names, correlate, assign := naming{b}, correlating{b}, assigning{b}
	return map[plan.Need]phase{
		plan.NeedJobOver:         jobs{b}.end,
		plan.NeedNames:           names.resolve,
		plan.NeedNamesAgain:      names.resolveAgain,
		plan.NeedUser:            correlate.users,
		plan.NeedOwner:           correlate.owners,
		plan.NeedAssignments:     assign.read,
		plan.NeedCreate:          creating{b}.create,
		plan.NeedFreeze:          freezing{b}.freeze,
		plan.NeedUpdate:          updating{b}.update,
		plan.NeedReadBack:        updating{b}.readBack,
		plan.NeedUnfreeze:        freezing{b}.unfreeze,
		plan.NeedGive:            assign.give,
		plan.NeedTake:            assign.take,
		plan.NeedAssignmentsBack: assign.readBack,
		plan.NeedHolder:          renaming{b}.order,
	}
}

// work meets need after need of everybody, until nobody needs anything. The
// error is why it ended before.
func (b *batch) work(ctx context.Context, tasks []*task) error {
	phases := b.phases()
	b.present, b.looks = slices.Clip(tasks), 0
	for range maxRounds {
		need, who := b.next(b.present)
		if need == plan.NeedNothing {
			return nil
		}
		who, err := b.ready(ctx, who, b.present)
		if err != nil {
			return err
		}
		if len(who) == 0 {
			continue
		}
		if err := phases[need](ctx, who); err != nil {
			return err
		}
	}
	b.org.log.ErrorContext(ctx, "a step does not come to an end", "org", b.org.cfg.Name, "lane", b.lane)
	return outOfTime()
}

// next is the need to meet first, and who has it.
func (b *batch) next(tasks []*task) (plan.Need, []*task) {
	byNeed := map[plan.Need][]*task{}
	for _, t := range tasks {
		if n := t.Next(&b.org.policy); n != plan.NeedNothing {
			byNeed[n] = append(byNeed[n], t)
		}
	}
	for _, n := range plan.Needs() {
		if who := byNeed[n]; len(who) > 0 {
			return n, who
		}
	}
	return plan.NeedNothing, nil
}

// ready returns those of who that are still ours. Where the claims do not last
// for a whole call, those of everybody in the batch are renewed first.
func (b *batch) ready(ctx context.Context, who, all []*task) ([]*task, error) {
	open := those(who, isOpen)
	if len(open) == 0 || b.ledger.left(open) >= b.org.cfg.CallTimeout {
		return open, nil
	}
	if err := b.ledger.claim(ctx, those(all, isOpen)); err != nil {
		return nil, noRoster(err)
	}
	return those(who, isOpen), nil
}

// sift takes a call's results in, one by one, until all are: theirs takes those
// that concern the person, excused those that are the whole org's trouble, which
// halts the step. Nothing was applied of the latter, so they are given back.
// halted is why the step ends already; it returns that, or why it ends now.
func (b *batch) sift(ctx context.Context, halted error, operation string, units []unit, results []result, theirs, excused func(u unit, r result)) error {
	for i, u := range units {
		if mayComeLate(results[i].after) {
			u.t.Doubt()
		}
		trouble, all := b.excuse(ctx, halted, operation, results[i].err, units)
		if !all {
			theirs(u, results[i])
			continue
		}
		if excused != nil {
			excused(u, results[i])
		}
		if halted == nil && trouble != nil {
			halted = &halt{trouble: trouble}
		}
	}
	return halted
}

// excuse says whether a refusal is no failure of the person's, and what trouble
// of the org it is; none where the call was simply not made.
func (b *batch) excuse(ctx context.Context, halted error, operation string, e *salesforce.Error, units []unit) (trouble *events.Failure, all bool) {
	switch {
	case e == nil || e.Outcome != salesforce.NotApplied:
		return nil, false
	case e.Code == codeNotSent:
		return nil, true
	case b.demoted(ctx, halted, operation, e, units):
		return plan.Diagnose(plan.Refusal{Err: e, Operation: operation, Demoted: true}), true
	case e.OrgWide():
		return plan.Diagnose(plan.Refusal{Err: e, Operation: operation}), true
	}
	return nil, false
}

// demoted says whether a person was refused because the integration user lost a
// right that it needs for everybody. Salesforce words the refusal of a single
// user the same way, so it is asked, once in a step.
func (b *batch) demoted(ctx context.Context, halted error, operation string, e *salesforce.Error, units []unit) bool {
	switch e.Code {
	case "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY":
	default:
		return false
	}
	if b.rights == nil && halted != nil {
		return false
	}
	if b.rights == nil {
		got := health.AllRights()
		// What cannot be asked is judged as a person's own refusal.
		_, _ = b.caller.call(ctx, plan.OpProbe, "UserPermissionAccess", tasksOf(units), func(ctx context.Context) (err error) {
			got, err = health.ReadRights(ctx, b.caller.client)
			return err
		})
		b.rights = &got
	}
	return !b.rights.Cover(operation)
}
