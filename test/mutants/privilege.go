package main

// privilegeMutants let an event make an administrator, or take one over.
func privilegeMutants() []mutant {
	privilege := func(name, file, run, old, mutated, why string) mutant {
		return mutant{name: "plan: " + name, file: inPlan + file, run: run, old: old, new: mutated, why: why}
	}
	const chain, bars, asked = "TestTheChainDecides", "TestWhatMakesAnAdministratorIsBarred", "TestAYesHoldsForWhatWasAskedAndOnce"
	return []mutant{
		privilege("an administrator is taken over", "privilege.go", chain, `case len(u.power.permissions) > 0:`, `case false:`, "one event with an administrator's username is theirs"),
		privilege("whom nobody can judge is taken", "privilege.go", chain, `case u.power.unread:`, `case false:`, "an org that hides permissions has its administrators taken over"),
		privilege("oneself is taken", "privilege.go", chain, `case o.SelfUnknown:`, `case false:`, "the integration user is adopted where its token does not say who it is"),
		privilege("a yes is to any user", "privilege.go", chain, `why == "" || p.allowed(asks)`, `why == "" || p.Link.Allowed != nil`, "a yes to one user hands over another"),
		privilege("a yes holds for ever", "privilege.go", asked, `yes != nil && !yes.Used`, `yes != nil`, "whoever was an administrator once is one again at the next event"),
		privilege("a yes is not used up", "release.go", asked, `used.Used = true`, ``, "whoever was an administrator once is one again at the next event"),
		privilege("what is not named is given", "privilege.go", bars, `case !o.Privileged.Names.has(kind, name):`, `case false:`, "a rule makes administrators that nobody named as such"),
		privilege("nobody is asked", "privilege.go", bars, `case o.Privileged.Ask:`, `case false:`, "a rule makes administrators without anybody's yes"),
		privilege("unread is harmless", "privilege.go", bars, `return w.unread || len(w.permissions) > 0`, `return len(w.permissions) > 0`, "an org that hides permissions gives administrators away"),
		privilege("groups permit nothing", "privilege.go", bars, `known.power = w`, `known.power = power{}`, "a permission set group gives what its sets may not"),
		privilege("one hidden permission hides all", "privilege.go", bars, `case p == salesforce.PermissionCore:`, `case p != "":`, "everybody is parked in an edition that lacks a permission"),
		privilege("a barred profile is sent", "privilege.go", chain, `p.holdOne(profile)`, `_ = profile`, "an administrator's profile is given without a yes"),
		privilege("a barred set is sent", "privilege.go", chain, `p.change.Give = slices.DeleteFunc(p.change.Give, p.holdOne)`, ``, "an administrator's permission set is given without a yes"),
		privilege("any name is given", "names.go", "TestWhatTheConfigurationLacksIsNotGiven", `name == "" || o.Holds.has(kind, name)`, `true`, "whoever can write to the stream makes administrators"),
		privilege("a foreign name takes the others", "names.go", "TestWhatTheConfigurationLacksIsNotGiven", ` || slices.Contains(p.names.foreign, kind+"/"+name)`, ``, "an older pusher takes away what a newer configuration replaces, and gives nothing for it"),
	}
}

// selfMutants touch the user that Rollcall signs in as, and let a step of a configuration
// go by another.
func selfMutants() []mutant {
	const never = "TestTheIntegrationUserIsNeverTouched"
	return []mutant{
		{name: "plan: a federation id is nobody's", file: inPlan + "privilege.go", by: "services/salesforce-pusher/push", run: "TestSomebodyElsesFederationIDIsNotTakenOver",
			old: `u.Federation != "" && p.Desired.Match.FederationID == ""`, new: `false`, why: "somebody without a federation id gets the user of somebody who has one"},
		{name: "plan: the integration user is like any other", file: inPlan + "policy.go", by: "services/salesforce-pusher/push", run: never,
			old: `if o.integrates(v) || v != ""`, new: `if v != ""`, why: "one event with its username shuts Rollcall out"},
		{name: "plan: a short id is another's", file: inPlan + "policy.go", by: "services/salesforce-pusher/push", run: never,
			old: `id[:shortID] == o.Integration[:shortID]`, new: `id == o.Integration`, why: "a link with an id of 15 characters writes to the integration user"},
		{name: "push: a step goes on as somebody else", file: inPush + "call.go", run: "TestNoCallIsMadeWithoutTime",
			old: ` || c.another() {`, new: ` {`, why: "whom Rollcall signs in as since a moment ago is written to"},
		{name: "push: whoever the token does not name is not asked for", file: inPush + "self.go", run: "TestWhoIsAskedWhereTheTokenDoesNotSay",
			old: `o.self.userID = o.askSelf(ctx)`, new: ``, why: "everybody who has a user already waits for a yes"},
		{name: "push: the configuration's names do not count", file: inPush + "config.go", run: "TestConfigTakesEverythingOver",
			old: `Holds: c.Holds, Privileged`, new: `Privileged`, why: "nobody gets anything"},
		{name: "push: what is named as privileged does not count", file: inPush + "config.go", run: "TestConfigTakesEverythingOver",
			old: `Ask: c.Ask}`, new: `}`, why: "a rule makes administrators without anybody's yes"},
		{name: "handover: a yes twice counts twice", file: "services/salesforce-pusher/handover/allow.go", by: "services/salesforce-pusher/push", run: "TestAYesThatComesTwiceCountsOnce",
			old: `l.Allowed.Request == r.ID`, new: `false`, why: "a request that comes again after it was used makes an administrator once more"},
	}
}
