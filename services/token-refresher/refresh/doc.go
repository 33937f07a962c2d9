// Package refresh keeps each org signed in: it alone talks to Salesforce's
// token endpoint, and writes what came of it into the tokens bucket, where the
// pusher watches it.
//
// # One request at a time
//
// Any number of replicas may run and any number of workers complain; who asks
// the endpoint is decided by compare-and-set on the org's record. The intent (a
// lease) is stored before the request leaves and the new token before anybody
// uses it. A lease whose holder died runs out, and another takes over.
//
// # When it asks
//
// There is no token yet, the org's health says that the current generation was
// refused, the org's identity in the configuration changed, or the time of a
// retry has come. A refused credential is not asked about again until it
// changes: the files are looked at every few seconds, so that a new secret
// needs no restart.
package refresh
