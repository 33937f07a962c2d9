// Package retry decides what becomes of a failure. It is a function of the
// outcome: cause and attempt, looked up in one table ([Policies]), say whether
// the person is looked at again at a time (a scheduled message) or parked (a
// dead letter). It also does what admins ask for, retry and discard, passes on
// what they decide about what is held, and closes a dead letter when a newer
// revision succeeds.
//
// It keeps no state of its own. Everything is done in an order in which a crash
// between any two steps, and a redelivery after it, comes to the same end:
//
//   - park: write the new dead letter, remove the one it replaces, acknowledge
//   - close: write the audit entry, remove the dead letter, acknowledge
//   - retry: write the audit entry, publish work, acknowledge
//   - discard: store the letter again for the request, write the audit entry, write
//     the marker, remove, acknowledge
//   - release, reject: write the audit entry, write the decision, acknowledge
//
// A schedule left behind is harmless: work carries no instruction. What a killed
// NATS server brings back is swept up (decision 0014).
package retry
