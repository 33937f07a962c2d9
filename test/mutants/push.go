package main

const inPush = "services/salesforce-pusher/push/"

// pushMutants break the step: who is claimed, what is committed before it is
// called or acked, who is given back.
func pushMutants() []mutant {
	return concat(ledgerMutants(), commitMutants(), stepMutants(), batchMutants(), callMutants(), givingMutants(), loadMutants(), handoverMutants())
}

func ledgerMutants() []mutant {
	return []mutant{
		{name: "push: a link is written over another's", file: inPush + "ledger.go", run: "TestAClaimIsOneWorkersAlone",
			old: "Guarded: true, LastSeq: t.linkSeq,", new: "",
			why: "two workers call for one person at once"},
		{name: "push: a lost claim is taken for ours", file: inPush + "ledger.go", run: "TestAClaimIsOneWorkersAlone",
			old: "if done[i].Err != nil {\n\t\t\tl.lose(ctx, t)\n\t\t\tcontinue\n\t\t}\n\t\tt.linkSeq", new: "if done[i].Err != nil {\n\t\t\tdone[i].Seqs = []uint64{0}\n\t\t}\n\t\tt.linkSeq",
			why: "two workers call for one person at once"},
		{name: "push: a call lasts to the end of its claim", file: inPush + "ledger.go", run: "TestACallEndsInsideItsClaim",
			old: "end.Round(0).Sub(time.Now().Round(0))) - l.margin", new: "end.Round(0).Sub(time.Now().Round(0)))",
			why: "a request is still under way when another worker begins"},
		{name: "push: another's claim ends with its time", file: inPush + "ledger.go", run: "TestAClaimIsOneWorkersAlone",
			old: "t.Triage(l.worker, now, l.margin, l.policy)", new: "t.Triage(l.worker, now, 0, l.policy)",
			why: "a worker whose clock is behind still sends, and we send as well"},
		{name: "push: clock, a claim is by our own", file: inPush + "ledger.go", run: "TestAClockThatIsHoursOff",
			old: "until := now.Add(l.ttl)", new: "_ = now\n\tuntil := began.Add(l.ttl)",
			why: "a replica whose clock is six hours ahead keeps people from everybody for six hours"},
		{name: "push: clock, another's claim is judged by our own", file: inPush + "step.go", run: "TestAClockThatIsHoursOff",
			old: "s.ledger.load(t, entries, now)", new: "s.ledger.load(t, entries, now.Add(-time.Until(now)))",
			why: "a replica whose clock is six hours ahead works on people whom another has in hand"},
		{name: "push: clock, looks are due by our own", file: inPush + "commit.go", run: "TestAClockThatIsHoursOff",
			old: "g, err := l.ending(t, now)", new: "g, err := l.ending(t, now.Add(-time.Until(now)))",
			why: "a replica whose clock is six hours ahead never looks at a late call"},
		{name: "push: an owner is written over", file: inPush + "ledger.go", run: "TestTwoReplicasFindOneUser",
			old: "Header: l.trace.header(t), Guarded: true, LastSeq: t.ownerSeq,", new: "Header: l.trace.header(t),",
			why: "two people of two replicas write to one user"},
		{name: "push: a lost checkpoint goes on", file: inPush + "ledger.go", run: "TestNothingIsGivenToWhomAnotherTookOver",
			old: "clash = append(clash, t)\n\t\t\tcontinue\n\t\t}\n\t\tt.linkSeq, t.owner = done[i].Seqs[0], \"\"", new: "continue\n\t\t}\n\t\tt.linkSeq, t.owner = done[i].Seqs[0], \"\"",
			why: "a permission set is given by two workers at once"},
		{name: "push: an owner is written twice", file: inPush + "ledger.go", run: "TestLifeOfAPerson",
			old: "t.linkSeq, t.owner = done[i].Seqs[0], \"\"", new: "t.linkSeq = done[i].Seqs[0]",
			why: "everybody new is fenced by their own owner's record, and done twice"},
		{name: "push: a discard is not looked up", file: inPush + "ledger.go", run: "TestDiscardedRevisionIsLeftAlone",
			old: "if t.GivenUp(d) {", new: "if t.GivenUp(d) && false {",
			why: "what an admin gave up is sent again, and parked again"},
		{name: "push: a link that cannot be read is none", file: inPush + "ledger.go", run: "TestStateOfANewerVersionIsLeft",
			old: "if s.Link, err = events.Decode[events.Link](link.Data); err != nil {\n\t\t\treturn err\n\t\t}", new: "s.Link, _ = events.Decode[events.Link](link.Data)",
			why: "in the middle of an update, older replicas make second users"},
		{name: "push: no margin", file: inPush + "config.go", run: "TestEveryClaimHasAMargin",
			old: "return min(c.ClaimTTL/10, 2*time.Second)", new: "return 0",
			why: "clocks that differ by a moment let two workers call at once"},
	}
}

