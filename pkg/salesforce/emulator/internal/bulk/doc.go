// Package bulk answers Bulk API 2.0: jobs that take rows in, and jobs that query
// them.
package bulk
