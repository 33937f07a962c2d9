package main

const inRetry = "services/retry-scheduler/retry/"

// retryMutants break what is done about failures, and about what admins ask for.
func retryMutants() []mutant {
	return concat(policyMutants(), parkMutants(), closeMutants(), requestMutants(), decideMutants(), sweepMutants(), behindMutants())
}

func policyMutants() []mutant {
	policy := func(name, file, old, mutated, why, run string) mutant {
		return mutant{name: "retry: " + name, file: inRetry + file, old: old, new: mutated, why: why, run: run}
	}
	return []mutant{
		policy("one attempt too many", "policy.go", "return !p.Park || attempt < p.Attempts", "return !p.Park || attempt <= p.Attempts", "what has to be parked at once costs API calls for ever", "TestEachCauseIsRetriedAndParkedAsThePolicySays"),
		policy("trouble of an org is parked", "policy.go", "return !p.Park || attempt < p.Attempts", "return attempt < p.Attempts", "everybody is parked for an outage", "TestEachCauseIsRetriedAndParkedAsThePolicySays"),
		policy("nothing is ever parked", "policy.go", "return !p.Park || attempt < p.Attempts", "return true", "nobody is told of anybody", "TestEachCauseIsRetriedAndParkedAsThePolicySays"),
		policy("delays do not grow", "policy.go", "for n := 1; n < min(attempt, p.Attempts); n++ {", "for n := 1; n < 1; n++ {", "a locked record is tried every two seconds", "TestDelayGrowsWithinItsBounds"),
		policy("delays are not spread", "policy.go", "const jitter = 0.2", "const jitter = 0", "everybody who failed together fails together again", "TestDelayGrowsWithinItsBounds"),
		policy("a cause of the future has no policy", "policy.go", "if p.Cause == events.CauseUnknown {", "if false {", "a newer pusher's failures are parked without a word", "TestUnknownCauseIsTreatedAsUnknown"),
		policy("no licence is retried", "policy.go", "p.Attempts, p.Multiplier, p.Park = 1, 1, true", "p.Attempts, p.Multiplier, p.Park = 1, 1, false", "what stays until somebody acts is tried for ever", "TestEveryCauseHasOnePolicy"),
		policy("a retry has no lane of its own", "schedule.go", "events.WorkSubject(f.org, laneOf(f.letter.Lane), f.key)}", "events.WorkSubject(f.org, events.LaneBackfill, f.key)}", "a leaver's retry waits behind a first load", "TestARetryKeepsItsLane"),
		policy("who says no lane has none", "schedule.go", "if l == \"\" {\n\t\treturn events.LaneChange\n\t}", "", "a retry is published where nobody listens", "TestARetryKeepsItsLane"),
		policy("an odd cause stands in a subject", "report.go", "out.Cause = events.CauseUnknown\n\t}\n\treturn out", "_ = out\n\t}\n\treturn out", "a failure of a newer pusher cannot be parked", "TestCauseThatMayNotStandInASubjectIsParkedAsUnknown"),
	}
}