func commitMutants() []mutant {
	return []mutant{
		{name: "commit: the fenced are not looked at again", file: inPush + "commit.go", run: "TestWhoeverIsFencedIsLookedAtAgain",
			old: "if err := l.raiseFenced(ctx, tasks); err != nil {\n\t\treturn err\n\t}\n\treturn", new: "return",
			why: "two workers wrote to one user, and nobody looks what came of it"},
		{name: "commit: the fenced leave no doubt", file: inPush + "commit.go", run: "TestWhoeverIsFencedIsLookedAtAgain",
			old: "if err := l.doubtFenced(ctx, tasks); err != nil {\n\t\treturn err\n\t}", new: "",
			why: "what a worker sends that stood still is never seen"},
		{name: "commit: a lost end counts as written", file: inPush + "commit.go", run: "TestWhoeverIsFencedIsLookedAtAgain",
			old: "case t.owner == \"\":\n\t\t\tt.Fence()", new: "case t.owner == \"\":",
			why: "work is acked of which nothing is recorded"},
		{name: "commit: who is given back stays claimed", file: inPush + "commit.go", run: "TestTroubleEndsNobodysWork",
			old: "case plan.Open, plan.Busy:\n\t\treturn t.claimed\n", new: "",
			why: "after an outage everybody waits until old claims have ended"},
		{name: "commit: nothing follows a late call", file: inPush + "commit.go", run: "TestACrashBetweenCallAndCommitIsLookedAt",
			old: "case at.IsZero():\n\t\treturn g, nil", new: "case at.IsZero() || true:\n\t\treturn g, nil",
			why: "what a late call changes is never seen"},
		{name: "commit: an end that failed is none", file: inPush + "commit.go", run: "TestNothingIsAckedWhoseCommitFailed",
			old: "if err := l.write(ctx, those(tasks, recorded)); err != nil {\n\t\treturn err\n\t}", new: "_ = l.write(ctx, those(tasks, recorded))",
			why: "work is acked of which nothing is recorded"},
	}
}

