// Package rest answers data calls: records, collections, composites, queries,
// and what there is.
//
// # Where is what
//
//   - rest.go: the API and its kinds of calls
//   - route.go: routes, versions
//   - record.go, upsert.go: one record
//   - conditional.go: preconditions
//   - changes.go: what changed between two moments
//   - collections.go: up to 200 records
//   - composite.go, composite_reference.go: calls with parts that refer to each other
//   - batch.go: calls with parts that do not
//   - query.go: queries and their cursors
//   - describe.go: what there is, and what the caller may
//   - limits.go: limits
package rest
