// Package wire reads and writes what goes over the wire: JSON with the places
// of its values, instants, Salesforce's errors, and an answer that is not sent
// yet.
package wire
