package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// Whatever a client sends, the emulator answers: with a status, and with JSON
// that is whole where it says JSON. An error is a list, and names a code.
func FuzzCall(f *testing.F) {
	server := emulator.New(emulator.WithoutAdmin(), emulator.WithJournalSize(10))
	org := server.AddOrg(emulator.DefaultOrg("client", "secret"))
	for _, seed := range [][3]string{
		{"POST", "/sobjects/User", `{"LastName":"A","ProfileId":1,"IsActive":"perhaps"}`},
		{"PATCH", "/sobjects/User/Rollcall_Key__c/a%2Fb", `{"Username":"a@b.example","attributes":null}`},
		{"PATCH", "/composite/sobjects/User/Id", `{"allOrNone":"x","records":[null,{"attributes":[]},{}]}`},
		{"POST", "/composite/sobjects", `{"records":[{"attributes":{"type":"Group"},"Name":"g"},{"attributes":{"type":"Account"}}]}`},
		{"POST", "/composite", `{"allOrNone":true,"compositeRequest":[{"method":"GET","url":"/services/data/v63.0/query?q=SELECT+Id+FROM+User","referenceId":"a"},{"method":"POST","url":"/services/data/v63.0/sobjects/@{a.records[0].Id}","referenceId":"b","body":{"x":"@{a.x.y}"}}]}`},
		{"POST", "/composite/batch", `{"batchRequests":[{"method":"PATCH","url":"v63.0/sobjects/User/x","richInput":[]},{"url":"%zz"}]}`},
		{"POST", "/jobs/ingest", `{"object":"User","operation":"upsert","externalIdFieldName":"Nope"}`},
		{"GET", "/query?q=SELECT%20Id%20FROM%20User%20WHERE%20Name%20LIKE%20'%25'%20LIMIT%201", ""},
		{"GET", "/query?q=SELECT%20Id,(SELECT%20Id%20FROM%20PermissionSetAssignments%20LIMIT%201)%20FROM%20User%20WHERE%20Id%20NOT%20IN%20(SELECT%20AssigneeId%20FROM%20PermissionSetAssignment)", ""},
		{"GET", "/query?q=SELECT%20Profile.Name,COUNT(Id)%20n%20FROM%20User%20GROUP%20BY%20Profile.Name%20LIMIT%202", ""},
		{"POST", "/jobs/query", `{"operation":"query","query":"SELECT Profile.Name FROM User","columnDelimiter":"TAB"}`},
		{"DELETE", "/composite/sobjects?ids=,,005", ""},
		{"GET", "/sobjects/User/005000000000001AAA/password/x", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, method, path, body string) {
		target, err := url.Parse("http://org.example" + version + path)
		if err != nil || method == "" || strings.ContainsAny(method, " \t\r\n") || len(path) > 4000 {
			return
		}
		req := httptest.NewRequest(http.MethodPost, "http://org.example/", strings.NewReader(body))
		req.Method, req.URL = method, target
		token, err := org.AccessToken(emulator.IntegrationUsername)
		if err != nil {
			t.Skip("the integration user is gone") // an earlier input renamed it
		}
		req.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, req)
		answer := rec.Body.Bytes()
		if rec.Code < 200 || rec.Code > 599 {
			t.Fatalf("%s %s: HTTP %d", method, path, rec.Code)
		}
		if !strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json") || len(answer) == 0 {
			return
		}
		if !json.Valid(answer) {
			t.Fatalf("%s %s: HTTP %d, no JSON: %q", method, path, rec.Code, answer)
		}
		var errs []struct{ ErrorCode string }
		if rec.Code >= 400 && (json.Unmarshal(answer, &errs) != nil || len(errs) == 0 || errs[0].ErrorCode == "") {
			t.Fatalf("%s %s: HTTP %d %q", method, path, rec.Code, answer)
		}
	})
}
