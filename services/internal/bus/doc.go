// Package bus is the only importer of JetStream. It offers the few operations
// Rollcall's correctness rests on and hides the traps around them:
//
//   - [Bus.Latest]: the newest message of many subjects in one request, all of
//     the answer or an error
//   - [Bus.Commit]: many people's changes in one durable atomic batch, each
//     person's compare-and-set judged for itself, lost replies settled by the
//     mark of the batch (decision 0016)
//   - [Bus.Feed]: work in batches from a durable consumer, whose acks are hints
//
// Acks are hints because an R1 server forgets up to 100 ms of them when it is
// killed; everything that must be remembered is in a committed message.
package bus
