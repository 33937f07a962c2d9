package main

const inPlan = "services/salesforce-pusher/plan/"

// planMutants break decisions: what differs, what is to be sent, whose failure
// it is.
func planMutants() []mutant {
	return concat(triageMutants(), chainMutants(), learnMutants(), lostMutants(), assignedMutants(), matchMutants(), changeMutants(), releaseMutants(), diagnoseMutants(), takeoverMutants())
}

func triageMutants() []mutant {
	return []mutant{
		{name: "plan: no margin after another's claim", file: inPlan + "triage.go", run: "TestTriageSaysWhatAPersonNeeds",
			old: "now.Before(c.Until.Add(skew))", new: "now.Before(c.Until)",
			why: "a worker whose clock is behind still sends, and we send as well"},
		{name: "plan: a dead worker's link is believed", file: inPlan + "triage.go", run: "TestTriageSaysWhatAPersonNeeds",
			old: `p.Link.Unsure, p.Link.AppliedHash = true, ""`, new: "p.Link.Unsure = true",
			why: "the wish counts as applied of which nobody knows how far it came"},
		{name: "plan: our own lost step keeps us waiting", file: inPlan + "triage.go", run: "TestTriageSaysWhatAPersonNeeds",
			old: "c != nil && c.Worker != worker && now", new: "c != nil && now",
			why: "whoever was interrupted by us waits until our claim ends"},
		{name: "plan: an open job is forgotten", file: inPlan + "triage.go", run: "TestTriageSaysWhatAPersonNeeds",
			old: `|| p.Link.Job != ""`, new: "",
			why: "a job of a dead worker makes a user for somebody who left"},
		{name: "plan: a late call is forgotten by triage", file: inPlan + "triage.go", run: "TestTriageSaysWhatAPersonNeeds",
			old: "|| !p.Link.UnsureUntil.IsZero() {", new: "{",
			why: "a call without an answer is applied later, and nobody looks"},
		{name: "plan: a success closes no failure", file: inPlan + "triage.go", run: "TestTriageSaysWhatAPersonNeeds",
			old: "p.Link.AppliedRevision < p.Revision || p.Link.Attempts > 0", new: "p.Link.AppliedRevision < p.Revision",
			why: "a dead letter stays open although its person is as wanted"},
		{name: "plan: a newer revision is not noted", file: inPlan + "triage.go", run: "TestTriageSaysWhatAPersonNeeds",
			old: "p.Link.AppliedRevision < p.Revision || p.Link.Attempts > 0", new: "p.Link.Attempts > 0",
			why: "whoever waits for the newest revision to be applied waits for ever"},
		{name: "plan: a dead worker's calls end with its claim", file: inPlan + "triage.go", run: "TestADeadWorkersCallsMayStillCome",
			old: "p.doubt(c.Until.Add(o.LateFor))", new: "p.doubt(c.Until)",
			why: "what Salesforce applies ten minutes later is never seen"},
		{name: "plan: a discard gives up newer revisions", file: inPlan + "triage.go", run: "TestADiscardIsOfOneRevision",
			old: "return d.Revision == p.Revision", new: "return d.Revision <= p.Revision",
			why: "a change is thrown away that no admin ever saw"},
		{name: "plan: a wish without a failure asks for discards", file: inPlan + "triage.go", run: "TestADiscardIsOfOneRevision",
			old: "p.Open() && p.Link.Attempts > 0 && p.Link.FailedRevision == p.Revision", new: "p.Open() && p.Link.Attempts > 0",
			why: "every revision of somebody who failed once costs a read"},
		{name: "plan: busy people are looked at on and on", file: inPlan + "turn.go", run: "TestWhenSomebodyBusyIsLookedAtAgain",
			old: "max(now.Sub(p.LinkedAt), TurnFirst)", new: "TurnFirst",
			why: "4,500 people in somebody else's hands cost 18,000 looks a second"},
		{name: "plan: busy people wait for the claim's end", file: inPlan + "turn.go", run: "TestWhenSomebodyBusyIsLookedAtAgain",
			old: "return min(end.Sub(now), again, most)", new: "_, _ = again, most\n\treturn end.Sub(now)",
			why: "a change waits for the whole claim of a worker that was done after a moment"},
		{name: "plan: a leaver waits as long as others", file: inPlan + "turn.go", run: "TestWhenSomebodyBusyIsLookedAtAgain",
			old: "most = turnLeaver", new: "_ = turnLeaver",
			why: "a leaver waits for their turn behind a load"},
		{name: "plan: any claim is plausible", file: inPlan + "triage.go", run: "TestImplausibleTimes",
			old: "case c.Until.After(latest):\n\t\t\tbounded.Until = latest", new: "case false:",
			why: "a replica of an older version whose clock was ahead keeps people for hours"},
		{name: "plan: a claim that was over when it was made is over", file: inPlan + "triage.go", run: "TestImplausibleTimes",
			old: "case c.Until.Before(p.LinkedAt):", new: "case false:",
			why: "two workers call for one person, because the clock of one was behind"},
		{name: "plan: any doubt is plausible", file: inPlan + "triage.go", run: "TestImplausibleTimes",
			old: "p.Link.UnsureUntil.After(late)", new: "false",
			why: "a call without an answer is doubted for hours"},
		{name: "plan: a bad wish fails who is busy", file: inPlan + "triage.go", run: "TestAWishThatCouldNotBeWorkedOutFails",
			old: "if !p.Open() || p.Desired.Problem == nil {", new: "if p.Desired.Problem == nil {",
			why: "a link is written that another worker holds"},
		{name: "plan: a bad wish has no cause", file: inPlan + "triage.go", run: "TestAWishThatCouldNotBeWorkedOutFails",
			old: "f.Cause = events.CauseMapping", new: "f.Cause = events.CauseUnknown",
			why: "a mapping that cannot be worked out is retried, and never told as what it is"},
	}
}

