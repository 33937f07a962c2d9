package salesforce

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const jobID = "750ak000009BWKLAA4"

// job is a job's body as recorded, shortened. [R amp-labs]
func job(state string, processed, failed int) string {
	return fmt.Sprintf(`{"id" : %q,"operation" : "insert","object" : "User","apiVersion" : 60.0,"state" : %q,"contentUrl" : "services/data/v60.0/jobs/ingest/%s/batches","numberRecordsProcessed" : %d,"numberRecordsFailed" : %d}`,
		jobID, state, jobID, processed, failed)
}

// bulkOrg answers the calls of one job.
type bulkOrg struct {
	closed     string // the answer to the close
	status     int    // of the upload
	final      string
	successful string
	failed     string
	unfinished string
	uploaded   string
	aborted    bool
}

func (o *bulkOrg) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	last := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch {
	case r.Method == http.MethodPost:
		answer(200, job("Open", 0, 0))(w, r)
	case r.Method == http.MethodPut:
		o.uploaded = string(body)
		w.WriteHeader(max(o.status, 201))
	case r.Method == http.MethodPatch && strings.Contains(string(body), "Aborted"):
		o.aborted = true
		answer(200, job("Aborted", 0, 0))(w, r)
	case r.Method == http.MethodPatch:
		answer(200, o.closed)(w, r)
	case last == "successfulResults":
		_, _ = io.WriteString(w, o.successful)
	case last == "failedResults":
		_, _ = io.WriteString(w, o.failed)
	case last == "unprocessedrecords":
		_, _ = io.WriteString(w, o.unfinished)
	default:
		answer(200, o.final)(w, r)
	}
}

func newBulkOrg() *bulkOrg {
	return &bulkOrg{
		closed: job("UploadComplete", 0, 0), final: job("JobComplete", 3, 1),
		// not in the order of the records, as in life [U]
		successful: "\"sf__Id\",\"sf__Created\",\"Username\",\"Title\"\n\"" + userID(3) + "\",\"true\",\"c@x.example\",\"\"\n\"" + userID(1) + "\",\"true\",\"a@x.example\",\"one, two\"\n",
		failed:     "\"sf__Id\",\"sf__Error\",\"Username\",\"Title\"\n\"\",\"REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --\",\"b@x.example\",\"\"\n",
		unfinished: "\"Username\",\"Title\"\n",
	}
}

func threePeople() BulkLoad {
	return BulkLoad{
		Object: "User", Operation: BulkInsert, Columns: []string{"Username", "Title", "IsActive"}, MatchColumn: "Username",
		Delay: func(int) time.Duration { return 0 },
		Records: []Record{
			{"Username": "a@x.example", "Title": "one, \"two\"\nthree", "IsActive": true},
			{"Username": "b@x.example", "Title": nil},
			{"Username": "c@x.example", "Title": ""},
		},
	}
}

func TestBulkIngestMatchesByColumn(t *testing.T) {
	t.Parallel()
	o := newBulkOrg()
	r := newRig(t, o.ServeHTTP)
	done, results, err := r.client.BulkIngest(t.Context(), threePeople())
	if err != nil {
		t.Fatal(err)
	}
	if done.Processed != 3 || results[0].ID != userID(1) || !results[0].Created || results[2].ID != userID(3) {
		t.Errorf("%+v, %+v", done, results)
	}
	e := wantError(t, results[1].Err(), Invalid, NotApplied)
	if !reflect.DeepEqual(e.Fields, []string{"LastName"}) || e.Message != "Required fields are missing: [LastName]" {
		t.Errorf("%+v", e)
	}
	rows, err := csv.NewReader(strings.NewReader(o.uploaded)).ReadAll()
	want := [][]string{{"Username", "Title", "IsActive"}, {"a@x.example", "one, \"two\"\nthree", "true"}, {"b@x.example", "#N/A", ""}, {"c@x.example", "#N/A", ""}}
	if err != nil || !reflect.DeepEqual(rows, want) {
		t.Errorf("uploaded %q", o.uploaded)
	}
}

func TestBulkUnprocessedAndMissingRows(t *testing.T) {
	t.Parallel()
	o := newBulkOrg()
	o.final = strings.Replace(job("Failed", 1, 0), "}", `,"errorMessage":"InvalidBatch : Field name not found : Titel"}`, 1)
	o.successful = "\"sf__Id\",\"sf__Created\",\"Username\"\n\"" + userID(1) + "\",\"true\",\"a@x.example\"\n"
	o.failed, o.unfinished = "", "\"Username\"\n\"b@x.example\"\n"
	r := newRig(t, o.ServeHTTP)
	_, results, err := r.client.BulkIngest(t.Context(), threePeople())
	if err != nil || !results[0].Success {
		t.Fatal(results, err)
	}
	wantError(t, results[1].Err(), Misconfigured, NotApplied)
	wantError(t, results[2].Err(), Unknown, MaybeApplied)
}

