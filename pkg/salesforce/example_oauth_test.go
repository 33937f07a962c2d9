package salesforce_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// The login of an admin in a browser: a URL to send them to, and the code that
// comes back to the redirect URL.
func ExampleOAuth_Exchange() {
	org := httptest.NewServer(startEmulator())
	defer org.Close()
	oauth, err := salesforce.NewOAuth(salesforce.OAuthConfig{
		LoginURL: org.URL, ClientID: "consumer key", AllowLoopbackHTTP: true,
		ClientSecret: func() (string, error) { return "consumer secret", nil },
		RedirectURL:  "http://localhost:8080/oauth/callback", Scopes: []string{"api", "refresh_token"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	state, verifier := "unguessable", salesforce.NewVerifier() // keep both until the code comes back
	address, err := oauth.AuthCodeURL(state, verifier)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := allow(address)
	if answer.Get("state") != state {
		fmt.Println("this answer belongs to another login")
		return
	}
	if err := salesforce.CallbackError(answer.Get("error"), answer.Get("error_description")); err != nil {
		fmt.Println(err)
		return
	}
	grant, err := oauth.Exchange(context.Background(), answer.Get("code"), verifier)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(grant.RefreshToken != "", grant.Scope)
	// Output: true api refresh_token
}

// allow is the admin who presses Allow: it returns what the browser brings back
// to the redirect URL.
func allow(address string) url.Values {
	page, query, _ := strings.Cut(address, "?")
	form, err := url.ParseQuery(query)
	if err != nil {
		return nil
	}
	form.Set("username", emulator.IntegrationUsername)
	form.Set("decision", "allow")
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.PostForm(page, form)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	target, err := resp.Location()
	if err != nil {
		return nil
	}
	return target.Query()
}
