// Package wire reads and writes what goes over the wire: JSON with the places
// of its values, instants, Salesforce's errors, and an answer that is not sent
// yet.
//
// # Where is what
//
//   - json_read.go, json_write.go: JSON
//   - value.go, instant.go: values
//   - apierror.go: errors
//   - response.go: an answer under way
package wire
