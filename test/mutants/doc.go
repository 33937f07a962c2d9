// Mutants breaks the code on purpose, one place at a time, and sees whether the
// tests notice: a rule that can be taken out without a test failing is one that
// the next change takes out. It is no part of a program that ships.
//
//	make mutants                # all of them
//	make mutants MUTANTS=plan   # those with plan in their name or file
//
// A mutant is a file, a text that stands in it once, what stands there instead,
// and the tests that have to fail then. It is compiled by an overlay, so the tree
// stays as it is, whatever ends a run. A mutant whose text is not there any more,
// or that does not compile, fails make check: bring it up to date, or take it out
// where the rule is gone. One that survives wants a test; one that cannot be
// noticed, for the program does the same with it, is none.
//
// # Where is what
//
//   - main.go: which mutants, how many at once, the table
//   - mutant.go: what a mutant is
//   - patch: how it is put in, and whether it compiles, for all who break the code
//   - try.go: the tests of one mutant, and what came of them
//   - check.go: whether all of them fit the code, without running a test
//   - all.go and the list of each room: plan.go, push.go, health.go, retry.go,
//     assign.go, refresh.go, handover.go, checkroom.go, privilege.go
package main
