// Package keyring makes the secrets of an installation: keys, nkeys and a
// private certificate authority. It makes what is missing and replaces nothing;
// it keeps others out of the folder and lets containers read what is mounted.
package keyring
