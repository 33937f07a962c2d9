package salesforce_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// startOrg stands in for an org: with a real one, LoginURL is its My Domain
// ("https://acme.my.salesforce.com") and AllowLoopbackHTTP is left out.
func startOrg() (client *salesforce.Client, stop func()) {
	web := httptest.NewServer(startEmulator())
	oauth, err := salesforce.NewOAuth(salesforce.OAuthConfig{
		LoginURL: web.URL, ClientID: "consumer key",
		ClientSecret:      func() (string, error) { return "consumer secret", nil },
		AllowLoopbackHTTP: true,
	})
	if err != nil {
		panic(err)
	}
	client, err = salesforce.NewClient(salesforce.Config{
		Sessions: salesforce.SessionsFrom(oauth.ClientCredentials), AllowLoopbackHTTP: true,
	})
	if err != nil {
		panic(err)
	}
	return client, web.Close
}

func startEmulator() *emulator.Server {
	server := emulator.New()
	server.AddOrg(emulator.DefaultOrg("consumer key", "consumer secret"))
	return server
}

func newUser(username, profileID string) salesforce.Record {
	return salesforce.Record{
		"Username": username, "Email": username, "LastName": "Example", "Alias": "example", "ProfileId": profileID, "IsActive": true,
		"TimeZoneSidKey": "Europe/Paris", "LocaleSidKey": "en_US", "EmailEncodingKey": "UTF-8", "LanguageLocaleKey": "en_US",
	}
}

