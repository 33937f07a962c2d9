// Package tokens reads an org's token as token-refresher keeps it: it watches
// the org's entry in the tokens bucket, opens it, and hands out sessions. It
// never talks to the token endpoint; a token that Salesforce refuses is
// reported through the org's health, and Renew waits for what comes of it.
package tokens
