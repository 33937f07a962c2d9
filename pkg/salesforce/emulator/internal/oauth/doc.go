// Package oauth answers what is asked without a session: the token endpoint,
// the browser leg, who somebody is, and what a token is good for.
//
// # Where is what
//
//   - oauth.go: routes, the signing key
//   - token.go: the token endpoint
//   - jwt.go: the JWT flow, id tokens
//   - authorize.go: what people see who sign in
//   - identity.go: who somebody is, what a token is good for
//   - soap.go: the refusal of login()
package oauth
