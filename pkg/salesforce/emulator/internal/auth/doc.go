// Package auth keeps who may sign in to one org, and who has: connected apps,
// authorization codes, refresh tokens and sessions. It knows neither HTTP nor
// users beyond their ids.
//
// # Where is what
//
//   - store.go: refresh tokens and sessions
//   - app.go: connected apps, and changes of them that take effect later
//   - code.go: authorization codes
//   - login_rate.go: how often a user may sign in
//   - look.go: what introspection sees, and what is saved
package auth
