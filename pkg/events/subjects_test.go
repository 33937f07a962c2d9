package events_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

func TestParseSubjectIsTheInverseOfTheBuilders(t *testing.T) {
	t.Parallel()
	const org, key = "production", sampleKey
	for subject, want := range map[string]events.Address{
		events.PersonSubject(key):                       {Kind: "person", Key: key},
		events.GroupSubject(key):                        {Kind: "group", Key: key},
		events.DesiredSubject(org, key):                 {Kind: "desired", Org: org, Key: key},
		events.WorkSubject(org, events.LaneLeaver, key): {Kind: "work", Org: org, Lane: events.LaneLeaver, Key: key},
		events.LinkSubject(org, key):                    {Kind: "link", Org: org, Key: key},
		events.OwnerSubject(org, "005000000000001AAA"):  {Kind: "owner", Org: org, Key: "005000000000001AAA"},
		events.OutcomeSubject(org, key):                 {Kind: "outcome", Org: org, Key: key},
		events.RetrySubject(org, key):                   {Kind: "retry", Org: org, Key: key},
		events.LookSubject(org, key):                    {Kind: "look", Org: org, Key: key},
		events.TurnSubject(org, events.LaneLeaver, key): {Kind: "turn", Org: org, Lane: events.LaneLeaver, Key: key},
		events.DiscardedSubject(org, key):               {Kind: "discarded", Org: org, Key: key},
		events.RejectionSubject(17):                     {Kind: "rejection", Key: events.EventKey(17)},
		events.ReconsiderSubject(17):                    {Kind: "reconsider", Key: events.EventKey(17)},
		events.HealthSubject(org):                       {Kind: "health", Org: org},
		events.ConfigurationSubject():                   {Kind: "config"},
		events.SweepSubject():                           {Kind: "sweep"},
		events.BeatSubject(2):                           {Kind: "beat", Key: "2"},
		events.HeldSubject(org, key):                    {Kind: "held", Org: org, Key: key},
		events.GuardSubject(org):                        {Kind: "guard", Org: org},
		events.ReleaseSubject(org, key):                 {Kind: "release", Org: org, Key: key},
		events.CheckSubject(org):                        {Kind: "check", Org: org},
		events.DeadSubject(org, events.CauseLicence, key): {
			Kind: "dead", Org: org, Cause: events.CauseLicence, Key: key,
		},
		events.DeadSubject(events.NoOrg, events.CausePoison, events.EventKey(17)): {
			Kind: "dead", Org: events.NoOrg, Cause: events.CausePoison, Key: "e17",
		},
	} {
		got, err := events.ParseSubject(subject)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v; want %+v", subject, got, err, want)
		}
	}
}

func TestParseSubjectRefuses(t *testing.T) {
	t.Parallel()
	for _, subject := range []string{
		"", "rollcall", "rollcall.person", "other.person.k", "rollcall.person.k.more", "rollcall.nobody.k", "rollcall.nobody.o.k",
		"rollcall.desired.o", "rollcall.desired..k", "rollcall.work.o.k", "rollcall.dead.o.k", "rollcall.person.",
		"rollcall.work.o.leaver.k.more", "rollcall.directory.hr.person", "rollcall.health.o.k", "rollcall.config.k", "rollcall.beat",
	} {
		if got, err := events.ParseSubject(subject); err == nil {
			t.Errorf("%q is accepted as %+v", subject, got)
		}
	}
}

// matches says whether a NATS subject falls under a pattern.
func matches(pattern, subject string) bool {
	p, s := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, token := range p {
		if token == ">" {
			return len(s) > i
		}
		if i >= len(s) || token != "*" && token != s[i] {
			return false
		}
	}
	return len(p) == len(s)
}

// TestEverySubjectIsInOneStream also sees to it that no filter of a consumer
// matches a scheduled retry: it would be handled before it is due.
func TestEverySubjectIsInOneStream(t *testing.T) {
	t.Parallel()
	const org, key = "production", sampleKey
	bound := append(events.RosterSubjects(), events.DirectoryAll, events.DeadAll, events.OperatorAll)
	for _, subject := range []string{
		events.DirectorySubject("hr", events.KindGroup), events.PersonSubject(key), events.GroupSubject(key),
		events.DesiredSubject(org, key), events.WorkSubject(org, events.LaneChange, key), events.LinkSubject(org, key),
		events.OwnerSubject(org, "005000000000001AAA"), events.OutcomeSubject(org, key), events.RetrySubject(org, key),
		events.DiscardedSubject(org, key), events.RejectionSubject(1), events.ReconsiderSubject(1), events.HealthSubject(org), events.CheckSubject(org),
		events.ConfigurationSubject(), events.SweepSubject(), events.BeatSubject(1),
		events.HeldSubject(org, key), events.GuardSubject(org), events.ReleaseSubject(org, key),
		events.DeadSubject(org, events.CauseLicence, key), events.OperatorSubject(events.VerbRetry),
	} {
		n := 0
		for _, pattern := range bound {
			if matches(pattern, subject) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is bound %d times, want once", subject, n)
		}
	}
	filters := []string{events.OutcomesAll, events.RejectionsAll, events.ReconsiderAll, events.HealthAll, events.PersonsAll}
	for _, lane := range events.Lanes() {
		filters = append(filters, events.WorkFilter(org, lane))
		if !matches(events.WorkFilter(org, lane), events.WorkSubject(org, lane, key)) {
			t.Errorf("no consumer reads the work of lane %s", lane)
		}
	}
	for _, filter := range filters {
		if matches(filter, events.RetrySubject(org, key)) {
			t.Errorf("%s matches a scheduled retry", filter)
		}
	}
}

func TestDeadFilter(t *testing.T) {
	t.Parallel()
	subject := events.DeadSubject("production", events.CauseLicence, sampleKey)
	for filter, want := range map[string]bool{
		events.DeadFilter("", "", ""):                                   true,
		events.DeadFilter("production", "", ""):                         true,
		events.DeadFilter("", events.CauseLicence, ""):                  true,
		events.DeadFilter("", "", sampleKey):                            true,
		events.DeadFilter("production", events.CauseLicence, sampleKey): true,
		events.DeadFilter("sandbox", "", ""):                            false,
		events.DeadFilter("", events.CauseInvalid, ""):                  false,
	} {
		if got := matches(filter, subject); got != want {
			t.Errorf("%s: got %t, want %t", filter, got, want)
		}
	}
}

func TestCausesAreAllDifferentAndFitInASubject(t *testing.T) {
	t.Parallel()
	all := events.Causes()
	for i, cause := range all {
		if slices.Index(all, cause) != i {
			t.Errorf("%s is listed twice", cause)
		}
		if strings.Trim(string(cause), "abcdefghijklmnopqrstuvwxyz_") != "" {
			t.Errorf("%q cannot stand in a subject", cause)
		}
	}
	var orgWide []events.Cause
	for _, cause := range all {
		if cause.OrgWide() {
			orgWide = append(orgWide, cause)
		}
	}
	if !slices.Equal(orgWide, []events.Cause{events.CauseCredentials, events.CauseThrottled, events.CauseUnavailable}) {
		t.Errorf("org-wide are %q", orgWide)
	}
}
