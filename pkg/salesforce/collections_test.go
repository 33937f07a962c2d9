package salesforce

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
)

// userID makes the nth user's id.
func userID(n int) string { return fmt.Sprintf("005%012dAAA", n) }

// createAll answers a collection like Salesforce would, one success each.
func createAll(t *testing.T, calls *atomic.Int64, sizes chan<- int) http.HandlerFunc {
	t.Helper()
	var next atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		var body struct {
			AllOrNone *bool
			Records   []map[string]any
		}
		if err := decodeBody(r, &body); err != nil || body.AllOrNone == nil || *body.AllOrNone {
			t.Errorf("body %+v, %v", body, err)
		}
		if sizes != nil {
			sizes <- len(body.Records)
		}
		results := make([]map[string]any, len(body.Records))
		for i := range results {
			results[i] = map[string]any{"id": userID(int(next.Add(1))), "success": true, "errors": []any{}}
		}
		_ = json.NewEncoder(w).Encode(results)
	}
}

func TestCreateRecordsRecordedAnswer(t *testing.T) {
	t.Parallel()
	// [R] the body in the facts, section 2.6
	r := newRig(t, answer(200, `[{"id":"003ak00000jvIfpAAE","success":true,"errors":[]},{"success":false,"errors":[{"statusCode":"REQUIRED_FIELD_MISSING","message":"Required fields are missing: [LastName]","fields":["LastName"]}]}]`))
	results, err := r.client.CreateRecords(t.Context(), "Contact", []Record{{"LastName": "x"}, {}})
	if err != nil {
		t.Fatal(err)
	}
	if !results[0].Success || results[0].Err() != nil || results[0].ID != "003ak00000jvIfpAAE" {
		t.Errorf("first %+v", results[0])
	}
	e := wantError(t, results[1].Err(), Invalid, NotApplied)
	if e.Code != "REQUIRED_FIELD_MISSING" || !reflect.DeepEqual(e.Fields, []string{"LastName"}) {
		t.Errorf("second %+v", e)
	}
}

func TestCreateRecordsChunks(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	sizes := make(chan int, 3)
	r := newRig(t, createAll(t, &calls, sizes))
	records := make([]Record, 401)
	for i := range records {
		records[i] = Record{"LastName": "x"}
	}
	results, err := r.client.CreateRecords(t.Context(), "User", records)
	if err != nil || len(results) != 401 {
		t.Fatal(len(results), err)
	}
	if got := []int{<-sizes, <-sizes, <-sizes}; !reflect.DeepEqual(got, []int{200, 200, 1}) {
		t.Errorf("chunks %v", got)
	}
	if _, ok := records[0]["attributes"]; ok {
		t.Error("the caller's record was changed")
	}
}

func TestNoRecordsNoCall(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(http.ResponseWriter, *http.Request) { t.Error("called") })
	if got, err := r.client.CreateRecords(t.Context(), "User", nil); got != nil || err != nil {
		t.Error(got, err)
	}
	if got, err := r.client.DeleteRecords(t.Context(), nil); got != nil || err != nil {
		t.Error(got, err)
	}
}

// The second call fails: the verdicts of the first are kept.
func TestResultsBeforeAFailureAreReturned(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	ok := createAll(t, &calls, nil)
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		if calls.Load() == 1 {
			answer(503, "<html>")(w, req)
			return
		}
		ok(w, req)
	})
	results, err := r.client.CreateRecords(t.Context(), "User", make([]Record, 300))
	wantError(t, err, Unavailable, MaybeApplied)
	if len(results) != 200 {
		t.Errorf("%d results", len(results))
	}
}

