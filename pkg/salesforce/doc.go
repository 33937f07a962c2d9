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
// # Signing in
//
// An OAuth obtains tokens, by client credentials, refresh token, authorization
// code with PKCE, or JWT bearer. A Client needs Sessions: SessionsFrom makes
// them of one of these flows; a program that keeps its tokens elsewhere
// implements the two methods itself. See the examples of NewClient, OAuth and
// Sessions.
//
// # Which call
//
// For one record: Create, Read, Update, Upsert, Delete. For many of one object:
// CreateRecords, UpdateRecords, DeleteRecords, 200 to an API call. For many
// thousands: BulkIngest. To find people by any of several keys: QueryIn. For
// steps that depend on each other: Composite.
//
// # Errors
//
// There are two places to look. The error of a call that deals with many
// records speaks of the call: it was refused, or its answer cannot be believed.
// Result.Err speaks of one record. Both hold an *Error; switch on its Class, and
// before repeating anything look at its Outcome:
//
//	results, err := client.CreateRecords(ctx, "User", people)
//	var e *salesforce.Error
//	if errors.As(err, &e) && e.Outcome == salesforce.MaybeApplied {
//		// some of people[len(results):] may exist: look before creating again
//	}
//	for i, r := range results {
//		if err := r.Err(); err != nil {
//			// people[i] was refused, the others are made
//		}
//	}
//
// Tokens have errors of their own, *TokenError, because other people mend them.
//
// # Marks
//
// Where a behaviour of Salesforce matters, the comment has a mark that says how
// it is known: [R] recorded from a real org, [D] Salesforce's documentation or
// official source, [C] source of a client that works, [S] secondary, [U]
// assumed.
package salesforce
