// Package assign keeps what every person should have in every Salesforce org: it
// takes DIRECTORY's events, has package rules fold them into [events.PersonState]
// and [events.GroupState] and work out one [events.Desired] per person and org,
// and commits what comes of it.
//
// # Where is what
//
//   - assign.go: the service and its loops
//   - step.go, incoming.go: one batch of events, from messages to acks
//   - change.go: a person's change, read, worked out and committed
//   - gated.go: what a change takes, judged and counted by package gate
//   - foresight.go: what is known of changes that are still to come
//   - burst.go: what else was published with an event
//   - release.go: what operators decide about what is held
//   - groups.go: a group's event, and its members
//   - reject.go, reconsider.go: what cannot be understood, and is read again
//   - unreadable.go: stored state that cannot be read, and whom it keeps waiting
//   - aside.go: what waits of a source that is paused
//   - sweep.go: everybody, once after every switch of the configuration
//   - config.go, metrics.go: what it is given, and what it counts
//
// # Committing
//
// One person's state, desired states and work are one group of one atomic
// batch: the person and each desired guarded by compare-and-set, so that any
// number of replicas may run. A desired is never written without its person, so
// the guard on the person is a guard on everything it was worked out from. An
// event is acked after its commit, and not before.
//
// Before that, what a change takes from people is judged by package gate. The
// counters of the orgs are written in the same batch, by compare-and-set, and a
// batch is judged once more on the counters that it replaces: so neither a crash
// nor any number of replicas lets more through than a limit, or counts anybody
// twice.
//
// A group's event changes its members first and the group last: a crash in
// between repeats the rest. Each state of the group has a revision, and a
// membership that of the state that said so: what is still written for an older
// state does not undo a newer one.
//
// Every commit names the configuration in force, and nothing is stored once
// another one is: see package register. What a replica had in hand then is put
// back, for one with the newer configuration.
//
// State of a version that this program does not know is left to a replica that
// does: the event is put back, and nothing is written.
package assign
