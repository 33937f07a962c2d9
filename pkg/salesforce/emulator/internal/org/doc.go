// Package org is one org: its configuration, the objects it has and the rules
// of each, seats, denials, and what an administrator does to it by hand. A Set
// has the orgs of a server.
package org