func chainMutants() []mutant {
	chain := func(name, old, mutated, why string) mutant {
		return mutant{name: "plan: " + name, file: inPlan + "chain.go", old: old, new: mutated, why: why, run: "TestTheChainDecides"}
	}
	return []mutant{
		chain("only ids are protected", "o.Protects(p.Link.UserID, p.Username())", "o.Protects(p.Link.UserID)", "the boss's account is taken over by its username"),
		chain("a user found is not protected", "}, o.Protects(u.ID, u.Username)", "}, o.Protects(u.ID)", "the boss's account is written to once it is found by another value"),
		chain("an unsure link is believed", `p.Link.UserID != "" && !p.Link.Unsure && `, `p.Link.UserID != "" && `, "what a lost call changed is never looked at"),
		chain("an insert goes before its explanation", "p.MayInsert(o) && p.call.create == nil", "p.MayInsert(o)", "a refused create is sent again and again"),
		chain("nothing is sent to whom", "case !p.ownership.linked:", "case false:", "two people write to one user"),
		chain("what a user had is not read", "case p.Desired.Active && !p.ownership.read && len(p.Assignments().All()) > 0:", "case false:", "permission sets that a user had before are given again, and taken away one day"),
		chain("creating is always allowed", "(push.create).\"}}, !o.Create", "(push.create).\"}}, false", "users are made in an org where config forbids it"),
		chain("a leaver's names are asked for", "p.Desired.Active && !p.names.done", "!p.names.done", "a leaver waits for a profile that is gone"),
		chain("a gap is no failure", "if len(p.names.absent) == 0 {", "if true {", "somebody counts as applied who lacks a permission set"),
		chain("names are resolved for ever", "if p.call.resolvedAgain {\n\t\treturn fail(p.call.stale)\n\t}", "", "a wrong id is asked for until the round limit ends the step"),
		chain("nobody is frozen who is kept active", "if !p.Link.Frozen && !p.call.freezeTried {", "if false {", "a leaver whom Salesforce keeps active can sign in"),
		chain("freezing is tried for ever", "if !p.Link.Frozen && !p.call.freezeTried {", "if !p.Link.Frozen {", "a leaver who cannot be frozen keeps the step from ending"),
		chain("a refused assignment is forgotten", "return fail(p.call.fault) }", "return Verdict{}, false }", "somebody counts as applied whose permission set was refused"),
		chain("a lost update is taken for done", "return need(NeedReadBack, p.call.update != nil)", "return Verdict{}, false", "nobody looks whether the update was applied"),
		chain("an inactive user needs an owner", "(u == nil || !u.Active && p.Link.UserID == \"\")", "u == nil", "a leaver takes over a stranger's inactive account"),
		chain("a job is not waited for", "return need(NeedJobOver, p.Link.Job != \"\")", "return Verdict{}, false", "the look for a user is made while a job may still make one"),
		{name: "plan: fenced people go on", file: inPlan + "chain.go", run: "TestWhoHasEndedNeedsNothing",
			old: "if p.fate != Open {\n\t\treturn Verdict{}\n\t}", new: "",
			why: "a worker calls for people whom another worker has taken over"},
		{name: "plan: insert while in doubt", file: inPlan + "chain.go", run: "TestAnInsertIsMadeOnlyWhereItIsSure",
			old: "o.Create && !p.Link.Unsure && ", new: "o.Create && ", why: "a second user is made while a lost create may still make one"},
		{name: "plan: insert beside a job", file: inPlan + "chain.go", run: "TestAnInsertIsMadeOnlyWhereItIsSure",
			old: `!p.Link.Unsure && p.Link.Job == "" && `, new: "!p.Link.Unsure && ", why: "a second user is made while a job may still make one"},
		{name: "plan: insert though switched off", file: inPlan + "chain.go", run: "TestAnInsertIsMadeOnlyWhereItIsSure",
			old: `p.Link.UserID == "" && o.Create && `, new: `p.Link.UserID == "" && `, why: "users are made in an org where config forbids it"},
		{name: "plan: insert for a leaver", file: inPlan + "chain.go", run: "TestAnInsertIsMadeOnlyWhereItIsSure",
			old: "return p.Desired.Active && !p.leaving() && p.Link.UserID", new: "return !p.leaving() && p.Link.UserID", why: "a user is made for somebody who left"},
		{name: "plan: a second create while one may come", file: inPlan + "chain.go", run: "TestWhatIsLateIsLookedFor",
			old: `return Verdict{Later: true}, p.late() && `, new: `return Verdict{Later: true}, false && `, why: "two users for one person, whose username changed while a create was lost"},
		{name: "plan: unfreeze whom nobody let in", file: inPlan + "chain.go", run: "TestNobodyIsLetInWhoIsNotActive",
			old: "p.change.Unfreeze && p.Link.Active", new: "p.change.Unfreeze", why: "an unfreeze goes before the reactivation it needs"},
	}
}

