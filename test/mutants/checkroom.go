package main

const inCheck = "services/salesforce-pusher/check/"

// checkMutants break how it is found out what Salesforce has, and what is left alone.
func checkMutants() []mutant {
	check := func(name, file, old, mutated, why, run string) mutant {
		return mutant{name: "check: " + name, file: inCheck + file, old: old, new: mutated, why: why, run: run}
	}
	plan := func(name, file, old, mutated, why, run string) mutant {
		return mutant{name: "check: " + name, file: "services/salesforce-pusher/plan/" + file, old: old, new: mutated, why: why, run: run}
	}
	const found = "TestWhatIsFound"
	return []mutant{
		check("a leaver's user may be left", "compare.go", "if kind == events.DriftActive || kind == events.DriftGone {", "if kind == events.DriftGone {", "a fight over a leaver ends with the leaver active", "TestWhatIsUndoneEachTimeIsReported"),
		check("a freeze by hand is repaired", "config.go", "\t\treturn config.DriftReport\n", "\t\treturn config.DriftRepair\n", "an incident's freeze is lifted", found),
		check("whoever is worked on is compared", "compare.go", "l.Claim == nil && ", "", "a worker is fenced by what its own call did", found),
		check("whoever is in doubt is compared", "compare.go", " && l.UnsureUntil.IsZero()", "", "what a late call may still do is taken for somebody's hand", found),
		check("whoever is not applied is compared", "compare.go", " && l.AppliedHash == p.Desired.Hash", "", "whoever is parked is tried again in every interval", found),
		check("not seen is not there", "compare.go", "if u == nil && s.Asked[id] {", "if u == nil {", "everybody whose login changed is made anew", found),
		check("what nobody asked for was taken", "compare.go", "if s.Asked[id] {\n\t\tk[events.DriftTaken]", "if true {\n\t\tk[events.DriftTaken]", "everybody who was changed is given everything again", found),
		check("what nobody answered for was taken", "compare.go", "return !s.Unread[kind] && ", "return ", "everybody is given everything again, in every interval", found),
		check("what was there before is a gift", "compare.go", "stands := a.Recent || ", "stands := a.Recent || a.ID != \"\" || ", "what a user had before Rollcall is taken away", found),
		check("repairs have no end", "compare.go", " && repaired < repairsMax", "", "two systems fight over a field for ever", "TestWhatIsUndoneEachTimeIsReported"),
		check("a clock far ahead is waited for", "check.go", "if next > interval {", "if false {", "nothing is read for hours", "TestDue"),
		check("two replicas read at once", "check.go", "if free > lease {", "if true {", "every replica spends a call in every interval", "TestDue"),
		plan("a read leaves nothing alone", "drift.go", "if name != FieldActive && p.Link.FieldHashes[name] == hashValue(v) {", "if p.Link.FieldHashes[name] == \"never\" && v == nil {", "what is accepted is repaired with the next resync", "TestWhatSomebodyDidByHandIsLeftAlone"),
		plan("who was deactivated by hand is let in", "drift.go", "if p.Link.Drift.Leaves(events.DriftDeactivated) || p.believed {", "if false {", "what is only to be reported is undone", "TestWhatSomebodyDidByHandIsLeftAlone"),
		plan("another org is filled", "drift.go", "return gone > goneFew && 2*gone > asked", "return false", "a refreshed sandbox gets thousands of users", "TestMostBeingGoneIsAnotherOrg"),
		plan("the lane check believes the link", "triage.go", "if p.Lane == events.LaneCheck || p.Link.Drift.Due() {", "if p.Link.Drift.Due() {", "a resync finds nothing to do", "TestTheLaneCheckReads"),
		plan("a noted drift is believed to be gone", "triage.go", "if p.Lane == events.LaneCheck || p.Link.Drift.Due() {", "if p.Lane == events.LaneCheck {", "a leaver who is active again waits for a resync", "TestTheLaneCheckReads"),
		plan("an update does not say who is active", "change.go", "if !active || u == nil && len(c.Update) > 0 {", "if !active {", "a user deactivated by hand gets a new title and stays away", "TestAnUpdateOfAnUnreadUserSaysTheyAreActive"),
		plan("a freeze by hand becomes ours", "learn.go", "if !ours {", "if !ours && false {", "an incident's freeze is lifted when the person comes back", "TestAFreezeThatWasThereIsNotOurs"),
	}
}
