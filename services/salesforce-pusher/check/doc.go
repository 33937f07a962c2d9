// Package check reads what Salesforce really has, and says of whom it is not what
// Rollcall left there.
//
// Once in an interval and org, one of all replicas spends one API call: who was
// changed since the last one, and a page of everybody Rollcall gave a user. What
// was deleted (an assignment that was taken away) leaves nothing that a query
// finds, so it is only seen in the round of pages, whose length is the promise.
//
// It changes nothing in Salesforce. Whoever has to be put right is noted in their
// link, with work beside it in one batch; package push reads them anew and sends
// the difference.
//
//   - compare.go: one person, what was seen of them, and what follows: no calls
//   - ask.go: what is asked of Salesforce, and what the answers mean
//   - round.go: how far the round is, and whom it compares next
//   - check.go: the turns of replicas, and one turn
//   - raise.go: what is written of people
//   - config.go, metrics.go: what is configured and counted
package check
