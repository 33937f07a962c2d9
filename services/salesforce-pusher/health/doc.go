// Package health keeps what Salesforce last said of an org as a whole. All
// replicas share it in ROSTER: while it says held, nobody fetches work, and one
// replica at a time tries whether the org is back. ADR 0005.
//
// # Where is what
//
//   - health.go: the record, and its compare-and-set
//   - report.go: trouble comes
//   - probe.go: trouble goes
//   - write.go: whether the org takes changes
//   - trouble.go: which errors are trouble of the whole org
//   - sessions.go: the org's tokens, for the client
//   - rights.go: what the integration user may do
//   - usage.go: the API calls used
//   - config.go, metrics.go: how a held org is tried again, and what is counted
package health