func learnMutants() []mutant {
	return []mutant{
		{name: "plan: a lost create leaves no doubt", file: inPlan + "learn.go", run: "TestALookEndsTheDoubtOnlyWhereItMay",
			old: "p.lookup.user != nil || p.createLost()", new: "p.lookup.user != nil", why: "the user is made later, and nobody looks"},
		{name: "plan: a user found is certain at once", file: inPlan + "learn.go", run: "TestALookEndsTheDoubtOnlyWhereItMay",
			old: "p.Link.Unsure = p.Link.Unsure && p.lookup.user != nil || p.createLost()", new: "p.Link.Unsure = p.createLost()",
			why: "assignments of a lost call are never read"},
		{name: "plan: a lost create is not remembered", file: inPlan + "learn.go", run: "TestARefusedCreateIsExplainedByALook",
			old: "p.doubt(p.lateUntil)\n\t}\n\tp.change.Create", new: "}\n\tp.change.Create", why: "the next worker sends a second create"},
		{name: "plan: the name a lost create sent is lost", file: inPlan + "learn.go", run: "TestARefusedCreateIsExplainedByALook",
			old: "p.Link.SentUsername, _ = p.change.Create[FieldUsername].(string)", new: "", why: "after a renaming the late user is never found"},
		{name: "plan: a refused look hides the refusal", file: inPlan + "learn.go", run: "TestARefusedCreateIsExplainedByALook",
			old: "if p.call.create != nil {\n\t\tp.Fail(judged(p.call.create, OpCreate))\n\t\treturn\n\t}", new: "",
			why: "the admin is told of a look-up, and not that the username is taken"},
		{name: "plan: another org's user is kept", file: inPlan + "learn.go", run: "TestAUserWhoIsGoneIsLookedForByTheRules",
			old: "\t\tp.unlink()\n\t}\n\tcandidates", new: "\t}\n\tcandidates", why: "hashes of a user who is gone say that another one is right already"},
		{name: "plan: rules go before the known user", file: inPlan + "learn.go", run: "TestAUserWhoIsGoneIsLookedForByTheRules",
			old: "if u := users.byID[p.Link.UserID]; u != nil {\n\t\t\treturn u, nil\n\t\t}", new: "",
			why: "a person is moved to another user because somebody took their old username"},
		{name: "plan: whoever is found was made by us", file: inPlan + "learn.go", run: "TestAUserHasOneOwner",
			old: "p.ownership.made = p.createLost() && len", new: "p.ownership.made = len", why: "permission sets that a user had before are taken away"},
		{name: "plan: a lost create made whoever is there", file: inPlan + "learn.go", run: "TestAUserHasOneOwner",
			old: "p.createLost() && len(planExisting(p.Desired, p.Link, u, p.names.ids, false).Update) == 0", new: "p.createLost()",
			why: "somebody's account of before counts as made by us"},
		{name: "plan: a wrong id fails at once", file: inPlan + "learn.go", run: "TestARefusedUpdateMeansWhatItSays",
			old: "if e.Class == salesforce.Reference && !p.call.resolvedAgain {", new: "if false {", why: "everybody with a renamed profile is parked for five minutes of a cache"},
		{name: "plan: a user who is gone is believed in", file: inPlan + "learn.go", run: "TestARefusedUpdateMeansWhatItSays",
			old: "p.Link.Unsure = true // the user may be gone: look before the next call", new: "", why: "every attempt is sent to a user who is not there"},
		{name: "plan: any update may keep somebody active", file: inPlan + "learn.go", run: "TestARefusedUpdateMeansWhatItSays",
			old: "p.updating() != OpDeactivate || len(p.change.Update) != 1", new: "len(p.change.Update) != 1", why: "somebody is frozen because a title was refused"},
		{name: "plan: a lock counts as kept active", file: inPlan + "learn.go", run: "TestARefusedUpdateMeansWhatItSays",
			old: "case salesforce.Locked, salesforce.Timeout, salesforce.NotFound", new: "case salesforce.Timeout, salesforce.NotFound", why: "a leaver is parked for a lock that passes in seconds"},
		{name: "plan: a broken server keeps people active", file: inPlan + "learn.go", run: "TestARefusedUpdateMeansWhatItSays",
			old: "return e.Status == 0 || e.Status >= 400 && e.Status < 500", new: "return true", why: "a leaver is parked for a server's fault that passes"},
		{name: "plan: deactivating is always allowed", file: inPlan + "learn.go", run: "TestWhatConfigForbidsIsRefused",
			old: "!d.Active && setsActive && !o.Deactivate", new: "!d.Active && setsActive && false", why: "users are deactivated in an org where config forbids it"},
		{name: "plan: updating is always allowed", file: inPlan + "learn.go", run: "TestWhatConfigForbidsIsRefused",
			old: "d.Active && c.modifies() && !o.Update", new: "false", why: "users are changed in an org where config forbids it"},
		{name: "plan: a lost freeze is forgotten", file: inPlan + "learn.go", run: "TestAFreezeIsRemembered",
			old: "p.Link.FreezeLost = true\n", new: "\n", why: "somebody who comes back stays shut out"},
		{name: "plan: a late freeze is taken for lifted", file: inPlan + "learn.go", run: "TestAFreezeIsRemembered",
			old: "frozen, p.Link.FreezeLost && p.late()", new: "frozen, false", why: "somebody who comes back is shut out by a freeze that was late"},
		{name: "plan: a needed freeze may fail quietly", file: inPlan + "learn.go", run: "TestAFreezeIsRemembered",
			old: "if p.call.mustFreeze {", new: "if false {", why: "a leaver whom a late call lets in again counts as gone"},
		{name: "plan: a right value is sent again", file: inPlan + "learn.go", run: "TestPlanConverges",
			old: "if _, changes := p.change.Update[name]; !changes {", new: "if false {", why: "fields that are right already are sent with every change"},
		{name: "plan: a new user's hashes are not kept", file: inPlan + "learn.go", run: "TestPlanConverges",
			old: "p.Link.FieldHashes = hashFields(p.change.Create)", new: "p.Link.FieldHashes = map[string]string{}", why: "every field of a new user is sent again with the next change"},
		{name: "plan: a role of a lost create is not ours", file: inPlan + "learn.go", run: "TestARoleOfALostCreateIsOurs",
			old: "if u != nil && p.ownership.made && u.Fields", new: "if false && u.Fields", why: "a role that Rollcall gave is never cleared"},
	}
}

