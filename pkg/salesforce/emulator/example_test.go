package emulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// A test plans a fault, runs the code it tests, and checks that the fault was
// met.
func ExampleServer_Plan() {
	server := emulator.New()
	org := server.AddOrg(emulator.DefaultOrg("client", "secret"))
	web := httptest.NewServer(server)
	defer web.Close()

	fault, err := server.Plan(emulator.Fault{Operation: "query", Effect: emulator.EffectDailyLimit, Times: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := org.AccessToken(emulator.IntegrationUsername)
	if err != nil {
		fmt.Println(err)
		return
	}
	req, err := http.NewRequest(http.MethodGet, web.URL+"/services/data/v63.0/query?q=SELECT+Id+FROM+User", strings.NewReader(""))
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	fault, _ = server.Fault(fault.ID)
	fmt.Println(res.StatusCode, "used:", fault.Used)
	// Output: 403 used: 1
}

// Several orgs live in one server; usernames are unique over all of them.
func ExampleServer_AddOrg() {
	server := emulator.New()
	server.AddOrg(emulator.DefaultOrg("one", "secret"))
	sandbox := emulator.DefaultOrg("two", "secret")
	sandbox.Users[0]["Username"] = "integration@rollcall.example.sandbox"
	sandbox.Clients[0].RunAsUsername = "integration@rollcall.example.sandbox"
	org := server.AddOrg(sandbox)
	_, err := org.Create("User", map[string]any{"Username": emulator.IntegrationUsername})
	fmt.Println(len(server.Orgs()), strings.Contains(err.Error(), "DUPLICATE_USERNAME"))
	// Output: 2 true
}
