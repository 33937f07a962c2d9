// Package push makes people in Salesforce as they are desired.
//
// Work only names a person. A step takes up to 200 of one org and lane, reads
// the newest desired state and link of all at once, claims them, asks
// [plan.Person.Next] what each needs, meets one need of everybody after the other
// in the smallest set of API calls, commits link and outcome of each in one
// batch, and acks. Whatever is interrupted anywhere converges when the person is
// looked at again.
//
// # Where is what
//
//   - push.go: the service
//   - pause.go: what is left alone because an admin said so
//   - org.go: the loop of one org
//   - self.go: whom Rollcall signs in as
//   - step.go: one step, from messages to acks
//   - batch.go: need after need, until nobody needs anything
//   - task.go: a person with the messages and the claim that go with them
//   - ledger.go, commit.go: what is written to ROSTER before and after the calls
//   - turn.go: when busy people are looked at again
//   - call.go, halt.go: what every API call has to respect, and what ends a step
//   - spoilt.go: whose trouble it is that a whole call is refused
//   - takeover.go: users that pass from one person to another
//   - names.go, correlate.go, create.go, update.go, rename.go, freeze.go, assign.go, job.go:
//     the API calls, a file for each kind
//   - bulk.go, ingest.go: a large first load, beside the loop
//   - config.go, metrics.go, trace.go: what is configured, counted and traced
//
// The decisions are in package plan, what holds a whole org in package health.
//
// # What it never does
//
// It never sends a request later than its claim allows, never creates where the
// match is ambiguous, never touches a protected user or one that belongs to
// another person, never takes away what Rollcall has not given, and never
// decides what follows from a failure: that is retry-scheduler's.
package push
