// Package org is one org: its configuration, the objects it has and the rules
// of each, seats, denials, and what an administrator does to it by hand. A Set
// has the orgs of a server.
//
// # Where is what
//
//   - config.go, custom_field.go: what an org is made from
//   - org.go: an org
//   - place.go: where an org is reached, and what it leaves behind that moves
//   - set.go: the orgs of a server, usernames among them
//   - seed.go: a new org from its configuration
//   - snapshot.go: orgs on disk
//   - refresh.go: another org behind the same name
//   - hand.go: what is done by hand
//   - access.go: permission sets, groups and licences of a user, by names
//   - flow.go: what the org does by itself when a user is deactivated
//   - objects.go, user.go: the objects of an org
//   - user_rules.go: what only User does
//   - assignment_rules.go: what only assignments and memberships do
//   - permissions.go: what profiles and permission sets permit
//   - permission_access.go: the object in which callers read their rights
//   - seats.go: licences and who takes them
//   - denials.go: rights and policies that stand in the way
//   - usage.go: API calls of 24 hours
package org
