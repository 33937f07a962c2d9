// Package bulk answers Bulk API 2.0: jobs that take rows in, and jobs that query
// them.
//
// # Where is what
//
//   - bulk.go: routes, and the jobs of each org
//   - ingest.go: jobs that take rows in
//   - rows.go: CSV, and what becomes of rows
//   - query.go: jobs that query rows
package bulk
