package salesforce

import "testing"

// Answers of 2xx that hold no success.
func TestFalseSuccesses(t *testing.T) {
	t.Parallel()
	empty := cannedClient(t, 200, []byte(`{"totalSize":5,"done":true,"records":[]}`))
	if rows, err := empty.Query(t.Context(), "SELECT Id FROM User"); err == nil {
		t.Errorf("five rows announced and none given: %v", rows)
	}
	if r, err := cannedClient(t, 204, nil).Create(t.Context(), "User", Record{"LastName": "x"}); err == nil || r.Success {
		t.Errorf("a creation that names no record: %+v", r)
	}
	body := `{"compositeResponse":[{"body":{"id":"001RM000003oLrB000","success":false,"errors":[{"statusCode":"MALFORMED_ID","message":"malformed id 001RM000003oLrB000","fields":[]}]},"httpHeaders":{},"httpStatusCode":201,"referenceId":"ref0"}]}`
	parts, err := cannedClient(t, 200, []byte(body)).Composite(t.Context(), []SubRequest{{Method: "POST", URL: "sobjects/User"}}, false)
	if err != nil || parts[0].Err == nil || parts[0].Err.Class != Reference {
		t.Errorf("a part that failed with 201: %+v, %v", parts, err)
	}
}
