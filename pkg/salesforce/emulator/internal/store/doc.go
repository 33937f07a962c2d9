// Package store keeps records: objects and their fields, tables with indexes,
// and transactions that check, store and undo. It knows no object by name; what
// only one of them does is in the hooks of its Object.
//
// # Where is what
//
//   - schema.go, columns.go: objects and fields
//   - data.go: the rows of an org
//   - access.go: field-level security
//   - table.go: rows and indexes
//   - id.go: ids
//   - tx.go: transactions
//   - draft.go: a record on its way in
//   - input.go: what was sent for one record
//   - convert.go: what was sent, as a value
//   - related.go: references by another key
//   - upsert.go: records by another key
//   - outcome.go, errors.go: what became of a record
package store
