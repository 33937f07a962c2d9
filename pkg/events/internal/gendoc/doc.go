// Command gendoc writes docs/contract.md from the comments in subjects.go, so
// that the table of who writes and who reads cannot say something else.
package main
