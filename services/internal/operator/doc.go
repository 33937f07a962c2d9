// Package operator holds what an admin can do and see: parked people, requests to
// retry or discard, what came of them, the audit log, one person's story, and how
// everything stands. It returns data and prints nothing: the command line, the
// only one today, and any console act through it and come to the same answers.
//
// It changes nothing by itself. A request is an entry of the audit log, which
// retry-scheduler acts on.
package operator