func TestResultsInAnotherOrderAreRefused(t *testing.T) {
	t.Parallel()
	swapped := fmt.Sprintf(`[{"id":%q,"success":true,"errors":[]},{"id":%q,"success":true,"errors":[]}]`, userID(2), userID(1))
	r := newRig(t, answer(200, swapped))
	_, err := r.client.UpdateRecords(t.Context(), "User", []Record{{"Id": userID(1)}, {"id": userID(2)}})
	wantError(t, err, Unavailable, MaybeApplied)
	_, err = r.client.DeleteRecords(t.Context(), []string{userID(1), userID(2)})
	wantError(t, err, Unavailable, MaybeApplied)
	twice := fmt.Sprintf(`[{"id":%q,"success":true,"errors":[]},{"id":%q,"success":true,"errors":[]}]`, userID(1), userID(1))
	r = newRig(t, answer(200, twice))
	_, err = r.client.CreateRecords(t.Context(), "User", make([]Record, 2))
	wantError(t, err, Unavailable, MaybeApplied)
}

// Salesforce answers a membership that is there with the row that is there. [D]
func TestOneMembershipTwice(t *testing.T) {
	t.Parallel()
	row := `{"id":"011000000000001AAA","success":true,"errors":[]}`
	r := newRig(t, answer(200, `[`+row+`,`+row+`]`))
	member := func(user string) Record { return Record{"GroupId": "00G000000000001AAA", "UserOrGroupId": user} }
	results, err := r.client.CreateRecords(t.Context(), "GroupMember", []Record{member(userID(1)), member(userID(1))})
	if err != nil || !results[0].Success || !results[1].Success {
		t.Fatal(results, err)
	}
	_, err = r.client.CreateRecords(t.Context(), "GroupMember", []Record{member(userID(1)), member(userID(2))})
	wantError(t, err, Unavailable, MaybeApplied)
}

func TestSuccessMustBeUnmixed(t *testing.T) {
	t.Parallel()
	for _, element := range []string{
		`{"success":true,"errors":[]}`,
		`{"id":"","success":true}`,
		`{"id":"nonsense","success":true}`,
		`{"id":"001RM000003oLrBAAU","success":true,"errors":[{"statusCode":"MALFORMED_ID","message":"x"}]}`,
		`{"id":"001RM000003oLrBAAU","success":false,"errors":[]}`,
		`{"id":"001RM000003oLrBAAU","success":false}`,
	} {
		got, err := readResult([]byte(element), 200)
		if err != nil || got.Success || got.Err() == nil {
			t.Errorf("%s = %+v, %v", element, got, err)
		}
	}
	// [R amp-labs success-with-errors.json] an HTTP 201 that says failure
	r := newRig(t, answer(201, `{"id":"001RM000003oLrB000","success":false,"errors":[{"statusCode":"MALFORMED_ID","message":"malformed id 001RM000003oLrB000","fields":[]}]}`))
	_, err := r.client.Create(t.Context(), "Account", Record{})
	wantError(t, err, Reference, NotApplied)
}

// [R amp-labs partial-but-allOrNone.json]
func TestRolledBackIsNotTheCause(t *testing.T) {
	t.Parallel()
	r := newRig(t, answer(200, `[{"success":false,"errors":[{"statusCode":"ALL_OR_NONE_OPERATION_ROLLED_BACK","message":"Record rolled back because not all records were valid and the request was using AllOrNone header","fields":[]}]}]`))
	results, err := r.client.CreateRecords(t.Context(), "Contact", make([]Record, 1))
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, results[0].Err(), Halted, NotApplied)
}

func TestRequestsRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(http.ResponseWriter, *http.Request) { t.Error("called") })
	_, noID := r.client.UpdateRecords(t.Context(), "User", []Record{{"LastName": "x"}})
	_, badID := r.client.DeleteRecords(t.Context(), []string{"x,y"})
	_, noType := r.client.CreateMixed(t.Context(), []Record{{"LastName": "x"}})
	_, noName := r.client.Create(t.Context(), "User/../x", Record{})
	_, tooMany := r.client.Composite(t.Context(), make([]SubRequest, 26), false)
	_, queries := r.client.Composite(t.Context(), []SubRequest{{URL: "query?q=1"}, {URL: "query/?q=2"}, {URL: "query?q=3"}, {URL: "query?q=4"}, {URL: "query?q=5"}, {URL: "composite/sobjects"}}, false)
	_, foreign := r.client.Composite(t.Context(), []SubRequest{{URL: "https://evil.example/"}, {URL: "/evil"}}, false)
	_, channel := r.client.Create(t.Context(), "User", Record{"x": make(chan int)})
	for _, err := range []error{noID, badID, noType, noName, tooMany, queries, foreign, channel} {
		wantError(t, err, Programming, NotApplied)
	}
}

