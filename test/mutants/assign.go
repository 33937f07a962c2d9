package main

const (
	inAssign = "services/assignment/assign/"
	inRules  = "services/assignment/rules/"
)

// assignMutants break what is committed before it is acked.
func assignMutants() []mutant {
	assign := func(name, file, old, mutated, why, run string) mutant {
		return mutant{name: "assign: " + name, file: inAssign + file, old: old, new: mutated, why: why, run: run}
	}
	return []mutant{
		assign("a person is written over another replica's", "change.go", "person := bus.Write{Subject: events.PersonSubject(d.change.key), Data: data, Header: d.header, Guarded: true, LastSeq: d.entry.Seq}", "person := bus.Write{Subject: events.PersonSubject(d.change.key), Data: data, Header: d.header}", "an event that another replica folded is lost", "TestAnotherReplicaBetweenReadAndCommit"),
		assign("a conflict is taken for committed", "change.go", "open = append(open, writers[i].change)\n\t\t\tcontinue", "_ = open", "an event is acked that is stored nowhere", "TestAnotherReplicaBetweenReadAndCommit"),
		assign("a change that is too big is kept", "change.go", "err == nil && len(data) > maxStateBytes {\n\t\terr = &tooBig", "err == nil && false {\n\t\terr = &tooBig", "a batch is refused whole for one person, for ever", "TestATooLargePersonIsRejected"),
		assign("acked although it was not committed", "step.go", "if v == verdictUndecided {\n\t\t\terr = m.Nak(delay)", "if v == \"\" {\n\t\t\terr = m.Nak(delay)", "events are lost whenever NATS does not answer", "TestAFailedCommitIsRepeated"),
		assign("what is not settled is applied", "step.go", "case !c.decided:\n\t\treturn\n", "", "an event is acked that is stored nowhere", "TestAFailedCommitIsRepeated"),
		assign("an older state of a group takes people back", "groups.go", "if have.Revision > sp.state.Revision {", "if false {", "somebody has the rights of a group they left", "TestAMembershipIsNotTakenBackByAnOlderStateOfTheGroup"),
		assign("a group is written over another replica's", "groups.go", "Header: headerOf(in.context), Guarded: true, LastSeq: lastSeq,\n", "Header: headerOf(in.context),\n", "members that another replica folded are lost", "TestAnotherReplicaChangesTheGroupMeanwhile"),
		assign("a rejection is written over another's", "reject.go", "\t\tGuarded: true, LastSeq: lastSeq,\n", "", "an event that is understood by now counts as rejected", "TestTwoReplicasRejectOneEventOnce"),
		assign("unreadable state is waited for", "unreadable.go", "if errors.Is(err, events.ErrNewer) || !errors.As(err, &state) {", "if !errors.As(err, &state) || true {", "a group that nobody mends takes nobody's access away, and everything is green", "TestStateThatCannotBeReadIsParkedAlone"),
		assign("unreadable is what a newer version wrote", "unreadable.go", "errors.Is(err, events.ErrNewer) || !errors.As(err, &state)", "!errors.As(err, &state)", "events are parked in the middle of every update", "TestAnOlderReplicaLeavesWhatItCannotRead"),
		assign("unreadable and forgotten, with all its members", "groups.go", "if err == nil && forgotten(entry) {", "if err == nil && false {", "whoever left meanwhile keeps what the group gave", "TestAForgottenGroupLeavesNobodyBehind"),
	}
}

