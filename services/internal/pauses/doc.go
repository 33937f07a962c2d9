// Package pauses says of what nothing is to be taken. An admin pauses an org, a
// lane or a source, retry-scheduler keeps the table, and whoever takes messages
// asks here first.
package pauses
