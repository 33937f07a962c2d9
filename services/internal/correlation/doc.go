// Package correlation reads the value that names a person across sources, and
// compares it as HR means it: a source may declare what its ids look like, and
// how one id may be written in several ways. assignment and `rollcall publish`
// judge by the same words.
package correlation
