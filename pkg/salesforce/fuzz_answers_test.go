package salesforce

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// No answer to a creation makes a success of a record without an id of its own
// or of one that Salesforce says has failed.
func FuzzRecordAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"id":"` + userID(1) + `","success":true,"errors":[]}`, `{"id":"` + userID(1) + `","success":false,"errors":[{"statusCode":"MALFORMED_ID","message":"x","fields":[]}]}`,
		`{"success":true}`, `{"id":"","success":true}`, `{"id":"` + userID(1) + `"}`, `{"id":"` + userID(1) + `","success":true,"errors":[{"statusCode":"X"}]}`,
		`[{"id":"` + userID(1) + `","success":true}]`, `{"id":"` + userID(1) + `","success":tr`, "<html>", "", "null", `{"SUCCESS":true,"ID":"x"}`,
	} {
		f.Add([]byte(seed), uint16(1)) // is 201
	}
	f.Add([]byte(`[{"errorCode":"UNABLE_TO_LOCK_ROW","message":"x"}]`), uint16(200)) // is 400
	f.Add([]byte("<html>"), uint16(302))                                             // is 502
	f.Add([]byte(""), uint16(4))                                                     // is 204
	f.Fuzz(func(t *testing.T, body []byte, status uint16) {
		code := 200 + int(status)%400
		result, err := cannedClient(t, code, body).Create(t.Context(), "User", Record{"LastName": "x"})
		if err != nil {
			if result.Success {
				t.Fatalf("HTTP %d %q: a success beside %v", code, body, err)
			}
			return
		}
		if code == http.StatusNoContent {
			t.Fatal("204 to a creation names no record, and passes")
		}
		var said struct {
			ID      string
			Success bool
		}
		if json.Unmarshal(body, &said) != nil || !said.Success || !plausibleID(said.ID) || result.ID != said.ID || code > 299 {
			t.Fatalf("HTTP %d %q made %+v", code, body, result)
		}
	})
}

// No answer to a composite call puts one part's answer in another's place.
func FuzzCompositeAnswer(f *testing.F) {
	part := func(ref, status string) string {
		return `{"body":{"id":"x"},"httpHeaders":{},"httpStatusCode":` + status + `,"referenceId":"` + ref + `"}`
	}
	for _, seed := range []string{
		part("a", "201") + "," + part("b", "204"), part("b", "201") + "," + part("a", "400"), part("a", "201"), part("a", "201") + "," + part("a", "201"),
		part("a", "201") + "," + part("c", "201"), strings.Replace(part("a", "201"), `"id":"x"`, `"success":false`, 1) + "," + part("b", "204"), part("a", "0") + "," + part("b", "99999"), part("a", `"201"`), "null,null", "",
	} {
		f.Add([]byte(`{"compositeResponse":[` + seed + `]}`))
	}
	f.Add([]byte("<html>"))
	f.Add([]byte(`{"compositeResponse":[{"body"`))
	f.Fuzz(func(t *testing.T, body []byte) {
		answers, err := cannedClient(t, 200, body).Composite(t.Context(), []SubRequest{
			{Method: "POST", URL: "sobjects/User", ReferenceID: "a"}, {Method: "PATCH", URL: "sobjects/User/" + userID(1), ReferenceID: "b"},
		}, false)
		if err != nil {
			if e, ok := asError(err); !ok || answers != nil || e.Outcome != MaybeApplied {
				t.Fatalf("%v, %v", answers, err)
			}
			return
		}
		if len(answers) != 2 || answers[0].ReferenceID != "a" || answers[1].ReferenceID != "b" {
			t.Fatalf("%q made %+v", body, answers)
		}
		for _, a := range answers {
			var said struct{ Success *bool }
			failed := json.Unmarshal(a.Body, &said) == nil && said.Success != nil && !*said.Success
			if (a.Status < 200 || a.Status > 299 || failed) != (a.Err != nil) {
				t.Fatalf("%q made %+v", body, a)
			}
		}
	})
}

// No answer of a token endpoint makes a grant for another org or host.
func FuzzTokenAnswer(f *testing.F) {
	good := `{"access_token":"` + testOrg[:15] + `!AQ.x","instance_url":"https://acme.my.salesforce.com","id":"https://login.salesforce.com/id/` + testOrg + `/` + userID(1) + `","token_type":"Bearer","issued_at":"1"}`
	for _, seed := range []string{
		good, strings.Replace(good, "acme.my.salesforce.com", "evil.example", 1), strings.Replace(good, "https://acme", "http://acme", 1),
		strings.Replace(good, testOrg[:15]+"!", "00D000000000009!", 1), strings.Replace(good, "/id/"+testOrg, "/id/00D000000000009AAA", 1),
		good[:len(good)/2], `{"error":"invalid_grant","error_description":"inactive user"}`, "<html>", "", "null", "[]", `{"access_token":1}`,
		strings.Replace(good, "acme.my.salesforce.com", "acme.my.salesforce.com.evil.example", 1), strings.Replace(good, "acme.", "evil.example/@acme.", 1),
	} {
		f.Add([]byte(seed), uint16(0)) // is 200
	}
	f.Add([]byte(`{"error":"unknown_error"}`), uint16(200)) // is 400
	f.Fuzz(func(t *testing.T, body []byte, status uint16) {
		code := 200 + int(status)%400
		grant, err := cannedOAuth(t, code, body).ClientCredentials(t.Context())
		if err != nil {
			var e *TokenError
			if !errors.As(err, &e) || grant.AccessToken != "" {
				t.Fatalf("%v, %v", grant, err)
			}
			return
		}
		host := strings.TrimPrefix(grant.InstanceURL, "https://")
		if code > 299 || grant.AccessToken == "" || !sameID(grant.OrgID, testOrg) || strings.ContainsAny(host, "/@:?#") || !strings.HasSuffix(host, ".my.salesforce.com") {
			t.Fatalf("HTTP %d %q made %#v", code, body, grant)
		}
	})
}

// cannedOAuth is a token endpoint that gives one answer, in process.
func cannedOAuth(t *testing.T, status int, body []byte) *OAuth {
	t.Helper()
	oauth, err := NewOAuth(OAuthConfig{
		LoginURL: "https://acme.my.salesforce.com", ClientID: "consumer", ClientSecret: func() (string, error) { return "secret", nil }, ExpectedOrgID: testOrg,
		AllowedHostSuffixes: []string{".my.salesforce.com"},
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Request: r, Body: io.NopCloser(bytes.NewReader(body)), Header: http.Header{"Content-Type": {"application/json"}}}, nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return oauth
}

// Ten megabytes of anything, whatever was asked: an error, and the careful
// outcome where something may have been done.
func TestTenMegabytesOfAnything(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"brackets": strings.Repeat("[", 10<<20), "html": "<html>" + strings.Repeat("x", 10<<20), "torn": `{"id":"` + strings.Repeat("y", 10<<20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := cannedClient(t, 200, []byte(body))
			_, create := client.Create(t.Context(), "User", Record{"LastName": "x"})
			_, composite := client.Composite(t.Context(), []SubRequest{{Method: "PATCH", URL: "sobjects/User/" + userID(1)}}, false)
			_, upsert := client.Upsert(t.Context(), "User", "Key__c", "1", Record{"LastName": "x"})
			update := client.Update(t.Context(), "User", userID(1), Record{"LastName": "x"})
			for what, err := range map[string]error{"create": create, "composite": composite, "upsert": upsert, "update": update} {
				if e, ok := asError(err); !ok || e.Outcome != MaybeApplied {
					t.Errorf("%s: %v", what, err)
				}
			}
			_, describe := client.Describe(t.Context(), "User")
			_, limits := client.Limits(t.Context())
			_, info := client.UserInfo(t.Context())
			_, job := client.BulkStatus(t.Context(), "750000000000001AAA")
			_, rows := client.BulkResultRows(t.Context(), "750000000000001AAA", BulkFailed)
			_, token := cannedOAuth(t, 200, []byte(body)).ClientCredentials(t.Context())
			for what, err := range map[string]error{"describe": describe, "limits": limits, "userinfo": info, "job": job, "token": token} {
				if err == nil {
					t.Errorf("%s: no error", what)
				}
			}
			if name == "torn" && rows == nil {
				t.Error("rows: no error")
			}
		})
	}
}
