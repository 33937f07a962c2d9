// Package faults plans misbehaviour: which call or record it strikes, how often,
// and what the answer is then. It knows a call as a Subject only.
//
// # Where is what
//
//   - fault.go: faults and effects
//   - preset.go: refusals that one word plans
//   - plan.go: what is planned, and whom it strikes
//   - match.go: whether a fault is about a call or a record
//   - active.go: what a fault does to a call
//   - hostility.go: misbehaviour without a plan
package faults