func stepMutants() []mutant {
	step := func(name, old, mutated, why, run string) mutant {
		return mutant{name: "push: " + name, file: inPush + "step.go", old: old, new: mutated, why: why, run: run}
	}
	const acked = "TestNothingIsAckedWhoseCommitFailed"
	return []mutant{
		step("acked although the commit failed", "case t.Open() || broken && t.Fate() != plan.Idle:", "case t.Open():", "work is lost whenever NATS does not answer", acked),
		step("a failed end is not told", "why.roster = err", "_ = err", "work is lost whenever NATS does not answer", acked),
		step("answers do not know of the commit", "s.answer(ctx, broken != nil)", "s.answer(ctx, false)", "work is lost whenever NATS does not answer", acked),
		{name: "push: nobody busy is scheduled", file: inPush + "turn.go", run: "TestAClaimIsOneWorkersAlone",
			old: "if len(busy) == 0 {", new: "if true {",
			why: "a change is lost because another worker was at it"},
		{name: "push: who is busy is acked before the look is stored", file: inPush + "turn.go", run: "TestWhoIsBusyIsScheduledBeforeTheAck",
			old: "now, err := l.roster.Now(ctx)\n", new: "for _, t := range busy {\n\t\tfor _, m := range t.messages {\n\t\t\t_ = m.Ack()\n\t\t}\n\t}\n\tnow, err := l.roster.Now(ctx)\n",
			why: "a worker that dies in between loses somebody's change"},
		{name: "push: a job that waits halts its batch", file: inPush + "job.go", run: "TestAJobThatWaitsHoldsUpItsOwnOnly",
			old: "t.Wait(again(stopped))\n\t\t}\n\t\treturn nil", new: "_, _ = t, again(stopped)\n\t\t}\n\t\treturn outOfTime()",
			why: "whoever comes in one batch with the people of a job waits for it"},
		step("who is open is acked", "return m.Nak(late + giveBack)\n\t}\n\treturn m.Ack()", "return m.Ack()\n\t}\n\treturn m.Ack()", "whoever was interrupted is never finished", "TestTroubleEndsNobodysWork"),
		step("a stop cuts a call in half", "own, cancel := context.WithCancel(context.WithoutCancel(ctx))", "own, cancel := context.WithCancel(ctx)", "every update of Rollcall leaves people in doubt", "TestStopLetsTheCallFinish"),
		step("what cannot be read is worked on", "t.Wait(30 * giveBack)", "_ = giveBack", "in the middle of an update, older replicas make second users", "TestStateOfANewerVersionIsLeft"),
		step("a stopped step forgets what is done", "for _, t := range s.tasks {\n\t\tt.Stop(&s.org.policy)\n\t}", "", "what was refused is forgotten because the org got into trouble", "TestTroubleEndsNobodysWork"),
		step("a step has no margin", "margin: o.cfg.margin()", "margin: 0", "a request is still under way when another worker begins", "TestACallEndsInsideItsClaim"),
	}
}

func batchMutants() []mutant {
	batch := func(name, old, mutated, why, run string) mutant {
		return mutant{name: "push: " + name, file: inPush + "batch.go", old: old, new: mutated, why: why, run: run}
	}
	return []mutant{
		batch("claims are not renewed", "if len(open) == 0 || b.ledger.left(open) >= b.org.cfg.CallTimeout {", "if true {", "a slow batch is given back half way, for ever", "TestSlowBatchRenewsItsClaims"),
		{name: "push: what was not sent counts as given", file: inPush + "assign.go", run: "TestTroubleEndsNobodysWork",
			old: "if r.after == nil {\n\t\t\tu.t.Assignments().NotGiven(u.name)\n\t\t}", new: "",
			why: "a permission set that an admin gives by hand during an outage is removed"},
		batch("trouble of the org is people's", "case e.OrgWide():\n\t\treturn plan", "case false:\n\t\treturn plan", "everybody is parked when the daily limit is reached", "TestTroubleOfTheOrgIsNobodysFailure"),
		batch("a call not made is people's", "case e.Code == codeNotSent:\n\t\treturn nil, true", "case false:", "people are parked for a call that was never made", "TestAJobThatIsRefusedFailsNobody"),
		batch("any refusal shows a lost right", "return !b.rights.Cover(operation)", "return true", "one protected record stops everybody", "TestARefusalOfOneUserHoldsNobodyElse"),
		batch("a lost right is people's", "return !b.rights.Cover(operation)", "return false", "everybody is parked when the integration user loses a right", "TestALostRightHoldsTheOrg"),
	}
}

func callMutants() []mutant {
	call := func(name, old, mutated, why, run string) mutant {
		return mutant{name: "push: " + name, file: inPush + "call.go", old: old, new: mutated, why: why, run: run}
	}
	return []mutant{
		call("a call lasts as long as it likes", "limit := min(c.ledger.left(tasks), c.timeout)", "limit := c.timeout", "a request is still under way when another worker begins", "TestACallEndsInsideItsClaim"),
		call("a call without time is made", "if limit < minCall || ctx.Err() != nil || c.another() {", "if false {", "a request is still under way when another worker begins", "TestNoCallIsMadeWithoutTime"),
		{name: "push: a whole call is one person's fault", file: inPush + "spoilt.go", run: "TestWholeCallRefusedForOneRecord",
			old: "case len(part) == 1 || !blamesData(e) || s.left < 2:", new: "case true:",
			why: "two hundred people are parked for one bad value"},
		call("a lost call holds the org", "f != nil && !maybeApplied(err)", "f != nil", "a call that was perhaps applied is not read back", "TestLostReplyMakesNoSecondUser"),
	}
}

