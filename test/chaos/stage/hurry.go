package stage

import "github.com/rollcall-sync/rollcall/test/mutants/patch"

// Hurry makes the services wait less than in an installation, so that a run of half
// a minute sees what takes an hour there. Every proportion stays: a call is applied
// late within [plan.LateWithin], the services reckon with more, and a claim ends before.
func Hurry() []patch.Patch {
	const push, retry, bus = "services/salesforce-pusher/push/", "services/retry-scheduler/retry/", "services/internal/bus/"
	hurry := func(file, old, shorter string) patch.Patch {
		return patch.Patch{Name: "hurry: " + old, File: file, Old: old, New: shorter}
	}
	return []patch.Patch{
		hurry(push+"config.go", "lateFor = 10 * time.Minute", "lateFor = 6 * time.Second"),
		hurry("services/salesforce-pusher/check/round.go", "overdueAfter = 30 * time.Second", "overdueAfter = 6 * time.Second"),
		hurry(bus+"topology.go", "ackWait = 30 * time.Second", "ackWait = 4 * time.Second"),
		hurry(retry+"policy.go", "backoff.WithInitialInterval(p.First)", "backoff.WithInitialInterval(p.First / 10)"),
		hurry(retry+"policy.go", "backoff.WithMaxInterval(p.Max)", "backoff.WithMaxInterval(p.Max / 200)"),
		hurry(retry+"config.go", "c.Sweep = 15 * time.Second", "c.Sweep = 3 * time.Second"),
		hurry(retry+"sweep.go", "const overdue = 10 * time.Second", "const overdue = 2 * time.Second"),
		hurry("services/salesforce-pusher/health/config.go", "Daily: time.Minute, Concurrent: time.Second, Outage: 2 * time.Second", "Daily: time.Second, Concurrent: 200 * time.Millisecond, Outage: 300 * time.Millisecond"),
		hurry("services/salesforce-pusher/health/config.go", "Max: 10 * time.Minute", "Max: 2 * time.Second"),
	}
}
