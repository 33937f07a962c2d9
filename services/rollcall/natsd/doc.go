// Package natsd runs a NATS server inside the process, with the settings on
// which Rollcall's promises rest: JetStream on disk and every write synced.
package natsd
