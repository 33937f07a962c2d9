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
package emulator
