// Package assign works out what every person should have in every Salesforce
// org: it folds DIRECTORY's events into [events.PersonState] and
// [events.GroupState], and keeps one [events.Desired] per person and org.
//
// # Folding
//
// A source's events about one person are folded one by one:
//
//   - where the folded event and the new one both carry sourceversion, the
//     newer version wins whatever order they came in, and an equal one changes
//     nothing: an old export cannot undo a new one
//   - otherwise the higher sequence in DIRECTORY wins: a redelivery changes nothing
//   - a sourceversion that changes between a number and a time is refused
//
// # Merging
//
// A person is what the sources say of them that have not removed them. Each
// attribute is taken from the first source that speaks of it (has it, and not
// empty), in the order that config's precedence gives for the attribute's path,
// else for the path's first part ("name", "enterprise", "custom"), else for
// "*"; sources that the order does not name follow in alphabetical order. A
// list (emails, phoneNumbers, …) is taken whole from one source.
//
// "active" follows the same order. Where no source speaks of it the person is
// active; a person whom every source has removed is not.
//
// # Desired state
//
// A person who is not active, or whom no rule matches, is a leaver in every org
// that had a Desired for them: no field is evaluated, so nobody's deactivation
// waits for a mapping, and the values an existing user is recognised by are
// kept. Where there was none before, none is written.
//
// An expression that fails for one person becomes that Desired's Problem, with
// the expression and the attributes it looked at: nothing is sent for them, and
// nobody else is concerned. That holds for a rule's condition too: a condition
// that cannot be decided is not false.
//
// A Desired that has not changed is not written, and makes no work.
//
// # Committing
//
// One person's state, desired states and work are one group of one atomic
// batch: the person and each desired guarded by compare-and-set, so that any
// number of replicas may run. A desired is never written without its person, so
// the guard on the person is a guard on everything it was worked out from. An
// event is acked after its commit, and not before.
//
// A group's event changes its members first and the group last: a crash in
// between repeats the rest.
package assign
