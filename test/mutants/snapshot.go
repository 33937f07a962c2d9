package main

// snapshotMutants break what is held against an export that says of everybody
// whom it lacks that they have left.
func snapshotMutants() []mutant {
	shot := func(name, file, old, mutated, why, run string) mutant {
		return mutant{name: "snapshot: " + name, file: "services/rollcall/" + file, old: old, new: mutated, why: why, run: run, by: "services/rollcall/cli"}
	}
	const compare, judge, command = "snapshot/compare.go", "snapshot/judge.go", "cli/snapshot.go"
	return []mutant{
		shot("a row with a fault is no row", compare, "\t\tc.seen[row.Named] = true\n", "", "who has a misspelt status loses their access", "TestARowThatCannotBeUsedRemovesNobody"),
		shot("later news is old news", compare, "if person.State.Origin.Time.After(p.ExportedAt) {", "if false {", "who joined after the export was made loses their access", "TestASnapshotSaysNothingOfLaterNews"),
		shot("what comes meanwhile is overlooked", compare, "return !ok || !was.same(is)", "return !ok && !was.same(is)", "who was hired while the question was open loses their access", "TestASnapshotRemovesNobodyWhoChangedMeanwhile"),
		shot("a removal is older than all", compare, "case events.KindOfVersion(last) == kind:\n\t\treturn last", "case false:", "an old record brings back who has left", "TestASnapshotOfVersionedRecords"),
		shot("who was removed is known", "snapshot/known.go", "; ok && !s.Removed {", "; ok {", "everybody who ever left is absent, and nobody reads the list", "TestWhoIsMissingFromASnapshotHasLeft"),
		shot("a cut file is whole", judge, "case c.last.Broken && !p.EndsInNewline:", "case false:", "whom the cut took loses their access", "TestASnapshotThatIsNotWholeIsRefused"),
		shot("a cut value is whole", judge, "case !p.EndsInNewline && p.Last != nil && p.Last.EndsInNewline:", "case false:", "somebody is published with half a value", "TestASnapshotThatIsNotWholeIsRefused"),
		shot("half a file is a file", judge, "case last != nil && last.People-p.People > few(last.People):", "case false:", "whoever stood on the other half loses their access", "TestASnapshotThatIsNotWholeIsRefused"),
		shot("an empty file is a file", judge, "case p.People == 0:", "case false:", "everybody loses their access", "TestASnapshotThatIsNotWholeIsRefused"),
		shot("any source's file will do", judge, "case p.Active > 1 && met == 0 && p.Leaving > 0:", "case met < 0:", "everybody loses their access", "TestASnapshotThatIsNotWholeIsRefused"),
		shot("a row about nobody is about nobody", judge, "if rows == 0 {", "if rows >= 0 {", "who may be in such a row loses their access", "TestASnapshotThatIsNotWholeIsRefused"),
		shot("columns may move", judge, "if len(most) < 2 && !telling {", "if true {", "everybody gets another's values", "TestASnapshotThatIsNotWholeIsRefused"),
		shot("most may be unfit", judge, "if c.rows >= enough && 2*c.unfit > c.rows {", "if false {", "what fits by chance is published", "TestPublishRefusesAFileMostOfWhichDoesNotFit"),
		shot("nothing is asked", command, "if absent == 0 || p.whole.yes {", "if true {", "people are removed whom nobody was shown", "TestASnapshotSaysWhatItNeeds"),
		shot("a dry run is none", command, "if len(plan.Faults) > 0 || p.whole.dryRun {", "if len(plan.Faults) > 0 {", "people are removed whom somebody only wanted to see", "TestWhoIsMissingFromASnapshotHasLeft"),
		shot("a refused file is published", command, "if len(plan.Faults) > 0 || p.whole.dryRun {", "if p.whole.dryRun {", "people are removed by a file that was cut off", "TestASnapshotThatIsNotWholeIsRefused"),
		shot("what is not read yet is waited for by nobody", "snapshot/known.go", "if c.AckFloor >= stream.LastSeq {", "if c.AckFloor <= stream.LastSeq {", "who was published a moment ago and is missing now is overlooked", "TestASnapshotWaitsForAssignment"),
	}
}
