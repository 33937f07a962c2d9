// Package store keeps records: objects and their fields, tables with indexes,
// and transactions that check, store and undo. It knows no object by name; what
// only one of them does is in the hooks of its Object.
package store