func lostMutants() []mutant {
	return []mutant{
		{name: "plan: a lost update leaves no doubt", file: inPlan + "lost.go", run: "TestALostUpdateIsJudgedByTheUser",
			old: "p.call.update = e\n\tp.doubt(p.lateUntil)", new: "p.call.update = e", why: "an update that comes late undoes a newer one, and nobody looks"},
		{name: "plan: a lost update counts as applied", file: inPlan + "lost.go", run: "TestALostUpdateIsJudgedByTheUser",
			old: "if _, still := p.change.Update[name]; still {", new: "if _, still := p.change.Update[name]; still && false {", why: "somebody counts as applied whose update never arrived"},
		{name: "plan: a lost update is read back for ever", file: inPlan + "lost.go", run: "TestALostUpdateIsJudgedByTheUser",
			old: "e := p.call.update\n\tp.call.update = nil", new: "e := p.call.update", why: "the step calls until its round limit"},
		{name: "plan: a role perhaps given is not ours", file: inPlan + "lost.go", run: "TestARoleThatWasPerhapsGivenIsOurs",
			old: "if _, ok := p.change.Update[FieldRole]; ok {", new: "if false {", why: "a role that Rollcall gave is never cleared"},
		{name: "plan: absence says what was not asked", file: inPlan + "lost.go", run: "TestALostAssignmentIsJudgedByWhatIsThere",
			old: "case l.operation == OpUnassign && !has && asked(name):", new: "case l.operation == OpUnassign && !has:", why: "a permission set stays with somebody of whom it counts as taken"},
		{name: "plan: a lost assignment counts as given", file: inPlan + "lost.go", run: "TestALostAssignmentIsJudgedByWhatIsThere",
			old: "case l.operation == OpAssign && has:", new: "case l.operation == OpAssign:", why: "somebody counts as applied who lacks a permission set"},
		{name: "plan: a lost assignment leaves no doubt", file: inPlan + "lost.go", run: "TestALostAssignmentIsJudgedByWhatIsThere",
			old: "err: e}\n\tp.doubt(p.lateUntil)", new: "err: e}", why: "a permission set is given late, to somebody who is not to have it any more"},
		{name: "plan: a lost call holds the org", file: inPlan + "lost.go", run: "TestALostCallIsTheirsAlone",
			old: "Operation: operation, Alone: true}", new: "Operation: operation}", why: "one person's lost call stops everybody's"},
		{name: "plan: a lost call is judged as refused", file: inPlan + "lost.go", run: "TestALostCallIsTheirsAlone",
			old: "if e.Outcome == salesforce.MaybeApplied {\n\t\treturn lost(e, operation)\n\t}", new: "", why: "one person's lost call stops everybody's"},
		{name: "plan: what is refused is tried again at a stop", file: inPlan + "lost.go", run: "TestStoppingKeepsWhatIsKnown",
			old: "case v.Fail != nil:\n\t\tp.Fail(v.Fail)", new: "", why: "a refusal is forgotten because the org got into trouble afterwards"},
		{name: "plan: whoever is done is given back", file: inPlan + "lost.go", run: "TestStoppingKeepsWhatIsKnown",
			old: "case v.Applied:\n\t\tp.end(Applied)\n", new: "", why: "people who are as wanted are looked at again"},
		{name: "plan: the wrong id of a stopped step is forgotten", file: inPlan + "lost.go", run: "TestStoppingKeepsWhatIsKnown",
			old: "\tp.doubtUser()\n\tv := Verdict{}", new: "\tv := Verdict{}", why: "every attempt is sent to a user who is not there"},
		{name: "plan: a late user is not looked for", file: inPlan + "lost.go", run: "TestWhatIsLateIsLookedFor",
			old: `if p.Link.SentUsername == "" || u == nil {`, new: "if true {", why: "a user made by a late create is nobody's for ever"},
		{name: "plan: a late user may be somebody else's", file: inPlan + "lost.go", run: "TestWhatIsLateIsLookedFor",
			old: `want != "" && !strings.EqualFold(u.Federation, want)`, new: `want != "" && false`, why: "a stranger's user is taken over for its username"},
	}
}