// A client of an org, signed in as the Run-As user of an app.
func ExampleNewClient() {
	org := httptest.NewServer(startEmulator()) // with a real org: its My Domain, and no AllowLoopbackHTTP
	defer org.Close()

	oauth, err := salesforce.NewOAuth(salesforce.OAuthConfig{
		LoginURL:          org.URL,
		ClientID:          "consumer key",
		ClientSecret:      func() (string, error) { return "consumer secret", nil }, // read for each request: the file may change
		AllowLoopbackHTTP: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := salesforce.NewClient(salesforce.Config{
		Sessions: salesforce.SessionsFrom(oauth.ClientCredentials), AllowLoopbackHTTP: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	me, err := client.UserInfo(context.Background())
	fmt.Println(me.Username, err)
	// Output: integration@rollcall.example <nil>
}

// savedTokens hands out a token that was kept, and refreshes it when Salesforce
// refuses it.
type savedTokens struct {
	oauth   *salesforce.OAuth
	refresh string
	current salesforce.Session
}

func (s *savedTokens) Session(ctx context.Context) (salesforce.Session, error) {
	if s.current.AccessToken == "" {
		return s.Renew(ctx, s.current)
	}
	return s.current, nil
}

func (s *savedTokens) Renew(ctx context.Context, _ salesforce.Session) (salesforce.Session, error) {
	grant, err := s.oauth.RefreshToken(ctx, s.refresh)
	if err != nil {
		return salesforce.Session{}, err
	}
	s.refresh = grant.RefreshToken // another one where rotation is on: keep it before using the session
	s.current = salesforce.Session{
		AccessToken: grant.AccessToken, InstanceURL: grant.InstanceURL, OrgID: grant.OrgID, Generation: s.current.Generation + 1,
	}
	return s.current, nil
}

// A program with a store of tokens implements Sessions itself. (One that calls
// from several goroutines guards them with a mutex.)
func ExampleSessions() {
	emulated := startEmulator()
	web := httptest.NewServer(emulated)
	defer web.Close()
	refresh, err := emulated.Orgs()[0].Grant("consumer key", emulator.IntegrationUsername)
	if err != nil {
		fmt.Println(err)
		return
	}
	oauth, err := salesforce.NewOAuth(salesforce.OAuthConfig{
		LoginURL: web.URL, ClientID: "consumer key", AllowLoopbackHTTP: true,
		ClientSecret: func() (string, error) { return "consumer secret", nil },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	tokens := &savedTokens{oauth: oauth, refresh: refresh}
	client, err := salesforce.NewClient(salesforce.Config{Sessions: tokens, AllowLoopbackHTTP: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	emulated.Orgs()[0].ExpireSessions()
	_, err = client.Limits(context.Background())
	fmt.Println(err, tokens.current.Generation)
	// Output: <nil> 1
}

// An upsert by a key of the caller's own may be repeated: the second one
// changes the same user.
func ExampleClient_Upsert() {
	client, stop := startOrg()
	defer stop()
	ctx := context.Background()

	profiles, err := client.Query(ctx, "SELECT Id FROM Profile WHERE Name = "+salesforce.Quote("Standard User"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		result, err := client.Upsert(ctx, "User", "Rollcall_Key__c", "emea/1001", newUser("ada@people.example", profiles[0].ID()))
		fmt.Println(result.Created, err)
	}
	// Output:
	// true <nil>
	// false <nil>
}

// Steps that depend on each other travel in one API call, all or none of them.
func ExampleClient_Composite() {
	client, stop := startOrg()
	defer stop()
	ctx := context.Background()

	profiles, err := client.Query(ctx, "SELECT Id FROM Profile WHERE Name = "+salesforce.Quote("Standard User"))
	if err != nil {
		fmt.Println(err)
		return
	}
	sets, err := client.Query(ctx, "SELECT Id FROM PermissionSet WHERE Name = "+salesforce.Quote("HR_Data"))
	if err != nil {
		fmt.Println(err)
		return
	}
	parts, err := client.Composite(ctx, []salesforce.SubRequest{
		{Method: "POST", URL: "sobjects/User", ReferenceID: "user", Body: newUser("ada@people.example", profiles[0].ID())},
		{Method: "POST", URL: "sobjects/PermissionSetAssignment", ReferenceID: "assignment", Body: map[string]any{
			"AssigneeId": "@{user.id}", "PermissionSetId": sets[0].ID(),
		}},
	}, true)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range parts {
		fmt.Println(p.ReferenceID, p.Status, p.Err == nil)
	}
	// Output:
	// user 201 true
	// assignment 201 true
}

// Every record has its own verdict; the call as a whole has succeeded.
func ExampleClient_CreateRecords() {
	client, stop := startOrg()
	defer stop()
	ctx := context.Background()

	profiles, err := client.Query(ctx, "SELECT Id FROM Profile WHERE Name = "+salesforce.Quote("Standard User"))
	if err != nil {
		fmt.Println(err)
		return
	}
	good := newUser("ada@people.example", profiles[0].ID())
	bad := newUser("not an address", profiles[0].ID())
	results, err := client.CreateRecords(ctx, "User", []salesforce.Record{good, bad})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range results {
		fmt.Println(r.Success, r.Err())
	}
	// Output:
	// true <nil>
	// false salesforce: INVALID_EMAIL_ADDRESS (invalid) on Email: Email: invalid email address: …
}

// Act on the class of an error and on its outcome, never on its text.
func ExampleError() {
	client, stop := startOrg()
	defer stop()

	_, err := client.Read(context.Background(), "User", "005000000000ABCAAA")
	var e *salesforce.Error
	if errors.As(err, &e) {
		fmt.Println(e.Class, e.Outcome, e.OrgWide())
	}
	// Output: not_found not_applied false
}

// QueryIn finds people by any of several keys, in as few calls as the limits
// allow, and returns each of them once.
func ExampleClient_QueryIn() {
	client, stop := startOrg()
	defer stop()

	found, err := client.QueryIn(context.Background(), salesforce.InQuery{
		Fields: []string{"Username", "Profile.Name"},
		From:   "User",
		Any: []salesforce.InTerm{
			{Field: "FederationIdentifier", Values: []string{"E1001", "E1002"}},
			{Field: "Username", Values: []string{"integration@rollcall.example", "o'brien@people.example"}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, user := range found {
		fmt.Println(user.String("Username"), "-", user.String("Profile.Name"))
	}
	// Output: integration@rollcall.example - System Administrator
}

// Large loads go through the Bulk API: a handful of calls for any number of
// records, and results matched on a column.
func ExampleClient_BulkIngest() {
	client, stop := startOrg()
	defer stop()
	ctx := context.Background()

	me, err := client.UserInfo(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	job, results, err := client.BulkIngest(ctx, salesforce.BulkLoad{
		Object: "User", Operation: salesforce.BulkUpdate, MatchColumn: "Id", Columns: []string{"Id", "Title"},
		Records: []salesforce.Record{{"Id": me.UserID, "Title": "Robot"}},
		// Without a Delay: one second, two, four, up to half a minute.
		Delay: func(int) time.Duration { return time.Millisecond },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(job.State, job.Processed, results[0].Success)
	// Output: JobComplete 1 true
}

// Whatever the name, it stays a name.
func ExampleQuote() {
	fmt.Println("SELECT Id FROM User WHERE LastName = " + salesforce.Quote(`O'Brien' OR Name != '`))
	// Output: SELECT Id FROM User WHERE LastName = 'O\'Brien\' OR Name != \''
}

// A refused login says who can mend it, and how.
func ExampleTokenError_Advice() {
	err := salesforce.CallbackError("invalid_scope", "the requested scope is not allowed")
	var refused *salesforce.TokenError
	if errors.As(err, &refused) {
		fmt.Println(refused.Class)
		fmt.Println(refused.Advice())
	}
	// Output:
	// configuration
	// The app does not allow a scope that is asked for: add it to the app, or drop it here.
}
