// Package emulator is a Salesforce org, or several, as an http.Handler: OAuth,
// sObject REST, SOQL, composite and collection calls, Bulk API 2.0, users with
// their licences, permission sets and groups, planned faults, and a journal of
// every request.
//
// It answers as recorded answers do. Comments carry the mark of their source:
// [R] recorded from a real org, [D] documented by Salesforce, [C] required by
// code that works against the service, [S] second-hand, [U] an assumption. All
// assumptions are listed in docs/emulator.md. A test may claim faithfulness on
// the first three only.
//
//	server := emulator.New()
//	org := server.AddOrg(emulator.DefaultOrg("client", "secret"))
//	web := httptest.NewServer(server)
//
// Sign in at web.URL + /services/oauth2/token, plan faults and read the journal
// with the Go methods or under /_emulator/.
//
// # Where is what
//
// This package is the public face: servers, orgs, the resources under
// /_emulator/, and the names of types that live below. A call goes through
// internal/call to one of oauth, rest and bulk; they work on an org, and nothing
// below knows what is above it.
//
//   - internal/wire: JSON, instants, errors, an answer not sent yet
//   - internal/store: objects and fields, tables, transactions, ids
//   - internal/soql: queries: words, tree, plan, rows
//   - internal/auth: connected apps, codes, refresh tokens, sessions
//   - internal/org: configuration, the objects of an org and their rules, seats,
//     denials, what is done by hand, saving and loading
//   - internal/journal: every request, and counters
//   - internal/late: calls that got no answer and are applied later
//   - internal/faults: planned misbehaviour, hostility, presets
//   - internal/call: one request: host, admission, fault, answer, journal
//   - internal/oauth: the token endpoint, the browser leg, identity
//   - internal/rest: records, collections, composites, queries, describes
//   - internal/bulk: jobs of Bulk API 2.0
//   - internal/faultdoc: writes docs/emulator-faults.md
//   - shapetest: compares answers with recorded ones
//
// Here:
//
//   - server.go: servers and their options
//   - serve.go: which of the rooms a request is for
//   - server_faults.go: the fault plan, hostility
//   - late.go: what waits to be applied late
//   - journal.go: the journal and its counters
//   - snapshot.go: saving and loading
//   - org.go, org_hand.go: an org, and what is done to it by hand
//   - org_refresh.go, org_move.go: another org behind the same name; the same one
//     at another address
//   - org_signin.go: its apps, tokens and sessions
//   - org_query.go, org_users.go, state.go: what it holds
//   - admin.go, admin_org.go, admin_hand.go, admin_late.go: the same under /_emulator/
//   - api.go, api_faults.go, api_org.go: names of types that live below
package emulator