func assignedMutants() []mutant {
	return []mutant{
		{name: "plan: what was there before is taken away", file: inPlan + "assigned.go", run: "TestWhatWasThereBeforeIsNeitherGivenNorTaken",
			old: "if !want[name] && id != found {", new: "if !want[name] && id != there {", why: "permission sets that an admin gave by hand are removed"},
		{name: "plan: what was perhaps given is not given again", file: inPlan + "assigned.go", run: "TestWhatWasThereBeforeIsNeitherGivenNorTaken",
			old: "if have[name] == perhaps && !want[name] {", new: "if _, has := have[name]; !has && !want[name] {", why: "a permission set whose call was lost is never given"},
		{name: "plan: a name wanted twice is given twice", file: inPlan + "assigned.go", run: "TestWhatWasThereBeforeIsNeitherGivenNorTaken",
			old: "if have[name] == perhaps && !want[name] {", new: "if have[name] == perhaps {", why: "the second of two equal records is refused, and the person fails"},
		{name: "plan: what was there before is ours", file: inPlan + "assigned.go", run: "TestWhatAUserHasAlready",
			old: "ok && was == found || !ok && !p.ownership.made", new: "ok && was == found", why: "permission sets that an admin gave by hand are removed one day"},
		{name: "plan: what we gave is theirs", file: inPlan + "assigned.go", run: "TestWhatAUserHasAlready",
			old: "ok && was == found || !ok && !p.ownership.made", new: "ok && was == found || !p.ownership.made", why: "permission sets that Rollcall gave are never removed"},
		{name: "plan: restored, a user of ours is somebody's", file: inPlan + "learn.go", run: "TestARosterRestoredFromABackup", by: "services/salesforce-pusher/push",
			old: "u.Ours || record != nil && !p.", new: "record != nil && !p.", why: "after a restore nobody is relieved of what was given since the backup"},
		{name: "plan: restored, what we gave is theirs", file: inPlan + "learn.go", run: "TestARosterRestoredFromABackup", by: "services/salesforce-pusher/push",
			old: "u.Ours || record != nil && !p.ownership.fresh && p.Link.AppliedRevision > 0", new: "u.Ours", why: "after a restore nobody is relieved of what was given since the backup"},
		{name: "plan: a user just adopted was as desired", file: inPlan + "learn.go", run: "TestWhoseWhatAUserHasIs",
			old: "p.Link.AppliedRevision = 0 // nothing of this user's has been\n", new: "", why: "permission sets that an admin gave are taken away after a crash"},
		{name: "plan: what was not asked for is gone", file: inPlan + "assigned.go", run: "TestWhatAUserHasAlready",
			old: "if !asked(name) || !has && p.late() && p.Nameless(name) {", new: "if !has && p.late() && p.Nameless(name) {", why: "a permission set whose name config forgot is never removed"},
		{name: "plan: what may still come is forgotten", file: inPlan + "assigned.go", run: "TestWhatAUserHasAlready",
			old: "if !asked(name) || !has && p.late() && p.Nameless(name) {", new: "if !asked(name) || !has && false {", why: "a permission set that is given late stays for ever"},
		{name: "plan: an intent counts as given", file: inPlan + "assigned.go", run: "TestWhatIsGivenAndTaken",
			old: "p.set(name, perhaps) }", new: "p.set(name, there) }", why: "a permission set whose call was never made counts as given"},
		{name: "plan: an assignment is given for ever", file: inPlan + "assigned.go", run: "TestWhatIsGivenAndTaken",
			old: "p.change.Give = without(p.change.Give, name)\n", new: "", why: "the step gives until its round limit"},
		{name: "plan: what was not sent is ours", file: inPlan + "assigned.go", run: "TestWhatIsGivenAndTaken",
			old: "NotGiven(name string) { p.drop(name) }", new: "NotGiven(string) {}", why: "a permission set that an admin gives by hand is removed"},
		{name: "plan: a refused assignment is ours", file: inPlan + "assigned.go", run: "TestARefusedAssignmentIsNotOurs",
			old: "p.drop(name)\n\tf := Diagnose", new: "f := Diagnose", why: "a permission set that an admin gives by hand is removed"},
		{name: "plan: a refused removal is done", file: inPlan + "assigned.go", run: "TestARefusedAssignmentIsNotOurs",
			old: "p.call.untaken = Diagnose(Refusal{Err: e, Operation: OpUnassign})", new: "", why: "somebody keeps a permission set, and nobody is told"},
		{name: "plan: nothing is there to delete", file: inPlan + "assigned.go", run: "TestARefusedAssignmentIsNotOurs",
			old: "|| e.Class == salesforce.Reference\n", new: "|| e.Class == salesforce.Reference || e.Class == salesforce.Forbidden\n", why: "a removal that was refused counts as done"},
		{name: "plan: a missing assignment is done with", file: inPlan + "assigned.go", run: "TestWhatIsMissingMayStillCome",
			old: "if p.late() {\n\t\tp.change.Take", new: "if false {\n\t\tp.change.Take", why: "a permission set that is given late stays for ever"},
		{name: "plan: a missing profile is none", file: inPlan + "names.go", run: "TestNamesThatAreNotThere",
			old: `p.names.lacks = missing("profile", p.Desired.Profile)`, new: "", why: "a user is made without the profile that is wanted"},
		{name: "plan: a missing role is none", file: inPlan + "names.go", run: "TestNamesThatAreNotThere",
			old: `if !ok && p.Desired.Role != "" {`, new: "if false {", why: "a role is taken away because its name is misspelt"},
		{name: "plan: the same wrong id is sent again", file: inPlan + "names.go", run: "TestAWrongIDIsAskedForOnce",
			old: "p.names.lacks != nil || p.usedIDs(c) == used", new: "p.names.lacks != nil", why: "the refusal is lost that says what is wrong"},
		{name: "plan: a wrong id is believed", file: inPlan + "names.go", run: "TestAWrongIDIsAskedForOnce",
			old: "c.forget(KindProfile, p.Desired.Profile)", new: "", why: "everybody with a renamed profile is parked for five minutes of a cache"},
		{name: "plan: a misspelt name takes all away", file: inPlan + "learn.go", run: "TestAMisspeltNameTakesNothingAway",
			old: "return kept || p.names.absent[name]", new: "return p.names.absent[name]", why: "one wrong letter in config takes everybody's permission sets away"},
		{name: "plan: a missing set is known for ever", file: inPlan + "catalogue.go", run: "TestCatalogueAsksOnceAndForgetsInTime",
			old: "\t\tttl = missingTTL\n", new: "\t\t_ = missingTTL\n", why: "a permission set made since is not found until the next start"},
	}
}

