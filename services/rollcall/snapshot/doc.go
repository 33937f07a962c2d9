// Package snapshot compares an export with what Rollcall knows of its source,
// before anything is published: as the whole of the source it says of everybody
// whom it lacks that they have left, and a file that was cut off says so of
// whomever the cut took.
//
// It decides in three rooms: known.go reads whom the source has, compare.go holds
// the rows against them, and judge.go says what speaks against believing the file.
package snapshot
