package main

// pauseMutants break what keeps something paused alone, and loses nothing of it.
func pauseMutants() []mutant {
	at := func(name, file, old, mutated, why, run string) mutant {
		return mutant{name: "pause: " + name, file: "services/" + file, old: old, new: mutated, why: why, run: run}
	}
	const watch, aside, table = "internal/pauses/watch.go", "assignment/assign/aside.go", "retry-scheduler/retry/pause.go"
	return []mutant{
		at("what is not known is not paused", watch, "return !w.known || w.pauses.Org(org, lane)", "return w.pauses.Org(org, lane)", "a replica of an older version goes on", "TestNothingIsTakenBeforeTheTableIsRead"),
		at("an older table is believed", watch, "if e.Seq < w.seq || e.Seq == w.seq && w.looked {", "if e.Seq == w.seq && w.looked {", "a server that is behind ends a pause", "TestAnOlderTableIsNotBelieved"),
		at("a paused lane is fetched", "salesforce-pusher/push/org.go", "p.Heed(func(i int) bool { return o.paused(lanes[i]) })", "p.Heed(func(int) bool { return false && o.paused(lanes[0]) })", "an org is changed that should be left alone", "TestAPausedLaneIsLeftAlone"),
		at("a load goes on", "salesforce-pusher/push/pause.go", "if halted == nil && l.org.paused(events.LaneBackfill) {", "if false {", "an org is changed for minutes after it was paused", "TestAPausedLoadWaits"),
		at("a paused source is read", aside, "source != \"\" && s.pauses.Source(source)", "source == \"\" && s.pauses.Source(source)", "a wrong export is believed though it was stopped", "TestAPausedSourceWaits"),
		at("what is set aside is written nowhere", aside, "a.Passed += len(list)\n\t\t\treturn true", "a.Passed += len(list)\n\t\t\treturn false", "the events of a paused source are lost", "TestAPausedSourceWaits"),
		at("an older event is forgotten", aside, "if a.To == 0 || m.Seq < a.From {", "if a.To == 0 {", "an event that came again while its source was paused is lost", "TestAnOlderEventIsSetAsideToo"),
		at("what came meanwhile is passed over", aside, "if a.From != from || a.To == 0 {", "if a.To == 0 {", "an event that was set aside while another replica caught up is lost", "TestWhatIsSetAsideMeanwhileWaits"),
		at("caught up before it is folded", aside, "if err := s.foldAside(run, a.Source, batch); err != nil {\n\t\t\treturn err\n\t\t}\n\t\tif len(batch) > 0 {", "defer s.foldAside(run, a.Source, batch[:0])\n\t\tif len(batch) > 0 {", "after a crash the events of a paused source are lost", "TestCatchingUpSurvivesADeath"),
		at("a retry gets round a pause", "assignment/assign/reconsider.go", "if s.pauses.Source(events.SourceOf(prior.Subject)) {", "if false {", "an event of a paused source is read", "TestARejectedEventOfAPausedSourceWaits"),
		at("a pause that comes again pauses again", table, "if came, had := table.Had(asked.ID); had {", "if came, had := table.Had(asked.ID); had && false {", "what was resumed stops again by itself", "TestAPauseDeliveredAgainChangesNothing"),
		at("one pause is written over another", table, "Header: header(ctx), Guarded: true, LastSeq: seq,", "Header: header(ctx), LastSeq: seq,", "of two pauses at once one is lost", "TestTwoReplicasPauseAtOnce"),
		at("a resume ends another's pause", table, "case asked.Pause != \"\" && asked.Pause != is.Request:", "case false:", "what somebody has just paused goes on by a word that was about something else", "TestWhatIsPausedIsNotPausedTwice"),
		at("what is not there is paused", table, "if slices.Contains(there, name) {", "if len(there) >= 0 || slices.Contains(there, name) {", "a misspelt org looks paused and goes on", "TestAPauseOfNothingIsRefused"),
	}
}
