// Package auth keeps who may sign in to one org, and who has: connected apps,
// authorization codes, refresh tokens and sessions. It knows neither HTTP nor
// users beyond their ids.
package auth
