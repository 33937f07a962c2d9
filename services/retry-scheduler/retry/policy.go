package retry

import (
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

//go:generate go run ../failuresdoc -o ../../../docs/failures.md

// jitter spreads people who failed together over this part of the delay, to
// both sides.
const jitter = 0.2

// Policy is what is done about one cause, and what an admin is told of it.
type Policy struct {
	Cause events.Cause
	// Attempts is how many failures in a row at one revision are retried and
	// then parked: 1 parks at once. Meaningless where Park is false.
	Attempts int
	// First is the delay after the first failure; each next one is Multiplier
	// times as long, up to Max. All are spread by jitter.
	First      time.Duration
	Multiplier float64
	Max        time.Duration
	// Park is false for trouble of a whole org: nobody is parked for it.
	Park bool

	// Title names the cause in three to six words.
	Title string
	// Meaning says what happened, Remedy what an admin should do.
	Meaning string
	Remedy  string
	// RemedySignal is what shows that the remedy was applied.
	RemedySignal string
}

// Delay returns how long to wait after the given failure in a row, 1 for the
// first, with jitter.
func (p Policy) Delay(attempt int) time.Duration {
	b := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(p.First),
		backoff.WithMultiplier(p.Multiplier),
		backoff.WithMaxInterval(p.Max),
		backoff.WithRandomizationFactor(jitter),
		backoff.WithMaxElapsedTime(0),
	)
	delay := b.NextBackOff()
	for n := 1; n < min(attempt, p.Attempts); n++ {
		delay = b.NextBackOff()
	}
	return delay
}

// retries says whether the given failure in a row is followed by another attempt.
func (p Policy) retries(attempt int) bool { return !p.Park || attempt < p.Attempts }

// PolicyOf returns the policy for a cause. A cause from a newer version, which
// the table does not know, is treated as [events.CauseUnknown].
func PolicyOf(cause events.Cause) Policy {
	var fallback Policy
	for _, p := range Policies() {
		if p.Cause == cause {
			return p
		}
		if p.Cause == events.CauseUnknown {
			fallback = p
		}
	}
	return fallback
}

// orgWide is the schedule of a person whose org is in trouble. The pusher holds
// the org and reports nobody; should it report somebody all the same, they are
// looked at again without being counted.
func orgWide(p Policy) Policy {
	p.First, p.Multiplier, p.Max = 30*time.Second, 1, 30*time.Second
	return p
}

// retried is the schedule of a cause that often passes by itself.
func retried(attempts int, first time.Duration, multiplier float64, limit time.Duration, p Policy) Policy {
	p.Attempts, p.First, p.Multiplier, p.Max, p.Park = attempts, first, multiplier, limit, true
	return p
}

// parked is the schedule of a cause that stays until somebody changes something.
func parked(p Policy) Policy {
	p.Attempts, p.Multiplier, p.Park = 1, 1, true
	return p
}

// Policies is the table, in the order of the documentation.
func Policies() []Policy {
	return append(append(orgWidePolicies(), retriedPolicies()...), parkedPolicies()...)
}

func orgWidePolicies() []Policy {
	return []Policy{
		orgWide(Policy{
			Cause:        events.CauseCredentials,
			Title:        "Salesforce refuses Rollcall's sign-in",
			Meaning:      "The token or the credentials behind it were refused, or the integration user lost a right it needs for everybody. The whole org is held; nobody is parked and no attempt is counted.",
			Remedy:       "Read the reason in `rollcall status`, then correct the client id, the secret file, the integration user or the app's settings in Salesforce. No restart is needed.",
			RemedySignal: "The token endpoint grants a token, or the configured credentials change.",
		}),
		orgWide(Policy{
			Cause:        events.CauseThrottled,
			Title:        "API limit of the org reached",
			Meaning:      "The org's daily or concurrent API limit is used up. The whole org is held; nobody is parked and no attempt is counted.",
			Remedy:       "Wait: the daily limit is a rolling 24 hours. If it comes back, see in Salesforce's System Overview who uses the calls, or raise the limit.",
			RemedySignal: "A probe succeeds.",
		}),
		orgWide(Policy{
			Cause:        events.CauseUnavailable,
			Title:        "Salesforce cannot be reached",
			Meaning:      "An outage, a maintenance window or the network. The whole org is held; nobody is parked and no attempt is counted.",
			Remedy:       "Look at status.salesforce.com for the instance, and at the way out of your own network.",
			RemedySignal: "A probe succeeds.",
		}),
	}
}

func retriedPolicies() []Policy {
	return []Policy{
		retried(8, 2*time.Second, 2, 2*time.Minute, Policy{
			Cause:        events.CauseLocked,
			Title:        "Record locked in Salesforce",
			Meaning:      "Another transaction in Salesforce held a lock on the user, or on a role or group above it.",
			Remedy:       "Retry when large role, group or sharing changes in the org have finished. If it stays, look for a job that updates users all the time.",
			RemedySignal: "An attempt succeeds.",
		}),
		retried(6, 5*time.Second, 3, 10*time.Minute, Policy{
			Cause:        events.CauseTimeout,
			Title:        "No answer in time",
			Meaning:      "Salesforce did not answer in time, several times, for this person though not for others. Before each attempt Rollcall looks whether the one before had been applied.",
			Remedy:       "See what runs in the org when this user is saved (flows, triggers), then retry.",
			RemedySignal: "An attempt succeeds.",
		}),
		retried(5, 10*time.Second, 3, 15*time.Minute, Policy{
			Cause:        events.CauseUnknown,
			Title:        "An answer Rollcall has no word for",
			Meaning:      "Salesforce answered with an error that is in no table of Rollcall's.",
			Remedy:       "Read Salesforce's own words in the dead letter; with an error id, its support can say more. Retry when it is settled.",
			RemedySignal: "An attempt succeeds.",
		}),
		retried(10, 5*time.Second, 2.5, 15*time.Minute, Policy{
			Cause:        events.CauseWaiting,
			Title:        "The username or the user is not free yet",
			Meaning:      "The username is that of another person of Rollcall's, who is to get another one and has not got it yet. Salesforce's words are followed by who that is. Or the user who fits belongs to another number, which has not left yet or is being worked on.",
			Remedy:       "See why the other person is not renamed, or has not left (`rollcall person show`), mend that, then retry this one.",
			RemedySignal: "The other person is applied.",
		}),
		retried(8, 10*time.Second, 2.5, 15*time.Minute, Policy{
			Cause:        events.CauseNotConfigured,
			Title:        "The pusher's configuration gives nobody this",
			Meaning:      "A profile, role, permission set or group is desired that the configuration salesforce-pusher runs with does not name. Nothing of it is given. While a new configuration is rolled out, assignment may be ahead for a while, and this passes by itself. Otherwise the replicas run with different configurations, or somebody else wrote the desired state.",
			Remedy:       "Give salesforce-pusher the configuration that assignment has (`rollcall doctor`, config.in-force), then retry. If no configuration of yours has the name, find out who can write to NATS, let assignment work the person out anew, and do not add the name.",
			RemedySignal: "The configuration of salesforce-pusher has the name.",
		}),
	}
}
