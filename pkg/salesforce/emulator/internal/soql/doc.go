// Package soql reads queries and runs them on a store: words, then a tree, then
// a plan in which every name is a field, then rows and how they are written.
package soql
