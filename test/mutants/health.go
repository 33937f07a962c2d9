package main

const inHealth = "services/salesforce-pusher/health/"

// healthMutants break what is known of a whole org: when it is held, who probes
// it, when it is worked on again.
func healthMutants() []mutant {
	health := func(name, file, old, mutated, why, run string) mutant {
		return mutant{name: "health: " + name, file: inHealth + file, old: old, new: mutated, why: why, run: run}
	}
	const once, alone, vain = "TestTroubleIsReportedOnce", "TestAHeldOrgIsLeftAlone", "TestAVainProbeSaysWhatIsWrongNow"
	return []mutant{
		health("a health is written over another's", "health.go", "Guarded: true, LastSeq: seq,", "", "all replicas probe an org that has reached its limit", "TestOneReplicaProbes"),
		health("a probe waits at a place that was left", "probe.go", "f := h.probeUntilNews(ctx, client, health.Failure)", "f := h.probe(ctx, client, health.Failure)", "an org that moved is found only when its silent old host has been waited for", "TestAProbeOfASilentHostEndsWithANewerToken"),
		health("a probe is believed to be hours away", "health.go", "health.NextProbe.After(latest)", "false", "an org is held for hours because a clock was wrong", "TestAProbeThatIsHoursAway"),
		health("a conflict ends a report", "health.go", "if !errors.Is(err, bus.ErrConflict) {", "if errors.Is(err, bus.ErrConflict) || err != nil {", "trouble is not told because another replica told something else", "TestTroubleIsToldOverAnothersWrite"),
		health("a held org is well at a start", "health.go", "if err != nil || health.State != events.HealthHeld {", "if true {", "every new replica calls an org that has reached its limit", once),
		health("trouble is told again and again", "report.go", "return was.State == events.HealthHeld && was.Failure != nil && was.Failure.Cause == f.Cause &&", "return false &&", "two replicas write an org's health in turn, and warn every time", once),
		health("a newer session's refusal is known already", "report.go", "(f.Cause != events.CauseCredentials || was.TokenGeneration >= generation)", "true", "token-refresher never hears that the new session is refused too", once),
		health("another trouble begins anew", "report.go", "next.Since = was.Since", "_ = was.Since", "an alert for an outage of hours starts over", once),
		health("an org is probed at once", "report.go", "next.NextProbe = now.Add(h.delay(f, 0))", "next.NextProbe = now", "an org that has reached its limit is called on and on", once),
		health("a held org is not left alone", "probe.go", "if !h.news(health) && now.Before(health.NextProbe) {", "if !h.news(health) && false {", "an org that has reached its limit is called on and on", alone),
		health("a new session waits for a probe", "probe.go", "return h.newer(health.TokenGeneration) || ", "return ", "a new token is left lying for an hour", alone),
		health("a worker that starts waits like the others", "probe.go", "|| !h.looked.Load() && began != nil && health.At.Before(*began)", "|| began == nil && false", "an org that came back while nobody ran is held for an hour more", "TestAHeldOrgIsLeftAlone"),
		health("a lost race probes all the same", "probe.go", "return h.cfg.Probe.Poll / 4, nil", "_ = h.cfg.Probe.Poll", "all replicas probe an org that has reached its limit", "TestOneReplicaProbes"),
		health("a refusal is no answer", "probe.go", "return nil // refused for lack of a right, say: somebody answers", "return plan.Diagnose(plan.Refusal{Err: plan.ErrorIn(err), Operation: plan.OpProbe})", "an org is held for ever whose integration user may not ask for limits", "TestARefusalMeansThatSomebodyAnswers"),
		health("a silent probe is an answer", "probe.go", "Operation: plan.OpProbe, Probe: true}", "Operation: plan.OpProbe}", "a held org is worked on while it does not answer", vain),
		health("vain probes are not counted", "probe.go", "health.Probes++", "", "an outage of hours is probed every two seconds", vain),
		health("the refused session is forgotten", "probe.go", "max(h.generation(), health.TokenGeneration)", "h.generation()", "token-refresher renews a session that is newer than the refused one", vain),
		health("a success keeps the hold", "probe.go", "*health = events.Health{State: events.HealthOK, Since: now}", "", "an org is held for ever", alone),
		health("a moment's limit is waited for like a day's", "probe.go", "f.Cause == events.CauseThrottled && f.Value == salesforce.KindDailyLimit.String()", "f.Cause == events.CauseThrottled", "too many calls at once stop an org for a minute and more", "TestDelaysGrowToTheirMaximum"),
		health("delays do not grow", "probe.go", "for range min(probes, 20) {", "for range 0 {", "an outage of hours is probed every two seconds", "TestDelaysGrowToTheirMaximum"),
		health("a missing right is back", "rights.go", "if err != nil || got.Cover(was.Operation) {", "if err != nil || got.Cover(was.Operation) || true {", "everybody is refused again and again while a right is missing", "TestALostRightHoldsUntilItIsBack"),
		health("a right is never back", "rights.go", "if err != nil || got.Cover(was.Operation) {", "if err != nil || got.Cover(was.Operation) && false {", "an org is held for ever though the right is back", "TestALostRightHoldsUntilItIsBack"),
		health("users are enough to assign", "rights.go", "return r.users && r.sets", "return r.users", "everybody is parked when the integration user may not assign any more", "TestRightsCoverWhatTheyAreFor"),
		health("a refused session is kept quiet", "sessions.go", "s.refused(ctx, refused.Generation)\n", "_ = ctx\n", "an expired session is never renewed", "TestARefusedSessionIsReportedAndTakenBack"),
		health("an old session's refusal is reported", "sessions.go", "!ok || rec.Generation <= refused.Generation", "!ok || rec.Generation > 0", "every call that was under way holds the org once more", "TestARefusedSessionIsReportedAndTakenBack"),
		health("a renewed session is kept quiet", "sessions.go", "s.renewed(ctx, refused.Generation)", "", "every renewal costs everybody a probe", "TestARefusedSessionIsReportedAndTakenBack"),
		health("a renewal ends any trouble", "report.go", "was.Failure.Cause != events.CauseCredentials || was.TokenGeneration > generation", "was.TokenGeneration > generation", "a new token lifts the hold of a daily limit", "TestAnotherTroubleIsNotTakenBack"),
		health("an old renewal ends a newer refusal", "report.go", "was.Failure.Cause != events.CauseCredentials || was.TokenGeneration > generation", "was.Failure.Cause != events.CauseCredentials", "a refused session is used on and on", "TestAnotherTroubleIsNotTakenBack"),
		health("a late session is used", "sessions.go", "return salesforce.Session{}, errTooLate", "return renewed, nil", "a call given up half way takes effect after it was read back", "TestASessionThatComesTooLateIsNotUsed"),
		health("held tokens are one person's failure", "trouble.go", "if errors.As(err, &held) {", "if errors.As(err, &held) && false {", "everybody is parked while somebody has to sign in", "TestTroubleIsOnlyWhatHoldsTheOrg"),
		health("a token that does not come is one person's", "trouble.go", "if errors.Is(err, tokens.ErrNoNewer) {", "if false {", "everybody is parked while token-refresher is away", "TestTroubleIsOnlyWhatHoldsTheOrg"),
	}
}
