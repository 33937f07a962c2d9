package main

const inHandover = "services/salesforce-pusher/handover/"

// takeoverMutants break who may have the user of somebody who has left.
func takeoverMutants() []mutant {
	takeover := func(name, run, old, mutated, why string) mutant {
		return mutant{name: "plan: " + name, file: inPlan + "takeover.go", run: run, old: old, new: mutated, why: why}
	}
	return []mutant{
		takeover("whoever is active may be taken from", "TestWhoHasLeftForGood", "if o.Desired != nil && o.Desired.Active {\n\t\treturn false", "if false {\n\t\treturn false", "an employee loses their user to somebody with their number"),
		takeover("a source's word is not heard", "TestWhoHasLeftForGood", "if said && active {", "if said && active && false {", "whom no rule matches here, and who works on, loses their user"),
		takeover("who is not said to have left has", "TestWhoHasLeftForGood", "return left || !there", "return left || there || true", "whom a source merely lists, and no rule matches, loses their user"),
		takeover("a username says who somebody is", "TestAUserIsAgreedOnByWhatIsGivenOnce", "return m.certain(d, u)", "return m.certain(d, u) || strings.EqualFold(u.Username, d.Match.Username)", "a namesake of somebody who left gets their records"),
		takeover("a leaver takes users over", "TestATakeoverWaitsOrFails", "case !p.Desired.Active:", "case false:", "a leaver owns a user of somebody else's"),
		takeover("a user in hand is taken", "TestATakeoverWaitsOrFails", "case old.Busy(p.At, skew):", "case false:", "two workers write to one user"),
		takeover("doubt stays behind", "TestAllThatIsKnownGoesWithTheUser", "next.UnsureUntil = until.UTC()", "_ = until", "a late call for the old number shuts the new one out for good"),
		takeover("a dead worker's calls stay behind", "TestAllThatIsKnownGoesWithTheUser", "until = c.Until.Add(lateFor)", "_ = c", "what a dead worker sent for the old number is never looked for"),
		takeover("a freeze stays behind", "TestAllThatIsKnownGoesWithTheUser", "rest.Active, rest.Frozen, rest.FreezeLost", "rest.Active, false, rest.FreezeLost", "whoever was hired again is frozen for good"),
		takeover("what was given stays behind", "TestAllThatIsKnownGoesWithTheUser", "maps.Clone(rest.FieldHashes), maps.Clone(rest.Assigned)", "maps.Clone(rest.FieldHashes), nil", "the permission sets of the old position are kept for ever"),
		takeover("whose user moved is not marked", "TestAllThatIsKnownGoesWithTheUser", "rest.Moved.To = next.Key", "_ = rest", "the old number, active again, gets a second user"),
		takeover("who is back inserts", "TestAnInsertIsNotMadeForWhoseUserMoved", `return m.To != "" || !p.Desired.Active && p.Link.SentUsername`, "return !p.Desired.Active && p.Link.SentUsername", "one human has two users"),
		takeover("a create after a release is forgotten", "TestWhoWasLetGoMayHaveAUserSince", ` && p.Link.SentUsername == "" && p.Link.Job == ""`, "", "a leaver is active by a create whose answer was lost"),
		takeover("a name is enough", "TestAUserIsAgreedOnByWhatIsGivenOnce", `another := u.Federation != "" && slices.Contains(m.Order, MatchFederationID) || u.External != ""`, "another := len(slices.Collect(maps.Keys(map[string]bool{}))) > 0", "one human's user goes to another who has their former username"),
		takeover("two who are active wait for ever", "TestATakeoverWaitsOrFails", "if p.triesSoFar() < patience {", "if true {", "two people with one federation id are never told"),
	}
}

// handoverMutants break the batch by which a user changes hands.
func handoverMutants() []mutant {
	return []mutant{
		{name: "handover: a fenced worker doubts who had the user", file: inPush + "commit.go", run: "TestAFencedWorkerDoubtsWhoHasTheUser",
			old: "t.heir, moved[i] = m.To, true", new: "_ = m",
			why: "a call that a stopped machine sent for the old number shuts the new one out for good"},
		{name: "handover: the wish is not guarded", file: inHandover + "succession.go", run: "TestTheOldNumberChangesAsTheUserIsTaken", by: "services/salesforce-pusher/push",
			old: "events.DesiredSubject(p.org, p.Key), outcome)", new: "at, outcome)",
			why: "somebody who comes back at that moment loses their user"},
		{name: "handover: the sources are not guarded", file: inHandover + "succession.go", run: "TestTheOldNumberChangesAsTheUserIsTaken", by: "services/salesforce-pusher/push",
			old: "events.PersonSubject(p.Key), events.Work{", new: "at, events.Work{",
			why: "somebody whom a source just called active loses their user"},
	}
}