func TestCreateMixedRuns(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	sizes := make(chan int, 2)
	r := newRig(t, createAll(t, &calls, sizes))
	var records []Record
	for i := range 12 { // 12 runs of differing objects need two calls
		object := "GroupMember"
		if i%2 == 0 {
			object = "PermissionSetAssignment"
		}
		records = append(records, Record{"attributes": map[string]any{"type": object}, "n": i})
	}
	if _, err := r.client.CreateMixed(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	if got := []int{<-sizes, <-sizes}; !reflect.DeepEqual(got, []int{10, 2}) {
		t.Errorf("chunks %v", got)
	}
}

func TestDeleteRecordsURL(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodDelete || req.URL.Query().Get("ids") != userID(1) || req.URL.Query().Get("allOrNone") != "false" {
			t.Errorf("%s %s", req.Method, req.URL)
		}
		answer(200, `[{"id":"`+userID(1)+`","success":true,"errors":[]}]`)(w, req)
	})
	results, err := r.client.DeleteRecords(t.Context(), []string{userID(1)})
	if err != nil || !results[0].Success {
		t.Error(results, err)
	}
}

func TestCompositeAnswers(t *testing.T) {
	t.Parallel()
	// [R apache/camel, CumulusCI] out of order on purpose
	r := newRig(t, answer(200, `{"compositeResponse":[
		{"body":[{"errorCode":"PROCESSING_HALTED","message":"The transaction was rolled back since another operation in the same transaction failed."}],"httpHeaders":{},"httpStatusCode":400,"referenceId":"b"},
		{"body":{"id":"001ak00000OQTieAAH","success":true,"errors":[]},"httpHeaders":{"Location":"/services/data/v53.0/sobjects/Account/001"},"httpStatusCode":201,"referenceId":"a"},
		{"body":null,"httpHeaders":{},"httpStatusCode":204,"referenceId":"ref2"},
		{"body":"<html>","httpHeaders":{},"httpStatusCode":503,"referenceId":"ref3"}]}`))
	subs, err := r.client.Composite(t.Context(), []SubRequest{
		{Method: "POST", URL: "sobjects/Account", ReferenceID: "a"}, {Method: "POST", URL: "sobjects/Account", ReferenceID: "b"},
		{Method: "PATCH", URL: "sobjects/User/005"}, {Method: "PATCH", URL: "sobjects/User/005"},
	}, true)
	if err != nil {
		t.Fatal(err)
	}
	if subs[0].Err != nil || subs[0].Status != 201 || subs[0].Headers["Location"] == "" || subs[2].Err != nil {
		t.Errorf("answers %+v", subs)
	}
	wantError(t, subs[1].Err, Halted, NotApplied)
	wantError(t, subs[3].Err, Unavailable, MaybeApplied)
}

func TestCompositeAnswersMustMatch(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{}`, `[]`, `null`, `{"compositeResponse":[]}`,
		`{"compositeResponse":[{"httpStatusCode":201,"referenceId":"other"}]}`,
		`{"compositeResponse":[{"referenceId":"ref0"}]}`,
	} {
		r := newRig(t, answer(200, body))
		_, err := r.client.Composite(t.Context(), []SubRequest{{Method: "POST", URL: "sobjects/User"}}, false)
		wantError(t, err, Unavailable, MaybeApplied)
	}
}

func decodeBody(r *http.Request, into any) error {
	var from io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := unzip(r.Body)
		if err != nil {
			return err
		}
		from = strings.NewReader(unzipped)
	}
	return json.NewDecoder(from).Decode(into)
}
