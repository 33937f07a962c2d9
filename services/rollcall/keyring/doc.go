// Package keyring makes the secrets of an installation: keys, nkeys and a
// private certificate authority. It makes what is missing and replaces nothing.
package keyring
