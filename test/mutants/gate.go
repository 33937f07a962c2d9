package main

const inGate = "services/assignment/gate/"

// gateMutants break what keeps a wrong feed or configuration from taking
// everybody's access.
func gateMutants() []mutant {
	gate := func(name, file, old, mutated, why, run string) mutant {
		return mutant{name: "gate: " + name, file: inGate + file, old: old, new: mutated, why: why, run: run}
	}
	assign := func(name, file, old, mutated, why, run string) mutant {
		return mutant{name: "gate: " + name, file: inAssign + file, old: old, new: mutated, why: why, run: run}
	}
	const drawn = "TestTheGateHolds"
	return []mutant{
		gate("an open hold lets more through", "counter.go", "if n.Held == 0 && !c.whole[p]", "if !c.whole[p]", "a bad feed takes ten people every hour", "TestAWindowIsNoLeak"),
		gate("what comes whole is taken in part", "counter.go", "!c.whole[p] && ", "", "ten people lose what a typo takes from everybody", "TestLimits"),
		gate("the long window is not looked at", "limits.go", "return []window{{l.Window, 1}, {l.LongWindow, l.LongTimes}}", "return []window{{l.Window, 1}}", "a trickle takes everybody in a week", "TestAWindowIsNoLeak "+drawn),
		gate("all causes together have no limit", "counter.go", "|| total+more > limit*c.limits.TotalTimes", "", "twenty groups take ten people each", "TestLimits"),
		gate("per cent are of today", "counter.go", "limit := c.limits.of(c.activeAt(from), w.times)", "limit := c.limits.of(c.guard.Active, w.times)", "whoever adds a thousand people may remove fifty", "TestPercentagesAreOfTheWindowsStart"),
		gate("who is let go stays counted as held", "judge.go", "if _, still := holdOf(v.Desired.Held, h.Aspect); !still && !h.Rejected {", "if false {", "a hold that is empty never closes", drawn),
		gate("a rejection leaves its hold open", "judge.go", "\t\th.Rejected = true\n\t\tc.unhold(Place{h.Cause, h.Aspect})", "\t\th.Rejected = true", "nobody of a source may leave any more", drawn),
		gate("a release is of any wish", "judge.go", "w.Aspect == h.Aspect && w.Wish == h.Wish && w.Since.Equal(h.Since)", "w.Aspect == h.Aspect", "a release lets something worse through", "TestAReleaseIsOfOneWish"),
		gate("urgent has no limit", "counter.go", ">= c.limits.Urgent {", "< 0 {", "a script lets everybody through, one by one", drawn),
		gate("a problem forgets what somebody had", "judge.go", "\t\tBaseline(k.Is, v.Desired)\n\tdefault:", "\tdefault:", "two mistakes in a row take what one may not", "TestAProblemForgetsNothing"),
		gate("a person counts each time", "undo.go", "return (was.Counted || was.To == wish) && since(c.limits.Window)", "return false", "one person who goes back and forth holds everybody", "TestWhoGoesBackAndForthIsOnePerson"),
		gate("what is held is not as before", "judge.go", "\t\t\tkeep(aspect, k.Is, v.Desired)\n", "", "a held change is made", drawn),
		assign("the count is not looked at again", "gated.go", "if c == nil || !w.verdict.Same(c.Judge(w.Case)) {", "if c == nil {\n\t\t\t\treturn nil, errMoved\n\t\t\t}\n\t\t\tif c.Judge(w.Case); false {", "four replicas take four times the limit", "TestReplicasMeetAtTheLimit"),
		assign("the counter is written over another's", "gated.go", "Header: headerOf(ctx), Guarded: true, LastSeq: k.registers[org].seq,", "Header: headerOf(ctx),", "what another replica took is not counted", "TestReplicasMeetAtTheLimit"),
		assign("whatever the configuration takes is the source's doing", "gated.go", "if held || len(gate.Takes(is, was)[aspect]) == 0 {", "if held || was != nil {", "a typo in a rule holds the leavers of HR", "TestLiveEventsUnderABadRule"),
		assign("nobody looks ahead of a sweep", "foresight.go", "if c != nil && !c.Fits(at, people) {", "if c != nil && people < 0 {", "ten people lose their access to a typo", "TestASweepLooksAhead"),
		assign("a counter that cannot be read lets through", "gated.go", "\tcase w.Takes():\n\t\treturn", "\tcase false:\n\t\treturn", "an upgrade is a moment without a gate", "TestACounterThatCannotBeRead"),
		{name: "gate: whoever may leave is let in again", file: inPlan + "held.go", old: "delete(p.change.Update, FieldActive)\n\tp.change.Unfreeze, p.change.Give = false, nil", new: "p.change.Give = nil",
			why: "somebody who was dismissed signs in while an operator decides", run: "TestWhoMayLeaveIsGivenNothing"},
		{name: "gate: whoever may leave gets a user", file: inPlan + "chain.go", old: "\t\t{\"a deactivation is held\", stays},\n", new: "",
			why: "a seat that frees goes to somebody who has left", run: "TestWhoMayLeaveIsGivenNothing"},
	}
}
