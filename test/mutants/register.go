package main

const inRegister = "services/assignment/register/"

// registerMutants break how one configuration is kept in force among replicas
// that have several.
func registerMutants() []mutant {
	const fleet = "services/assignment/assign"
	own := func(name, file, old, mutated, why, run string) mutant {
		return mutant{name: "register: " + name, file: inRegister + file, old: old, new: mutated, why: why, run: run}
	}
	by := func(m mutant) mutant {
		m.by = fleet
		return m
	}
	return []mutant{
		own("beats look at nothing", "beat.go", "w.Guarded, w.GuardSubject, w.LastSeq = true, events.ConfigurationSubject(), t.seq", "_ = t.seq", "a replica that stood still undoes what the new configuration says", "TestNothingIsStoredAfterASwitch"),
		own("commits carry no beat", "commit.go", "return bus.Group{beat}, err\n", "return nil, err\n", "a replica that stood still undoes what the new configuration says", "TestNothingIsStoredAfterASwitch"),
		by(own("commits go on after the term", "commit.go", "\tif t == nil {\n\t\treturn make", "\tif t == nil {\n\t\treturn k.bus.Commit(ctx, stream, groups)\n\t}\n\tif t == nil {\n\t\treturn make", "a batch in hand undoes what the new configuration says", "TestAReplicaThatStoodStillStoresNothing")),
		own("a server that is behind ends a term", "commit.go", "have[subject].Seq > t.seq", "have[subject].Seq != t.seq", "a cluster that lags stops assignment for no reason", "TestAServerThatIsBehindEndsNoTerm"),
		by(own("a superseded configuration comes back at once", "keeper.go", "s.Knows(k.id) && !gone", "s.Knows(k.id) && false", "two files take turns, and everybody changes with each", "TestRivalFilesDoNotTakeTurns")),
		by(own("a superseded configuration never comes back", "keeper.go", "s.Knows(k.id) && !gone", "s.Knows(k.id)", "events wait for ever when the newer replicas are gone", "TestRivalFilesDoNotTakeTurns")),
		by(own("a new configuration waits", "keeper.go", "s.Knows(k.id) && !gone", "!gone", "a leaver waits for the end of the roll-out", "TestARollingChangeEndsWithEverybodyOnTheNewConfiguration")),
		own("time is enough to be gone", "beat.go", "q.looks >= surelyLooks && age", "age", "a clock that jumps makes every replica take over", "TestWhoCountsAsGone"),
		own("what was heard before does not count", "beat.go", "if q.heard != heard {", "if q.heard == 0 {", "who stands by takes over from somebody who is there", "TestWhoCountsAsGone"),
		own("numbers are given away at once", "beat.go", "s.Newest().Sub(s.Beats[i].At) >= after", "true", "two replicas write over each other's signs of life", "TestANumberIsFreeWhenNobodyHadItForLong"),
		own("a number that was taken is kept", "beat.go", "b.Subject == *own && b.Replica == k.replica", "b.Subject == *own", "a replica that is there is not seen", "TestAReplicaTakesAnotherNumberWhenItsOwnIsTaken"),
		by(own("every replica sweeps", "sweep.go", "if !holder.look(max(seq, s.Sweep.Seq), s.Newest().Sub(at), k.every) {", "if holder.look(max(seq, s.Sweep.Seq), s.Newest().Sub(at), k.every) && false {", "four replicas read everybody four times", "TestOneSweepFollowsEachSwitch")),
		by(own("a sweep that is done is done again", "sweep.go", "if s.Swept() {", "if false {", "every restart reads everybody", "TestOneSweepFollowsEachSwitch")),
		by(own("nobody finishes another's sweep", "sweep.go", "if !holder.look(max(seq, s.Sweep.Seq), s.Newest().Sub(at), k.every) {", "if !holder.look(max(seq, s.Sweep.Seq), s.Newest().Sub(at), k.every) || true {", "most people stay as the old configuration had them", "TestASweepIsFinishedByAnotherReplica")),
		by(own("a sweep is done when it begins", "sweep.go", "record := events.Sweep{Generation: t.generation, Replica: k.replica}", "record := events.Sweep{Generation: t.generation, Replica: k.replica, Done: true}", "a crash leaves people as the old configuration had them", "TestASweepIsFinishedByAnotherReplica")),
		{name: "register: a short scan ends the sweep", file: inAssign + "sweep.go", old: "err = sleep(ctx, behindWait)", new: "err = errSeenAll", why: "people whom a lagging server lacks stay as they were", run: "TestASweepIsNotEndedByAServerThatIsBehind"},
		{name: "register: the sweep leaves the last batch", file: inAssign + "sweep.go", old: "\t\terr = flush()\n\t}\n\treturn err", new: "\t\terr = nil\n\t}\n\treturn err", why: "up to a hundred people stay as they were", run: "TestASweepIsNotEndedByAServerThatIsBehind"},
		{name: "register: who stands by is not ready", file: inAssign + "assign.go", old: "if !s.open.Load() && s.register.StandsBy() == \"\" {", new: "if !s.open.Load() {", why: "a roll-out waits for ever for the old replicas", run: "TestRivalFilesDoNotTakeTurns"},
		{name: "register: nobody takes what was in hand", file: inAssign + "step.go", old: "delay = 0 // a replica", new: "delay = time.Hour // a replica", why: "a leaver in the hand of an old replica waits", run: "TestASwitchInTheMiddleOfMuch"},
		by(own("nobody says that they leave", "keeper.go", "\tdefer k.leave(ctx)\n", "", "a roll-back waits half a minute for nobody", "TestRivalFilesDoNotTakeTurns")),
		{name: "register: a rule does not count for the hash", file: "services/internal/config/hash.go", old: "f.Orgs[name] = Org{Assign: org.Assign, Gate: org.Gate}", new: "f.Orgs[name] = Org{Assign: Assign{Rules: org.Assign.Rules}}", why: "two mappings take turns as one", run: "TestTheHashIsOfEveryRule"},
		{name: "register: where NATS is counts for the hash", file: "services/internal/config/hash.go", old: "Deployment{}, NATS{}, Serve{}", new: "Deployment{}, f.NATS, Serve{}", why: "two replicas with one mapping supersede each other", run: "TestTheHashIsOfAllThatWishesHangOn"},
	}
}

