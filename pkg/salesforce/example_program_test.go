package salesforce_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// A program signs in, makes two users in one call, and reads what Salesforce
// said of each.
func Example() {
	// An emulated org. With a real one, LoginURL is its My Domain, and
	// AllowLoopbackHTTP is left out.
	emulated := emulator.New()
	emulated.AddOrg(emulator.DefaultOrg("consumer key", "consumer secret"))
	org := httptest.NewServer(emulated)
	defer org.Close()

	oauth, err := salesforce.NewOAuth(salesforce.OAuthConfig{
		LoginURL: org.URL, ClientID: "consumer key", AllowLoopbackHTTP: true,
		ClientSecret: func() (string, error) { return "consumer secret", nil }, // read for each request: it may change
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

	ctx := context.Background()
	profiles, err := client.Query(ctx, "SELECT Id FROM Profile WHERE Name = "+salesforce.Quote("Standard User"))
	if err != nil {
		fmt.Println(err)
		return
	}
	var users []salesforce.Record
	for _, address := range []string{"ada@people.example", "not an address"} {
		users = append(users, salesforce.Record{
			"Username": address, "Email": address, "LastName": "Example", "Alias": "example", "ProfileId": profiles[0].ID(),
			"TimeZoneSidKey": "Europe/Paris", "LocaleSidKey": "en_US", "LanguageLocaleKey": "en_US", "EmailEncodingKey": "UTF-8",
		})
	}
	results, err := client.CreateRecords(ctx, "User", users)
	if err != nil {
		fmt.Println(err) // the call as a whole: some of the users may have been made, see Error.Outcome
		return
	}
	for _, made := range results {
		fmt.Println(made.Success, made.Err())
	}
	// Output:
	// true <nil>
	// false salesforce: INVALID_EMAIL_ADDRESS (invalid) on Email: Email: invalid email address: …
}
