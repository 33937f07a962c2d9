// Package oauth answers what is asked without a session: the token endpoint,
// the browser leg, who somebody is, and what a token is good for.
package oauth
