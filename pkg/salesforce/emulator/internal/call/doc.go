// Package call is one request on its way: who asks which org, whether it is let
// in, the fault that strikes it, its answer and its entry in the journal. What
// the request is for is a Route, whose work is in other rooms.
//
// # Where is what
//
//   - call.go: a call, and the steps that all share
//   - gate.go: what stands before data calls
//   - left.go: addresses that an org has left
//   - about.go: who asks whom; the journal and the fault plan see this
//   - body.go: what was sent
//   - tx.go: locks and transactions
//   - part.go: calls that are parts of others
//   - route.go: what a call is for; API versions
//   - later.go: calls that get no answer and are applied later
//   - send.go: headers, and the answer on its way out
package call
