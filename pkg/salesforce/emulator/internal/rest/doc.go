// Package rest answers data calls: records, collections, composites, queries,
// and what there is.
package rest