const inApp = "services/internal/app/"

// reloadMutants break how a changed configuration is taken over.
func reloadMutants() []mutant {
	own := func(name, file, old, mutated, why, run string) mutant {
		return mutant{name: "reload: " + name, file: inApp + file, old: old, new: mutated, why: why, run: run}
	}
	return []mutant{
		own("half a file is taken", "watch.go", "(!whole || bytes", "(!whole && false || bytes", "people lose what the other half of the file gives them", "TestHalfAFileIsNotTakenOver"),
		own("a refusal is said every time", "watch.go", "w.fault == err.Error() || ctx", "ctx", "a log of one line, over and over", "TestAFaultyConfigurationIsRefusedWhole"),
		own("a refusal stays", "watch.go", "w.current, w.fault = f, \"\"", "w.current = f", "an old fault hides the next", "TestAFaultyConfigurationIsRefusedWhole"),
		own("the services do not hear of it", "watch.go", "refused(w.faulty())", "_ = refused", "nobody sees from outside that a file was refused", "TestAFaultyConfigurationIsRefusedWhole"),
		own("what could not be used is left", "watch.go", "tries = tryAgain", "tries = 0", "a moment without NATS leaves the old configuration for good", "TestWhatCannotBeUsedIsTriedAgain"),
		own("what needs a restart is taken for done", "watch.go", "\t\tb.Set(a)\n", "", "a program says that it is where it is not", "TestSettingsThatNeedARestartAreNamed"),
		own("the old one ends first", "crew.go", "last := is && alone.Alone()", "last := is || alone != nil || true", "leavers wait for a batch in hand", "TestNobodyWaitsForTheBatchInHand"),
		own("two hold one port", "crew.go", "last := is && alone.Alone()", "last := is && alone.Alone() && false", "the program ends when its configuration changes", "TestOfSomeThereIsOneAtATime"),
		own("the end cuts a batch off", "crew.go", "leaving := c.leaving\n", "leaving := c.leaving[:0]\n", "calls are left without an answer", "TestTheEndWaitsForWhoWasReplaced"),
	}
}
