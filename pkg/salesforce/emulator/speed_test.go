package emulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// BenchmarkCreate200 is one collection of 200 users, without a network.
func BenchmarkCreate200(b *testing.B) {
	s := emulator.New()
	org := s.AddOrg(emulator.DefaultOrg(clientID, clientSecret))
	if err := org.SetSeats(emulator.SalesforceLicense, 1<<30); err != nil {
		b.Fatal(err)
	}
	token, profile := access(b, org)
	bodies := make([]string, b.N)
	for i := range bodies {
		bodies[i] = crowd(profile, i*200, 200)
	}
	b.ResetTimer()
	for _, body := range bodies {
		res := serve(s, token, http.MethodPost, version+"/composite/sobjects", body)
		if res.Code != 200 || strings.Contains(res.Body.String(), `"success":false`) {
			b.Fatal(res.Body.String())
		}
	}
}

// BenchmarkLookUp finds 200 of 100,000 users by two indexed fields.
func BenchmarkLookUp(b *testing.B) {
	s := emulator.New()
	org := s.AddOrg(emulator.DefaultOrg(clientID, clientSecret))
	token, profile := access(b, org)
	for i := range 499 {
		serve(s, token, http.MethodPost, version+"/composite/sobjects", crowd(profile, i*200, 200))
	}
	var names, keys []string
	for i := range 200 {
		names = append(names, fmt.Sprintf("'Person.%d@people.example'", i*401))
		keys = append(keys, fmt.Sprintf("'E%d'", i*401))
	}
	soql := "SELECT Id, Username, FederationIdentifier, IsActive FROM User WHERE Username IN (" + strings.Join(names, ",") + ") OR FederationIdentifier IN (" + strings.Join(keys, ",") + ")"
	path := version + "/query?q=" + url.QueryEscape(soql)
	for b.Loop() {
		if res := serve(s, token, http.MethodGet, path, ""); !strings.HasPrefix(res.Body.String(), `{"totalSize":200,`) {
			b.Fatal(res.Body.String()[:200])
		}
	}
}

// BenchmarkMemory says what 100,000 users weigh.
func BenchmarkMemory(b *testing.B) {
	const users = 99_800
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s := emulator.New()
		token, profile := access(b, s.AddOrg(emulator.DefaultOrg(clientID, clientSecret)))
		for from := 0; from < users; from += 200 {
			serve(s, token, http.MethodPost, version+"/composite/sobjects", crowd(profile, from, 200))
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/users, "B/user")
		runtime.KeepAlive(s)
	}
}

func access(b *testing.B, org *emulator.Org) (token, profile string) {
	b.Helper()
	token, err := org.AccessToken(emulator.IntegrationUsername)
	if err != nil {
		b.Fatal(err)
	}
	rows, err := org.Query("SELECT Id FROM Profile WHERE Name = 'Standard User'")
	if err != nil {
		b.Fatal(err)
	}
	return token, rows[0]["Id"].(string)
}

func serve(s *emulator.Server, token, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// crowd is a collection body of n people.
func crowd(profile string, from, n int) string {
	records := make([]map[string]any, n)
	for i := range records {
		id := from + i
		records[i] = map[string]any{"attributes": map[string]string{"type": "User"}, "Username": fmt.Sprintf("person.%d@people.example", id),
			"LastName": fmt.Sprintf("Lastname%d", id), "FirstName": "First", "Email": fmt.Sprintf("person.%d@people.example", id), "Alias": "person",
			"CommunityNickname": fmt.Sprintf("person.%d", id), "TimeZoneSidKey": "Europe/Paris", "LocaleSidKey": "en_US", "EmailEncodingKey": "UTF-8",
			"LanguageLocaleKey": "en_US", "IsActive": true, "ProfileId": profile, "FederationIdentifier": fmt.Sprintf("E%d", id),
			"EmployeeNumber": fmt.Sprintf("E%d", id), "Department": "Sales", "Title": "Clerk"}
	}
	out, err := json.Marshal(map[string]any{"allOrNone": false, "records": records})
	if err != nil {
		panic(err)
	}
	return string(out)
}
