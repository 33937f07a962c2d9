// Package integration runs the whole system as an operator would: every service
// as its own process, a real NATS server and the Salesforce emulator, spoken to
// only through the command line and HTTP.
package integration