func matchMutants() []mutant {
	match := func(name, old, mutated, why, run string) mutant {
		return mutant{name: "plan: " + name, file: inPlan + "match.go", old: old, new: mutated, why: why, run: run}
	}
	const guesses = "TestRecogniseNeverGuesses"
	return []mutant{
		match("the last of several users is taken", "if hit != nil && hit.ID != u.ID {", "if false {", "somebody is given another person's account", guesses),
		match("an e-mail address is enough", "if rule == MatchEmail && !m.ByEmail {", "if false {", "somebody is given another person's account", guesses),
		match("another federation id does not matter", `hit != nil && d.Match.FederationID != "" && hit.Federation != ""`, `false && d.Match.FederationID != "" && hit.Federation != ""`, "somebody is given another person's account", guesses),
		match("upper case is another username", `at := rule + "/" + strings.ToLower(v)`, `at := rule + "/" + v`, "a user who is there is not found, and a second one is tried", guesses),
		match("an e-mail address is unique", "if rule == MatchEmail || !strings.EqualFold(sent, want) {", "if !strings.EqualFold(sent, want) {", "a second user is made for somebody who has one", "TestInsertFindsOnlyWhatItSends"),
		match("a value not sent is unique", "if rule == MatchEmail || !strings.EqualFold(sent, want) {", "if rule == MatchEmail || sent == want && false {", "a second user is made for somebody who has one", "TestInsertFindsOnlyWhatItSends"),
		{name: "plan: protection knows upper case", file: inPlan + "policy.go", run: "TestProtectionIgnoresCase",
			old: `v != "" && o.Protected[strings.ToLower(v)] {`, new: `v != "" && o.Protected[strings.TrimSpace(v)] {`, why: "the boss's account is written to, for Salesforce spells it otherwise"},
	}
}