func givingMutants() []mutant {
	return []mutant{
		{name: "push: an intent is not committed", file: inPush + "assign.go", run: "TestWhatWasGivenBeforeACrashIsTakenAway",
			old: "if err := a.ledger.checkpoint(ctx, tasksOf(units)); err != nil {", new: "if err := a.ledger.checkpoint(ctx, nil); err != nil {",
			why: "a permission set given before a crash stays for ever"},
		{name: "push: an intent is not noted", file: inPush + "assign.go", run: "TestWhatWasGivenBeforeACrashIsTakenAway",
			old: "u.t.Assignments().Intend(u.name)", new: "_ = u",
			why: "a permission set given before a crash stays for ever"},
		{name: "push: the fenced are given to", file: inPush + "assign.go", run: "TestNothingIsGivenToWhomAnotherTookOver",
			old: `!u.t.Open() && u.t.Link.UserID == "" || u.t.Fate() == plan.Fenced`, new: `!u.t.Open() && u.t.Link.UserID == ""`,
			why: "two workers call for one person at once"},
		{name: "push: an unanswered assignment was refused", file: inPush + "assign.go", run: "TestLostReplyMakesNoSecondUser",
			old: "case r.err.Outcome == salesforce.MaybeApplied:\n\t\t\tu.t.Assignments().Lost(u.name, plan.OpAssign, r.err)\n", new: "",
			why: "somebody is parked who has what they should have"},
		{name: "push: an unanswered removal was refused", file: inPush + "assign.go", run: "TestLostRemovalIsNotTakenForDone",
			old: "case r.err.Outcome == salesforce.MaybeApplied:\n\t\t\tu.t.Assignments().Lost(u.name, plan.OpUnassign, r.err)\n", new: "case r.err.Outcome == salesforce.MaybeApplied:\n\t\t\tu.t.Assignments().Taken(u.name)\n",
			why: "somebody keeps a permission set of whom it counts as taken"},
		{name: "push: a field that is not there stops all", file: inPush + "correlate.go", run: "TestAFieldThatIsNotThereStopsNobodyElse",
			old: "e != nil && halted == nil && e.Kind == salesforce.KindSchema", new: "false",
			why: "one misspelt field in a mapping parks everybody"},
		{name: "push: a new user is free to take", file: inPush + "create.go", run: "TestOneUserHasOneOwner",
			old: "c.taken[r.id] = u.t.Key", new: "",
			why: "the second of two people with one username takes the first one's user"},
	}
}

func loadMutants() []mutant {
	return []mutant{
		{name: "push: a load is not noted", file: inPush + "ingest.go", run: "TestLeaverOfADeadLoadStaysOut",
			old: "setJob(tasks, jobID)\n\tif err := l.ledger.claim", new: "if err := l.ledger.claim",
			why: "a job of a dead worker makes a user for somebody who left"},
		{name: "push: a job that cannot be read runs on", file: inPush + "ingest.go", run: "TestJobThatCannotBeReadIsStopped",
			old: "!(jobs{l.batch}).giveUp(ctx, job.ID)", new: "false",
			why: "users are looked for while a job still makes them"},
		{name: "push: an unfinished job's rows were refused", file: inPush + "ingest.go", run: "TestAJobThatIsRefusedFailsNobody",
			old: "return result{err: notSent()} // the job itself was refused, nobody in it", new: "return result{err: e}",
			why: "ten thousand people are parked for an org that takes no jobs"},
		{name: "push: a load's trouble is kept quiet", file: inPush + "org.go", run: "TestAnOrgHeldByALoadIsProbed",
			old: "trouble = o.bulk.met() // what a load met stops the loop as well", new: "trouble = nil",
			why: "an org that has reached its limit is called on and on"},
		{name: "push: a held org is worked on at a start", file: inPush + "org.go", run: "TestHeldOrgIsRespectedAtTheStart",
			old: "if held != nil {\n\t\treturn held, nil\n\t}", new: "_ = held",
			why: "every new replica calls an org that has reached its limit"},
	}
}
