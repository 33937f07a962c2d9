// Package gate judges what is taken away. Events and configuration are believed
// as long as they take little; what takes from more people than a limit is held,
// and nothing else: [events.Desired] then has the held aspect as before.
//
// It is pure: it knows no bus and no clock. A [Counter] is
// opened on what is stored of an org, judges the people of one batch one after the
// other, and is stored with them. Judged again on a counter that somebody else has
// moved meanwhile, the same batch may come to another verdict: whoever commits asks
// again, and goes by the last answer.
//
// # Where is what
//
//   - aspect.go: what a wish takes, and a wish with one aspect as before
//   - limits.go: how much is let through
//   - counter.go: what is counted, over two windows
//   - judge.go: one person in one org
//   - undo.go: there and back again
//
// # The rules
//
//   - What counts is a person from whom something is taken or changed, once for
//     each aspect. What is given counts nothing, and is not held by this package,
//     but where its own aspect is.
//   - Each cause (the configuration, a source, a group) has limits of its own over
//     a short and a long window, and all causes together have one. Percentages are
//     of those who were active at the window's start.
//   - A cause that goes over a limit in an aspect has a hold open there. While
//     anybody is in it, whatever else it takes in that aspect joins them: what the
//     window gives back is no reason to go on.
//   - Who goes back and forth is counted once in the short window, and what gives
//     back what was taken within the long one takes nothing.
//   - A wish that is held stays so, whatever the limits are by then, until an
//     operator decides or there is no such wish any more.
package gate