func parkMutants() []mutant {
	park := func(name, old, mutated, why, run string) mutant {
		return mutant{name: "retry: " + name, file: inRetry + "park.go", old: old, new: mutated, why: why, run: run}
	}
	return []mutant{
		park("an older failure is parked over a newer", "len(have) > 0 && have[0].Evidence >= f.letter.Evidence", "false", "an admin reads of a failure that was long ago", "TestOlderFailureRedeliveredParksNothingNew"),
		park("a letter is written over another replica's", `p.write = bus.Write{Subject: subject, Guarded: true, Header: header(f.ctx)}`, `p.write = bus.Write{Subject: subject, Header: header(f.ctx)}`, "attempts that another replica counted are lost", "TestTwoReplicasParkOnePersonOnce"),
		park("a conflict is taken for parked", "later[p.msg] = s.cfg.PutBack // another", "_ = later // another", "a failure is acked that is parked nowhere", "TestTwoReplicasParkOnePersonOnce"),
		park("since when is forgotten", "l.FirstAt = earliest(old.FirstAt, l.FirstAt)", "", "an admin reads that somebody is stuck since this morning", "TestParkingAgainKeepsTheStory"),
		park("attempts are counted twice", "if l.Revision == old.Revision && l.RevisionAttempts > old.RevisionAttempts {", "if false {", "an admin reads of attempts that were never made", "TestParkingAgainKeepsTheStory"),
		park("the letter that is replaced stays", "s.remove(ctx, append(stale, replaced...))", "s.remove(ctx, append(stale, replaced[:0]...))", "somebody is stuck twice", "TestParkingAgainKeepsTheStory"),
		park("who succeeded meanwhile stays parked", "return s.overtaken(ctx, written)", "return s.overtaken(ctx, written[:0])", "a dead letter stays that nobody would close", "TestFailureOvertakenBySuccessWhileParkingIsClosed"),
		park("an older success closes", "if !ok || e.Seq <= l.Evidence {", "if !ok {", "somebody who failed since is not stuck any more", "TestAnOldSuccessDoesNotOvertakeAFailure"),
		{name: "retry: a discarded revision is parked again", file: inRetry + "report.go", run: "TestDiscardedRevisionIsNotParkedAgain",
			old: "case given[f.who] == f.revision:", new: "case given[f.who] == f.revision && false:", why: "what an admin gave up comes back"},
		{name: "retry: a discard gives up newer revisions", file: inRetry + "report.go", run: "TestDiscardedRevisionIsNotParkedAgain",
			old: "case given[f.who] == f.revision:", new: "case given[f.who] > 0:", why: "nobody is told of somebody who failed once more"},
		{name: "retry: the oldest of a batch counts", file: inRetry + "report.go", run: "TestTheNewestOfABatchCounts",
			old: "!ok || m.Seq > have.Seq", new: "!ok || m.Seq == have.Seq", why: "somebody is parked who has succeeded since"},
	}
}

func closeMutants() []mutant {
	return []mutant{
		{name: "retry: a success closes what came after", file: inRetry + "close.go", run: "TestSuccessOlderThanTheFailureClosesNothing",
			old: "if l.Evidence < f.msg.Seq {", new: "if true {", why: "somebody who failed since is not stuck any more"},
		{name: "retry: closed before it is in the audit log", file: inRetry + "close.go", run: "TestCrashAnywhereEndsAsAQuietRun",
			old: "if err := s.audit(ctx, entries); err != nil {\n\t\treturn err\n\t}\n\tif err := s.remove(ctx, letters); err != nil {\n\t\treturn err\n\t}", new: "if err := s.remove(ctx, letters); err != nil {\n\t\treturn err\n\t}\n\tif err := s.audit(ctx, entries); err != nil {\n\t\treturn err\n\t}",
			why: "after a crash nobody can say why a dead letter is gone"},
		{name: "retry: a success closes nothing", file: inRetry + "close.go", run: "TestSuccessClosesTheDeadLetter",
			old: "return s.close(ctx, list)", new: "return nil", why: "dead letters stay for ever"},
		{name: "retry: a discard is not marked", file: inRetry + "discard.go", run: "TestDiscardedRevisionIsNotParkedAgain",
			old: "if err := s.mark(ctx, r, act); err != nil {", new: "if err := ctx.Err(); err != nil {", why: "what an admin gave up comes back"},
		{name: "retry: discarded before it is in the audit log", file: inRetry + "discard.go", run: "TestCrashAnywhereEndsAsAQuietRun",
			old: "if err := s.record(ctx, r, events.VerbDiscarded, act); err != nil {\n\t\treturn err\n\t}", new: "defer s.record(ctx, r, events.VerbDiscarded, act)",
			why: "after a crash nobody can say who gave somebody up"},
		{name: "retry: replayed before it is in the audit log", file: inRetry + "replay.go", run: "TestCrashAnywhereEndsAsAQuietRun",
			old: "if err := s.record(ctx, r, events.VerbRetried, act); err != nil {\n\t\treturn err\n\t}", new: "defer s.record(ctx, r, events.VerbRetried, act)",
			why: "after a crash nobody can say who asked for it"},
		{name: "retry: who succeeded meanwhile waits for ever", file: inRetry + "replay.go", run: "TestRetryOfSomebodyWhoSucceededMeanwhileCloses",
			old: "return s.overtaken(ctx, act)", new: "return nil", why: "a dead letter stays that no outcome would close"},
	}
}

