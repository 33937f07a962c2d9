// Package conformance holds the emulator against others: the same full life of
// a user through the project's own client and through one that was written for
// the real service, and a list of plain HTTP steps that runs on the emulator
// always and on a real org when one is given. docs/conformance.md says how.
package conformance
