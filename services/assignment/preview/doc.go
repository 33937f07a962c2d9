// Package preview says what would become of everybody under another
// configuration, or by the events of a file, before anything does. It works out
// what assignment would ([rules.Rules.Desire], [rules.FoldPerson], [rules.Seal]),
// over the same stored state, and counts instead of committing: it writes
// nothing, and its memory grows with the names in a configuration, not with
// people.
//
// What is still on its way is not in it: events that assignment has not read yet,
// and what a group's event means for its members.
//
//   - preview.go, publication.go: everybody, one person, the events of a file
//   - workout.go: what becomes of one person
//   - compare.go: what differs between two desired states
//   - count.go, org.go: all of them counted, and what the counts are called
//   - limits.go: how much is taken away, against what passes the gate at once
//   - calls.go: how many calls it may cost
package preview