func requestMutants() []mutant {
	request := func(name, old, mutated, why, run string) mutant {
		return mutant{name: "retry: " + name, file: inRetry + "operate.go", old: old, new: mutated, why: why, run: run}
	}
	const whole = "TestRequestThatCannotBeUnderstoodIsRefusedWhole"
	return []mutant{
		request("a changed letter is acted on", "case err == nil && ok && l.seq == t.Seq:", "case err == nil && ok:", "an admin gives up a failure that they never saw", "TestStaleRequestIsRefused"),
		request("a target may be anything", "if key == \"\" || strings.ContainsFunc(string(key), func(r rune) bool { return !plain(r) }) {", "if false && !plain(0) {", "a wildcard in a request is read as everybody", "TestATargetIsAnAddress"),
		request("an org may be anything", "if t.Org != events.NoOrg && events.CheckName(t.Org) != nil {", "if false {", "a wildcard in a request is read as every org", "TestATargetIsAnAddress"),
		request("what is done is refused when it comes again", "case r.answered[t]:\n", "case false:\n", "an admin reads that their request was refused, and it was not", "TestRetryRedeliveredAfterItSucceededIsNotRefused"),
		request("a target named twice is done twice", "if seen[t] {\n\t\t\tcontinue\n\t\t}", "", "the audit log has two answers to one question", "TestATargetNamedTwiceIsActedOnOnce"),
		request("what comes again is new", "if deliveries == 1 && len(odd) == 0 {", "if deliveries >= 1 && len(odd) == 0 {", "the audit log has two answers to one question", "TestRequestRedeliveredLateIsAuditedOnce"),
		request("an answer is written again", "if !r.answered[l.target()] {", "if true {", "the audit log has two answers to one question", "TestRequestRedeliveredLateIsAuditedOnce"),
		request("nobody has to say who asks", "case r.By == \"\":", "case false:", "the audit log does not say who gave somebody up", whole),
		request("a request may name any number", "case len(r.Targets) > events.MaxTargets:", "case false:", "one request is worked on for longer than NATS waits", whole),
		request("a request that fails is acked", "later[m] = s.cfg.PutBack\n", "_ = s.cfg.PutBack\n", "an admin waits for ever for what they asked for", "TestCrashAnywhereEndsAsAQuietRun"),
	}
}

func decideMutants() []mutant {
	return []mutant{
		{name: "retry: acked although it was not done", file: inRetry + "retry.go", run: "TestNothingIsAcknowledgedThatWasNotDone",
			old: "for _, m := range msgs {\n\t\t\tlater[m] = s.cfg.PutBack\n\t\t}", new: "", why: "somebody who failed is never retried, nor parked"},
		{name: "retry: what is put back is acked", file: inRetry + "retry.go", run: "TestNothingIsAcknowledgedThatWasNotDone",
			old: "if again {", new: "if again && delay < 0 {", why: "somebody who failed is never retried, nor parked"},
		{name: "retry: a stop cuts a batch in half", file: inRetry + "retry.go", run: "TestABatchIsFinishedWhenTheServiceStops",
			old: "context.WithTimeout(context.WithoutCancel(ctx), s.cfg.StepTimeout)", new: "context.WithTimeout(ctx, s.cfg.StepTimeout)", why: "every update of Rollcall does batches twice"},
		{name: "retry: what cannot be read is acked", file: inRetry + "retry.go", run: "TestUnreadableOutcomeIsPutBackAndHoldsUpNobody",
			old: "later[m] = unreadableWait", new: "_ = later", why: "in the middle of an update, newer replicas' failures are lost"},
	}
}