func changeMutants() []mutant {
	change := func(name, old, mutated, why, run string) mutant {
		return mutant{name: "plan: " + name, file: inPlan + "change.go", old: old, new: mutated, why: why, run: run}
	}
	return []mutant{
		change("managed by the mapping alone", "if !reserved(name) {", "if true {", "a mapping switches users on and off", "TestUnmanagedFieldsAreNotSent"),
		change("a role that was never given is cleared", "ok && h != hashValue(nil)", "true || ok && h != hashValue(nil)", "roles that an admin gave by hand are removed", "TestUnmanagedFieldsAreNotSent"),
		change("a role is never cleared", "} else if h, ok := link.FieldHashes[FieldRole]; ok && h != hashValue(nil) {", "} else if h, ok := link.FieldHashes[FieldRole]; false && ok && h != \"\" {", "somebody keeps the rights of a role they lost", "TestPlanConverges"),
		change("a new user is sent empty values", "maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })", "maps.DeleteFunc(fields, func(string, any) bool { return false })", "a create is refused for a field that a new user may not clear", "TestANewUserIsSentNoEmptyValue"),
		change("a new user is not active", "fields[FieldActive] = true", "", "a user is made who cannot sign in", "TestANewUserIsSentNoEmptyValue"),
		change("nobody comes back", "if !active || u == nil && len(c.Update) > 0 {", "if u == nil && len(c.Update) > 0 {", "somebody who comes back stays inactive", "TestPlanConverges"),
		change("nobody is let in again", "c.Unfreeze = link.Frozen ||", "c.Unfreeze = false &&", "somebody who comes back stays frozen", "TestPlanConverges"),
		change("a leaver is deactivated again", "if !active {\n\t\t\treturn Change{}\n\t\t}", "", "every look at a leaver costs an update", "TestPlanConverges"),
		change("whoever leaves is not frozen first", "Freeze: freezeFirst && !link.Frozen}", "}", "sessions of a leaver live on where freezing was asked for", "TestALeaverIsFrozenFirst"),
		change("a frozen leaver is frozen again", "Freeze: freezeFirst && !link.Frozen}", "Freeze: freezeFirst}", "every attempt at a leaver costs two calls more", "TestALeaverIsFrozenFirst"),
		change("hashes are not compared", "return !ok || h != hashValue(v)", "return !ok || h == \"\"", "a changed value is never sent", "TestPlanConverges"),
		change("a value that Salesforce trims differs", "return ok && strings.TrimSpace(hs) == strings.TrimSpace(ws)", "return ok && hs == ws", "a value with a blank at its end is sent with every look", "TestValuesAreComparedAsSalesforceKeepsThem"),
		change("an empty value is no null", `ok && strings.TrimSpace(s) == ""`, `ok && s == "\x00"`, "an empty value is sent with every look", "TestValuesAreComparedAsSalesforceKeepsThem"),
	}
}

