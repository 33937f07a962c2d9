package conformance

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// with sends a data call with headers of its own, as pairs of name and value.
func (o *target) with(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, o.instance+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+o.token)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return send(t, req)
}

// What is asked for in another way than the resource takes it. Nothing is made.
func (o *target) formSteps(t *testing.T) {
	t.Helper()
	o.with(t, http.MethodPost, version+"/sobjects/Account", `{"Name":"never"}`, "Content-Type", "multipart/related").must(t, 415, // [R nforce #74]
		`[{"message":"MediaType of 'multipart/related' is not supported by this resource","errorCode":"UNSUPPORTED_MEDIA_TYPE"}]`)
	if a := o.do(t, http.MethodDelete, version+"/limits", nil); a.status != http.StatusMethodNotAllowed { // [D]
		t.Errorf("DELETE of the limits: HTTP %d %s", a.status, a.body)
	}
	describe := version + "/sobjects/User/describe"
	if a := o.with(t, http.MethodGet, describe, "", "If-Modified-Since", "Wed, 01 Jan 2200 00:00:00 GMT"); a.status != http.StatusNotModified || a.body != "" { // [D]
		t.Errorf("a describe that is known: HTTP %d, %d bytes", a.status, len(a.body))
	}
	a := o.query(t, "SELECT Id FROM User WHERE Id = 'abc'") // [R restforce #557, jsforce #684]
	if a.status != 400 || !strings.Contains(a.body, `"INVALID_QUERY_FILTER_OPERATOR"`) || !strings.Contains(a.body, "invalid ID field: abc") {
		t.Errorf("a filter: HTTP %d %s", a.status, a.body)
	}
	o.do(t, http.MethodPost, version+"/sobjects/Account", `{"Id":"001000000000001AAA","Name":"never"}`).must(t, 400,
		`[{"message":"cannot specify Id in an insert call","errorCode":"INVALID_FIELD_FOR_INSERT_UPDATE","fields":"<any>"}]`)
}

// A query job of the Bulk API: its rows as CSV, the locator of the last page is
// the word null. [D api_asynch]
func (o *target) bulkQuerySteps(t *testing.T) {
	t.Helper()
	path := version + "/jobs/query"
	a := o.do(t, http.MethodPost, path, map[string]any{"operation": "query", "query": "SELECT Username FROM User WHERE Username = '" + o.username("ada") + "'"})
	if a.status != http.StatusOK || !strings.Contains(a.body, `"UploadComplete"`) {
		t.Fatalf("job: HTTP %d %s", a.status, a.body)
	}
	job := path + "/" + a.idOf(t)
	if done := o.finished(t, job); done.State != "JobComplete" || done.JobType != "V2Query" || done.Processed != 1 {
		t.Fatalf("job %+v", done)
	}
	rows := o.with(t, http.MethodGet, job+"/results?"+url.Values{"maxRecords": {"50"}}.Encode(), "", "Accept", "text/csv")
	if rows.body != "\"Username\"\n\""+o.username("ada")+"\"\n" || rows.header.Get("Sforce-NumberOfRecords") != "1" || rows.header.Get("Sforce-Locator") != "null" {
		t.Errorf("results: HTTP %d %v %q", rows.status, rows.header, rows.body)
	}
	o.do(t, http.MethodDelete, job, nil).must(t, 204, "")
}

// Rows that end otherwise than the job says fail it. [R forcedotcom/cli #3113]
func (o *target) lineEndingSteps(t *testing.T) {
	t.Helper()
	path := version + "/jobs/ingest"
	job := path + "/" + o.do(t, http.MethodPost, path, `{"object":"User","operation":"update","contentType":"CSV","lineEnding":"LF"}`).idOf(t)
	o.upload(t, job+"/batches", "Id,Title\r\n"+o.id(t, "SELECT Id FROM User WHERE Username = '"+o.username("ada")+"'")+",Nobody\r\n")
	if a := o.do(t, http.MethodPatch, job, `{"state":"UploadComplete"}`); a.status != http.StatusOK {
		t.Fatalf("close: HTTP %d %s", a.status, a.body)
	}
	if done := o.finished(t, job); done.State != "Failed" || done.Processed != 0 {
		t.Errorf("job %+v", done)
	}
	if a := o.do(t, http.MethodGet, job, nil); !strings.Contains(a.body, "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF") {
		t.Errorf("job %s", a.body)
	}
	o.do(t, http.MethodDelete, job, nil).must(t, 204, "")
}
