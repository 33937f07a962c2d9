// Package late keeps calls that got no answer until the org applies them: when
// their time has come, or when somebody says so.
//
// # Where is what
//
//   - queue.go: what waits, and in which order it ends
package late
