// Package push makes people in Salesforce as they are desired.
//
// Work only names a person. A step takes up to 200 of one org and lane, reads
// the newest desired state and link of all at once, claims them, makes the
// smallest set of API calls, judges every record by its own result, commits
// link and outcome of each in one batch, and acks. Whatever is interrupted
// anywhere converges when the person is looked at again.
//
// # Where is what
//
//   - push.go: the service and the loop of one org
//   - step.go: one step, from messages to acks
//   - claim.go, commit.go: what is written to ROSTER before and after the calls
//   - match.go, plan.go, judge.go: the decisions, without I/O
//   - lookup.go, catalogue.go, create.go, update.go, assign.go: the API calls, by phase
//   - call.go: what every API call has to respect
//   - hold.go: trouble of a whole org
//   - cause.go: Salesforce's classes of error as causes
//
// # What it never does
//
// It never sends a request later than its claim allows, never creates where the
// match is ambiguous, never touches a protected user or one that belongs to
// another person, never takes away what Rollcall has not given, and never
// decides what follows from a failure: that is retry-scheduler's.
package push
