// Package salesforce is a client of the Salesforce REST API for provisioning:
// users, their permission sets, groups and licences.
//
// It reads every answer with suspicion, because an error misread is a person
// wrongly shut out, or created twice:
//
//   - each record of a collection is judged by its own verdict; an answer that
//     is torn, over-long, of another length or in another order is an error,
//     never a success;
//   - each error is an *Error with a Class to act on and an Outcome that says
//     whether something may have been changed;
//   - nothing is repeated by itself, apart from one re-authentication after
//     Salesforce definitely refused the session;
//   - a token goes to the host it was issued for and nowhere else: no redirect
//     is followed, and hosts are held to an allow-list;
//   - texts of errors are fit for logs: they hold no values, ids or tokens.
//
// A Client needs Sessions. SessionsFrom makes them of an OAuth flow; a program
// that keeps its tokens elsewhere implements the two methods itself.
//
// Where a behaviour of Salesforce matters, the comment has a mark that says how
// it is known: [R] recorded from a real org, [D] Salesforce's documentation or
// official source, [C] source of a client that works, [S] secondary, [U]
// assumed.
package salesforce