func sweepMutants() []mutant {
	sweep := func(name, old, mutated, why, run string) mutant {
		return mutant{name: "retry: " + name, file: inRetry + "sweep.go", old: old, new: mutated, why: why, run: run}
	}
	const back = "TestDeadLetterThatComesBackIsRemoved"
	return []mutant{
		sweep("a schedule is armed over a newer one", "Schedule: &plan, Guarded: true, LastSeq: e.Seq,", "Schedule: &plan,", "somebody is tried again at once who is to be tried later", "TestASweepLosesAgainstANewerSchedule"),
		sweep("what is due soon is overdue", "if !ok || w.now().Sub(plan.At) < overdue {", "if !ok {", "every sweep publishes every schedule anew", "TestRetryThatComesBackIsScheduledAgain"),
		sweep("nothing is overdue", "if !ok || w.now().Sub(plan.At) < overdue {", "if !ok || !plan.At.IsZero() {", "after a crash of NATS somebody is never tried again", "TestRetryThatComesBackIsScheduledAgain"),
		sweep("what was given up comes back", "w.remove(ctx, append(stale, given...))", "w.remove(ctx, append(stale, given[:0]...))", "what an admin gave up comes back after a crash of NATS", back),
		sweep("what was replaced comes back", "w.remove(ctx, append(stale, given...))", "w.remove(ctx, append(stale[:0], given...))", "somebody is stuck twice after a crash of NATS", back),
		sweep("what was closed comes back", "if err := w.overtaken(ctx, newest); err != nil {", "if err := ctx.Err(); err != nil {", "somebody is stuck after a crash of NATS who is not", back),
	}
}

// behindMutants decide by what a replica of NATS says that is behind.
func behindMutants() []mutant {
	behind := func(name, file, old, mutated, why, run string) mutant {
		return mutant{name: "retry: behind, " + name, file: inRetry + file, old: old, new: mutated, why: why, run: run}
	}
	return []mutant{
		behind("a request is refused", "operate.go", "if len(odd) > 0 && len(subjects) > 0 {", "if false {", "what an admin asked for is refused for no reason", "TestARequestIsNotRefusedByAReplicaThatIsBehind"),
		behind("what is closed is discarded", "now.go", "Data: l.data, Header: h, Guarded: true, LastSeq: l.seq}", "Data: l.data, Header: h}", "the next failure of somebody is nobody's", "TestWhatIsClosedIsNotDiscarded"),
		behind("a request taken up again is refused", "operate.go", "case err == nil && ok && r.took(l, t):", "case err == nil && ok && r.took(l, t) && false:", "what an admin gave up stays parked", "TestCrashAnywhereEndsAsAQuietRun"),
		behind("an older discard replaces a newer", "now.go", "if err == nil && before.Revision > l.Revision {", "if err == nil && before.Revision > l.Revision && false {", "what an admin gave up is parked again", "TestANewerRevisionStaysDiscarded"),
		behind("an answer is not seen", "now.go", "if err == nil && seen < stands.LastSeq {", "if err == nil && seen < stands.LastSeq && false {", "the audit log says that what was done was refused", "TestARequestIsAnsweredOnceThoughTheLogIsBehind"),
		behind("a success is not seen", "now.go", "return s.store.LatestAsOf(ctx, events.StreamRoster, subjects, subject, stands.LastSeq)", "_, _ = subject, stands\n\t\treturn have, nil", "a dead letter stays that nobody would close", "TestASuccessIsSeenWhileParking"),
		behind("a letter of a lost ROSTER counts", "now.go", "if of[i].Evidence > stands.LastSeq {", "if of[i].Evidence > stands.LastSeq && false {", "after a restore failures are parked nowhere, and successes close nothing", "TestALetterOfALostRosterIsNoEvidence"),
		behind("a letter is not seen", "sweep.go", "if w.trust > 0 && stands.Messages", "if stands.Messages", "a dead letter stays that nobody would close", "TestALetterThatASuccessDidNotSeeIsSweptAway"),
	}
}