// TestBulkCountsOfAnAbortedJob takes the rows that are listed, whatever the job
// counts, and leaves the others in doubt.
func TestBulkCountsOfAnAbortedJob(t *testing.T) {
	t.Parallel()
	o := newBulkOrg()
	o.final = job("Aborted", 0, 0)
	o.failed = ""
	r := newRig(t, o.ServeHTTP)
	_, results, err := r.client.BulkIngest(t.Context(), threePeople())
	if err != nil || !results[0].Success || !results[2].Success {
		t.Fatal(results, err)
	}
	wantError(t, results[1].Err(), Unknown, MaybeApplied)
}

func TestBulkAnswersThatCannotBeBelieved(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(o *bulkOrg){
		"html":            func(o *bulkOrg) { o.successful = "<html>, \"\n" },
		"too few":         func(o *bulkOrg) { o.successful = "\"sf__Id\",\"Username\"\n" },
		"a row twice":     func(o *bulkOrg) { o.failed = strings.ReplaceAll(o.failed, "b@x", "a@x") },
		"no match column": func(o *bulkOrg) { o.successful = strings.ReplaceAll(o.successful, "Username", "Usarname") },
		"torn row":        func(o *bulkOrg) { o.successful = o.successful[:len(o.successful)-6] },
		"another job":     func(o *bulkOrg) { o.final = strings.ReplaceAll(o.final, jobID, "750ak000009BWKZAA4") },
		"close in doubt":  func(o *bulkOrg) { o.closed = "<html>" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newBulkOrg()
			change(o)
			r := newRig(t, o.ServeHTTP)
			begun, results, err := r.client.BulkIngest(t.Context(), threePeople())
			e, ok := asError(err)
			if !ok || e.Outcome != MaybeApplied || results != nil || begun.ID == "" {
				t.Errorf("%+v, %v, %v", begun, results, err)
			}
		})
	}
}

func TestBulkUploadFailureAppliesNothing(t *testing.T) {
	t.Parallel()
	o := newBulkOrg()
	o.status = 503
	r := newRig(t, o.ServeHTTP)
	_, _, err := r.client.BulkIngest(t.Context(), threePeople())
	wantError(t, err, Unavailable, NotApplied)
	if !o.aborted {
		t.Error("the job was left open")
	}
}

func TestBulkLoadsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(l *BulkLoad){
		"operation":    func(l *BulkLoad) { l.Operation = "destroy" },
		"object":       func(l *BulkLoad) { l.Object = "a b" },
		"column":       func(l *BulkLoad) { l.Columns = []string{"Username", "=cmd"} },
		"match column": func(l *BulkLoad) { l.MatchColumn = "Email" },
		"same value":   func(l *BulkLoad) { l.Records[1]["Username"] = "a@x.example" },
		"no value":     func(l *BulkLoad) { l.Records[1]["Username"] = nil },
		"cell":         func(l *BulkLoad) { l.Records[1]["Title"] = []string{"x"} },
		"null's text":  func(l *BulkLoad) { l.Records[1]["Title"] = "#N/A" },
	} {
		load := threePeople()
		change(&load)
		_, err := load.csv()
		if e, ok := asError(err); !ok || e.Class != Programming {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// [R amp-labs] the cells of sf__Error
func TestBulkErrorCells(t *testing.T) {
	t.Parallel()
	cases := []struct {
		cell    string
		class   Class
		message string
		fields  []string
	}{
		{"REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --", Invalid, "Required fields are missing: [Name]", []string{"Name"}},
		{"UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 200 records: 001ak00000OQTieAAH:--", Locked, "unable to obtain exclusive access to this record or 200 records: 001ak00000OQTieAAH", nil},
		{"INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--", Reference, "invalid cross reference id", nil},
		{"INVALID_FIELD:Failed to deserialize field at col 3. Due to, 'x' is not a valid value for the type xsd:date:CloseDate --", Invalid, "Failed to deserialize field at col 3. Due to, 'x' is not a valid value for the type xsd:date", []string{"CloseDate"}},
		{"LICENSE_LIMIT_EXCEEDED:License Limit Exceeded", Licence, "License Limit Exceeded", nil},
		{"", Unknown, "", nil},
		{"--", Unknown, "", nil},
	}
	for _, tc := range cases {
		e := parseBulkError(tc.cell)
		if e.Class != tc.class || e.Message != tc.message || !reflect.DeepEqual(e.Fields, tc.fields) || e.Outcome != NotApplied {
			t.Errorf("%q = %+v", tc.cell, e)
		}
	}
}

// The pauses grow to half a minute and obey the context; no test waits for it.
func TestBulkWaitPaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		transport := roundTripper(func(r *http.Request) (*http.Response, error) {
			looks++
			state := BulkStateInProgress
			if looks == 7 {
				state = BulkStateComplete
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(job(state, 0, 0)))}, nil
		})
		client, err := NewClient(Config{Sessions: oneSession{AccessToken: "t", InstanceURL: "https://acme.my.salesforce.com"}, Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := client.BulkWait(t.Context(), jobID, nil); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != (1+2+4+8+16+30+30)*time.Second {
			t.Errorf("took %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = client.BulkWait(ctx, jobID, nil)
		wantError(t, err, Timeout, MaybeApplied)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
