// Package trust says which certificate authorities an org's hosts may show:
// the public ones, and those a configuration names, for a proxy that inspects
// TLS or for an emulated org.
package trust