func releaseMutants() []mutant {
	release := func(name, old, mutated, why, run string) mutant {
		return mutant{name: "plan: " + name, file: inPlan + "release.go", old: old, new: mutated, why: why, run: run}
	}
	const counts, says = "TestReleaseCountsOnlyTheirOwnFailures", "TestAReleaseSaysWhatIsTrueNow"
	return []mutant{
		release("half of a wish counts as applied", "if p.touched && p.fate != Applied {", "if false {", "somebody counts as applied of whom half is done", counts),
		release("a claim is kept at the end", "l.Claim, l.At = nil, now.UTC()", "l.At = now.UTC()", "every change waits until the claim before has ended", counts),
		release("a new revision inherits attempts", "if l.FailedRevision != p.Revision {", "if false {", "a corrected person is parked at the first failure", counts),
		release("failures are not counted", "l.Failures++", "", "no success closes a dead letter", counts),
		release("attempts are not counted", "l.Attempts++", "", "somebody is retried for ever", counts),
		release("attempts outlive a success", "l.Attempts, l.FailedRevision, l.FirstFailedAt = 0, 0, time.Time{}", "", "somebody is parked for failures of long ago", counts),
		release("a success leaves the doubt", "l.Unsure = false\n", "", "every look at somebody asks Salesforce", says),
		release("a success ends what may still come", "if !p.late() { // everything", "if true { // everything", "what a late call changes is never seen", says),
		release("a revision is not noted", "l.AppliedRevision, l.AppliedHash = p.Revision, p.Desired.Hash", "l.AppliedHash = p.Desired.Hash", "whoever waits for the newest revision waits for ever", says),
		release("an outcome has no lane", "if o.Lane == \"\" {", "if false {", "a retry is lost, for no lane is its", "TestAnOutcomeHasALane"),
		release("a call under way leaves no trace", "if p.touched {\n\t\tl.AppliedHash = \"\"\n\t}\n\treturn l", "return l", "after a crash the wish before counts as applied", "TestTheLinkInTheMiddleOfAStep"),
		release("the name being sent is not noted", "l.SentUsername = name // whoever", "_ = name // whoever", "after a crash and a renaming the user is never found", "TestTheLinkInTheMiddleOfAStep"),
	}
}

func diagnoseMutants() []mutant {
	diagnose := func(name, old, mutated, why, run string) mutant {
		return mutant{name: "plan: " + name, file: inPlan + "diagnose.go", old: old, new: mutated, why: why, run: run}
	}
	const rows = "TestEveryOverrideApplies"
	return []mutant{
		diagnose("a lost right is one person's", "when: func(r Refusal) bool { return r.Demoted }", "when: func(Refusal) bool { return false }", "everybody is parked when the integration user loses a right", rows),
		diagnose("kept active is any refusal", "when: func(r Refusal) bool { return r.Kept }", "when: func(Refusal) bool { return false }", "an admin is not told that a leaver can still sign in", rows),
		diagnose("a lost call holds everybody", "return r.Alone && troublesAll(r.Err)", "return false", "one person's lost call stops everybody's", rows),
		diagnose("a late token is one person's", "return r.Err.Code == salesforce.CodeNoSession", "return false", "people are parked while a token is fetched", rows),
		diagnose("an app without the API is one person's", "return r.Err.Kind == salesforce.KindAPIAccess", "return false", "everybody is parked for an app's setting", rows),
		diagnose("a silent probe means all is well", "return r.Probe && (r.Err.Class", "return false && (r.Err.Class", "a held org is worked on while it does not answer", rows),
		diagnose("Salesforce's other words are lost", `f.Message += "\n" + also.Message`, "", "an admin corrects one of two values", "TestFailureKeepsEveryWord"),
		diagnose("which limit it was is lost", "f.Value = e.Kind.String() // they", "_ = e.Kind.String() // they", "a daily limit is probed every second", rows),
		diagnose("no licence is a bad value", "return events.CauseLicence", "return events.CauseInvalid", "an admin looks for a value instead of a seat", "TestEveryClassHasItsCause"),
	}
}
