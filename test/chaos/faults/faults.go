// Package faults are what chaos has to catch: the programs, each broken in one
// place as a change might break it by mistake.
package faults

import "github.com/rollcall-sync/rollcall/test/mutants/patch"

// Fault is one of them.
type Fault struct {
	patch.Patch
	// Why is what goes wrong in an installation that has it.
	Why string
	// Programs are those that have it.
	Programs []string
}

const (
	pusher     = "salesforce-pusher"
	assignment = "assignment"
	scheduler  = "retry-scheduler"
)

const (
	inPush   = "services/salesforce-pusher/push/"
	inPlan   = "services/salesforce-pusher/plan/"
	inAssign = "services/assignment/"
	inRetry  = "services/retry-scheduler/retry/"
)

// All are all of them.
func All() []Fault {
	return append(pushed(), decided()...)
}

func fault(program, name, file, old, broken, why string) Fault {
	return Fault{Patch: patch.Patch{Name: name, File: file, Old: old, New: broken}, Why: why, Programs: []string{program}}
}

// pushed break what is done to Salesforce.
func pushed() []Fault {
	return []Fault{
		fault(pusher, "acked before it is committed", inPush+"step.go", "case t.Open() || broken && t.Fate() != plan.Idle:", "case false:",
			"whoever was interrupted is never worked on again"),
		fault(pusher, "claims are not respected", inPlan+"triage.go", "if c != nil && c.Worker != worker && now.Before(c.Until.Add(skew)) {", "if false {",
			"two workers call for one person at one time"),
		fault(pusher, "what is unsure is forgotten", inPlan+"lost.go", "p.Link.UnsureUntil = until.UTC()", "_ = until",
			"a call that is applied late stands"),
		fault(pusher, "a dead worker's calls are forgotten", inPlan+"triage.go", "p.doubt(c.Until.Add(o.LateFor))", "p.Link.Unsure = true",
			"what a worker sent before it died is applied after it was looked for"),
		fault(pusher, "an older revision is taken for the newest", inPlan+"triage.go", "if p.Link.AppliedHash != p.Desired.Hash {", "if p.Link.AppliedHash == \"\" || p.Desired.Active != p.Link.Active {",
			"what somebody had before they moved stays"),
		fault(pusher, "a protected user is touched", inPlan+"policy.go", "if o.integrates(v) || v != \"\" && o.Protected[strings.ToLower(v)] {", "if v != \"\" && len(o.Protected) > 1000 && strings.ToLower(v) == v {",
			"the user that Rollcall signs in with may be deactivated by it"),
		fault(pusher, "an unmanaged field is cleared", inPlan+"change.go", "c := Change{Update: map[string]any{}}", "c := Change{Update: map[string]any{\"Phone\": nil}}",
			"what others maintain in Salesforce is lost"),
		fault(pusher, "a second user is made", inPlan+"change.go", "fields[FieldActive] = true\n\tgive", "fields[FieldActive] = true\n\tdelete(fields, \"FederationIdentifier\")\n\tdelete(fields, \"CommunityNickname\")\n\tfields[FieldUsername] = fmt.Sprintf(\"second%p@chaos.example\", &fields)\n\tgive",
			"somebody who leaves keeps the other user"),
		fault(pusher, "a leaver stays active", inPlan+"change.go", "return Change{Update: map[string]any{FieldActive: false}, Freeze: freezeFirst && !link.Frozen}", "return Change{Freeze: !link.Frozen}",
			"a freeze is taken for a deactivation"),
		fault(pusher, "nobody is let in again", inPlan+"change.go", "c.Unfreeze = link.Frozen || link.FreezeLost", "c.Unfreeze = false",
			"whoever comes back cannot sign in"),
		fault(pusher, "a lost removal counts as done", inPush+"assign.go", "u.t.Assignments().Lost(u.name, plan.OpUnassign, r.err)", "u.t.Assignments().Taken(u.name)",
			"somebody keeps a permission set that they should not have"),
		fault(pusher, "a record's text holds the org", "pkg/salesforce/classify.go", "case r.status == 0: // one record's result\n", "case has(\"TotalRequests Limit exceeded\"):\n\t\treturn Throttled, KindDailyLimit, true\n\tcase r.status == 0:\n",
			"one person's value stops everybody's work"),
		fault(pusher, "a name stands in the log", inPush+"step.go", "\"key\", t.Key,\n\t\t\t\t\"event_id\"", "\"key\", t.Username(),\n\t\t\t\t\"event_id\"",
			"whoever may read logs knows who was hired"),
	}
}

// badEvent acknowledges everybody who is read together with an event that is bad.
const badEvent = `if bad := pick(batch, func(in *incoming) bool { return in.fault != nil }); len(bad) > 0 {
		for _, in := range pick(batch, func(in *incoming) bool { return in.fault == nil }) {
			s.finish(in, verdictApplied)
		}
		batch = bad
	}
	err := s.handlePeople(ctx, pick(`

// decided break what is decided before and after.
func decided() []Fault {
	list := []Fault{
		fault(assignment, "an old export wins", inAssign+"rules/series.go", "kind.Compare(at(all[i]).SourceVersion, at(all[first]).SourceVersion) <= 0", "at(all[i]).Seq < at(all[first]).Seq",
			"who has left is active again"),
		fault(assignment, "a bad event takes others along", inAssign+"assign/step.go", "err := s.handlePeople(ctx, pick(", badEvent,
			"people are acknowledged, and never looked at"),
		fault(scheduler, "acted before it is in the audit log", inRetry+"replay.go", "if err := s.record(ctx, r, events.VerbRetried, act); err != nil {\n\t\treturn err\n\t}", "defer s.record(ctx, r, events.VerbRetried, act)",
			"after a crash nobody can say who asked for it"),
		fault(scheduler, "a dead letter says no reason", inRetry+"report.go", "Lane: o.Lane, Failure: failureOf(o.Failure),", "Lane: o.Lane, Failure: events.Failure{Cause: failureOf(o.Failure).Cause},",
			"nobody knows what to mend"),
		fault(scheduler, "nobody is tried again", inRetry+"report.go", "if err := s.schedule(ctx, again); err != nil {", "if err := s.schedule(ctx, again[:0]); err != nil {",
			"whoever met a row lock stays as they are"),
	}
	subject := fault(assignment, "a name stands in subjects", "pkg/events/key.go", "return k.derive(\"person\", correlationID)", "return Key(strings.ToLower(correlationID))",
		"whoever may list subjects knows everybody")
	subject.Programs = []string{assignment, pusher, scheduler, "rollcall"}
	return append(list, subject)
}
