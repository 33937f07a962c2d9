// Package seal closes tokens before they are stored and opens them again: AEAD
// by tink, under a keyset in a file, with the org's name as associated data.
//
// A value that was moved to another org's entry, or sealed under another
// keyset, does not open: the error says which of the two to look for. Nothing
// in an error of this package quotes what was sealed.
package seal
