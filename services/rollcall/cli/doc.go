// Package cli is the command line of `rollcall`: one file per command. Results
// go to standard output, everything else to standard error, so that a script
// can rely on what it reads.
package cli
