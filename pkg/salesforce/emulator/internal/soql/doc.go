// Package soql reads queries and runs them on a store: words, then a tree, then
// a plan in which every name is a field, then rows and how they are written.
//
// # Where is what
//
//   - lex.go: words
//   - ast.go, parse.go: the tree
//   - compile.go: a plan, in which every name is a field
//   - compare.go: conditions
//   - sub.go: queries inside queries
//   - plan.go: rows, by indexes where it can be
//   - group.go: GROUP BY and COUNT
//   - render.go: how rows are written
package soql
