// Package house holds the tree to what it says of itself: the modules that
// people install are asked for from a module proxy made of the working tree and
// from a tagged clone of it, and READMEs and doc comments name what is there.
// It has tests only; readme beside it writes the libraries' examples into their
// READMEs.
//
// Most of what it reads is outside its module, where go test does not notice a
// change: run it with -count=1, or by make test.
package house

//go:generate go run ./readme ../../pkg/events ../../pkg/salesforce
