// Package up runs all of Rollcall in one process: the four services, an embedded
// NATS server and, for a demo, a Salesforce org.
package up
