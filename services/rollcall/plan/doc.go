// Package plan says what a changed configuration, or a file, would do: what
// [preview] works out of the stored state, which configuration is in force, and
// what the orgs say of names and seats. It sends nothing and writes nothing.
package plan