// rulesMutants break how events become what people should have: their order, and
// whose word counts.
func rulesMutants() []mutant {
	rules := func(name, file, old, mutated, why, run string) mutant {
		return mutant{name: "rules: " + name, file: inRules + file, old: old, new: mutated, why: why, run: run}
	}
	const orders = "TestEveryOrderEndsAlike"
	return []mutant{
		rules("a removal reaches what came after", "series.go", "return e.Origin.Seq < r.Origin.Seq })\n\ts.active", "return true })\n\ts.active", "somebody who was hired again is gone", orders),
		rules("activity outlives a removal", "series.go", "func(a events.Activity) bool { return a.Seq < r.Origin.Seq }", "func(events.Activity) bool { return false }", "somebody who was removed and hired again is not active", orders),
		rules("an old event comes back after a removal", "series.go", "return s.start == nil || seq > s.start.Origin.Seq", "return s.start == nil || seq > 0", "somebody who left is active again", orders),
		rules("an older version may count", "series.go", "if first < len(all) && kind.Compare(at(all[i]).SourceVersion, at(all[first]).SourceVersion) <= 0 {", "if false {", "an event that was late undoes a newer one", orders),
		rules("a removal of an older version counts", "series.go", "if s.start != nil && s.kind.Compare(s.start.SourceVersion, first.SourceVersion) > 0 {", "if false {", "a removal is undone by what was said before it", orders),
		rules("an event counts twice", "series.go", "if known {\n\t\treturn have, false\n\t}", "_ = known", "every repeat of an event is a change", "TestAnEventFoldedTwiceCountsOnce"),
		rules("everything that was ever said is kept", "series.go", "if len(all) > maxStanding {", "if false {", "a person's record grows until it cannot be stored", "TestTooMuchThatMayComeToCountIsDropped"),
		rules("sources have no precedence", "merge.go", "if len(first) == 0 {\n\t\treturn names\n\t}", "if len(first) >= 0 {\n\t\treturn names\n\t}", "the wrong system's word counts", "TestMergeFollowsPrecedence"),
		rules("whoever says nothing of it is not active", "authority.go", "if active, said := s.IsActive(); said && !active {", "if active, _ := s.IsActive(); !active {", "everybody leaves whose source has no such field", "TestDesiredOfAMember"),
		rules("a removal by an authority is no word", "authority.go", "case !speaks(s):\n\t\t\tdecided = gone", "case !speaks(s):", "whoever HR removed keeps their user", "TestAuthorityDecidesWhoIsEmployed TestEveryOrderOfSourcesEndsAlike"),
		rules("a later authority has the last word", "authority.go", "\t\t\treturn employed\n\t\t}\n\t}\n\treturn decided", "\t\t\tdecided = employed\n\t\t}\n\t}\n\treturn decided", "whoever HR has is deactivated by another", "TestAuthorityDecidesWhoIsEmployed TestEveryOrderOfSourcesEndsAlike"),
		rules("precedence forgets who was removed", "authority.go", "case !speaks(s) && decided == unheard:\n\t\t\treturn gone", "case false:", "after an upgrade HR's removal is no word still", "TestPrecedenceStandsForAnAuthority"),
		rules("several sources need no order", "authority.go", "case len(first) > 0:", "case len(first) >= 0:", "the alphabet decides who is employed", "TestSeveralSourcesNeedAnOrder"),
		rules("a source that decides nothing makes people", "desired.go", "\tcase who.employment == unheard:\n\t\treturn m.undecided(who, previous)\n", "", "whoever writes to a directory gets a user", "TestWhomNoAuthorityHasSpokenOf TestEveryOrderOfSourcesEndsAlike"),
		rules("a source that decides nothing brings people back", "desired.go", "\tcase !previous.Active:\n\t\tsame := *previous\n\t\treturn &same\n", "", "a leaver is active again without HR", "TestWhomNoAuthorityHasSpokenOf TestEveryOrderOfSourcesEndsAlike"),
		rules("who is removed is forgotten", "desired.go", "(who.person == nil || !r.Gone(before))", "false", "a leaver is not found in an org that had users before", "TestWhoIsRemovedIsSoughtAsTheyWere"),
		rules("groups of two sources are one", "groupnames.go", "m.Source+\"/\"+m.Name", "m.Name", "a source puts people into another's group", "TestGroupsAreNamedByTheirSource"),
		rules("a bare group name passes", "groupnames.go", "len(sources) > 0 && !slices.ContainsFunc", "false && !slices.ContainsFunc", "after an upgrade rules by groups match nobody", "TestABareGroupNameIsRefused"),
	}
}
