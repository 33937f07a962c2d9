package emulator_test

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func TestBulkIngest(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	a := r.do("POST", version+"/jobs/ingest/", `{"object":"User","operation":"upsert","contentType":"CSV","lineEnding":"LF","externalIdFieldName":"Rollcall_Key__c"}`)
	a.is(t, 200)
	job := a.object(t)
	id := job["id"].(string)
	// [R amp-labs bulk]: no leading slash, a number for the version.
	if keysOf(job) != "apiVersion columnDelimiter concurrencyMode contentType contentUrl createdById createdDate externalIdFieldName id lineEnding object operation state systemModstamp" ||
		job["contentUrl"] != "services/data/v63.0/jobs/ingest/"+id+"/batches" || !strings.Contains(a.body, `"apiVersion":63.0,`) || !strings.HasPrefix(id, "750") {
		t.Fatalf("job %s", a.body)
	}
	profile := r.id("Profile", "Standard User")
	csv := "Rollcall_Key__c,Username,LastName,Email,Alias,TimeZoneSidKey,LocaleSidKey,EmailEncodingKey,LanguageLocaleKey,ProfileId,IsActive\n" +
		"k1,bulk1@people.example,One,bulk1@people.example,b1,GMT,en_US,UTF-8,en_US," + profile + ",true\n" +
		"k2,bulk2@people.example,#N/A,bulk2@people.example,b2,GMT,en_US,UTF-8,en_US," + profile + ",true\n" +
		"k3,bulk3@people.example,Three,bulk3@people.example,b3,GMT,en_US,UTF-8,en_US," + profile + ",perhaps\n"
	if up := r.do("PUT", version+"/jobs/ingest/"+id+"/batches", csv); up.status != 201 || up.body != "" {
		t.Fatalf("upload %v", up)
	}
	closed := r.do("PATCH", version+"/jobs/ingest/"+id, `{"state":"UploadComplete"}`).object(t)
	if closed["state"] != "UploadComplete" || closed["contentUrl"] != nil || closed["lineEnding"] != nil {
		t.Fatalf("closed %v", closed)
	}
	if s := r.do("GET", version+"/jobs/ingest/"+id, "").object(t)["state"]; s != "InProgress" {
		t.Fatalf("state %v", s)
	}
	done := r.do("GET", version+"/jobs/ingest/"+id, "").object(t)
	if done["state"] != "JobComplete" || done["numberRecordsProcessed"] != 3.0 || done["numberRecordsFailed"] != 2.0 || done["jobType"] != "V2Ingest" {
		t.Fatalf("done %v", done)
	}
	bad := r.do("GET", version+"/jobs/ingest/"+id+"/failedResults", "")
	if !strings.HasPrefix(bad.body, `"sf__Id","sf__Error","Rollcall_Key__c"`) ||
		!strings.Contains(bad.body, `"REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --","k2"`) ||
		!strings.Contains(bad.body, `"INVALID_FIELD:Failed to deserialize field at col 10. Due to, 'perhaps' is not a valid value for the type xsd:boolean:IsActive --"`) {
		t.Fatalf("failed results %s", bad.body)
	}
	good := r.do("GET", version+"/jobs/ingest/"+id+"/successfulResults", "")
	u, found := r.org.UserByUsername("bulk1@people.example")
	if !found || !strings.Contains(good.body, "\n\""+u.ID+`","true","k1"`) || good.header.Get("Content-Type") != "text/csv" {
		t.Fatalf("successful results %s", good.body)
	}
	r.do("GET", version+"/jobs/ingest/"+id+"/unprocessedrecords", "").is(t, 200)
	r.do("DELETE", version+"/jobs/ingest/"+id, "").is(t, 204)
	if s := r.org.Summary(); s.MutatingCalls != 1 || s.ByOperation["bulk.close"] != 1 {
		t.Fatalf("summary %+v", s)
	}
}

func TestBulkBadHeaderFailsTheJob(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.do("POST", version+"/jobs/ingest", `{"object":"User","operation":"insert","externalIdFieldName":""}`).object(t)["id"].(string)
	r.do("PUT", version+"/jobs/ingest/"+id+"/batches", "StageName_invalid_field_on_purpose\nx\n").is(t, 201)
	r.do("PATCH", version+"/jobs/ingest/"+id, `{"id":"`+id+`","state":"UploadComplete"}`).is(t, 200)
	r.do("GET", version+"/jobs/ingest/"+id, "")
	done := r.do("GET", version+"/jobs/ingest/"+id, "").object(t)
	if done["state"] != "Failed" || done["errorMessage"] != "InvalidBatch : Field name not found : StageName_invalid_field_on_purpose" || done["externalIdFieldName"] != nil {
		t.Fatalf("job %v", done)
	}
}

// The cell of a failed row is code:message:fields --. [R amp-labs]
func TestBulkErrorCells(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	locked, lost := r.create("locked"), r.create("lost")
	r.plan(emulator.Fault{Effect: emulator.EffectLockRow, Field: "Id", Value: locked, Times: 1})
	id := r.do("POST", version+"/jobs/ingest", `{"object":"User","operation":"update"}`).object(t)["id"].(string)
	job := version + "/jobs/ingest/" + id
	r.do("PUT", job+"/batches", "Id,ManagerId\n"+locked+","+lost+"\n"+lost+",005000000000001AAA\n").is(t, 201)
	r.do("PATCH", job, `{"state":"UploadComplete"}`).is(t, 200)
	r.do("GET", job, "")
	if done := r.do("GET", job, "").object(t); done["state"] != "JobComplete" || done["numberRecordsFailed"] != 2.0 {
		t.Fatalf("job %v", done)
	}
	bad := r.do("GET", job+"/failedResults", "").body
	for _, cell := range []string{`"UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: ` + locked + `:--"`, `"INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--"`} {
		if !strings.Contains(bad, cell) {
			t.Errorf("no %s in %s", cell, bad)
		}
	}
}

// ingest runs a job and gives its path and last state.
func (r *rig) ingest(create, rows string) (string, map[string]any) {
	r.t.Helper()
	job := version + "/jobs/ingest/" + r.do("POST", version+"/jobs/ingest", create).object(r.t)["id"].(string)
	r.do("PUT", job+"/batches", rows).is(r.t, 201)
	r.do("PATCH", job, `{"state":"UploadComplete"}`).is(r.t, 200)
	r.do("GET", job, "")
	return job, r.do("GET", job, "").object(r.t)
}

// The rows must end as the job says. [R forcedotcom/cli #3113]
func TestBulkLineEndings(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, c := range []struct{ declared, rows, want string }{
		{"LF", "Name\nA\n", ""}, {"CRLF", "Name\r\nA\r\n", ""}, {"LF", "Name", ""},
		{"LF", "Name\r\nA\r\n", "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF"},
		{"CRLF", "Name\nA\n", "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is CRLF"},
	} {
		job, done := r.ingest(`{"object":"Account","operation":"insert","lineEnding":"`+c.declared+`"}`, c.rows)
		if c.want == "" {
			if done["state"] != "JobComplete" || done["lineEnding"] != c.declared {
				t.Errorf("%s %q: %v", c.declared, c.rows, done)
			}
			continue
		}
		if done["state"] != "Failed" || done["errorMessage"] != c.want || done["numberRecordsProcessed"] != 0.0 {
			t.Errorf("%s %q: %v", c.declared, c.rows, done)
		}
		if rest := r.do("GET", job+"/unprocessedrecords", "").body; rest != "\"Name\"\n\"A\"\n" {
			t.Errorf("unprocessed %q", rest)
		}
	}
	if n, _ := r.org.Count("SELECT Id FROM Account"); n != 2 {
		t.Errorf("%d accounts", n)
	}
}

func TestBulkDelimitersAndQuotes(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for name, sign := range map[string]string{"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"} {
		job, done := r.ingest(`{"object":"Account","operation":"insert","columnDelimiter":"`+name+`"}`, strings.ReplaceAll("Name,Phone\n\"a \"\"b\"\", c\nd\",\"1\"\n", ",", sign))
		if done["state"] != "JobComplete" || done["numberRecordsFailed"] != 0.0 || done["columnDelimiter"] != name {
			t.Fatalf("%s: %v", name, done)
		}
		good := r.do("GET", job+"/successfulResults", "").body
		if !strings.HasPrefix(good, strings.ReplaceAll(`"sf__Id","sf__Created","Name","Phone"`, ",", sign)+"\n") || !strings.Contains(good, `"a ""b""`+sign+" c\nd\"") {
			t.Errorf("%s: %s", name, good)
		}
	}
}

// A job that waits for its turn does nothing until it has it, and nothing at
// all when it is aborted meanwhile.
func TestBulkJobsWaitForTheirTurn(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.org.HoldBulkJobs(true)
	closed := func() string {
		job := version + "/jobs/ingest/" + r.do("POST", version+"/jobs/ingest", `{"object":"Account","operation":"insert"}`).object(t)["id"].(string)
		r.do("PUT", job+"/batches", "Name\nA\n").is(t, 201)
		r.do("PATCH", job, `{"state":"UploadComplete"}`).is(t, 200)
		return job
	}
	runs, aborted := closed(), closed()
	for range 3 {
		if got := r.do("GET", runs, "").object(t); got["state"] != "UploadComplete" {
			t.Fatalf("a waiting job is %v", got)
		}
	}
	r.do("GET", runs+"/successfulResults", "").is(t, 200)
	r.do("PATCH", aborted, `{"state":"Aborted"}`).is(t, 200)
	if rest := r.do("GET", aborted+"/unprocessedrecords", "").body; rest != "\"Name\"\n\"A\"\n" {
		t.Errorf("unprocessed %q", rest)
	}
	if n, _ := r.org.Count("SELECT Id FROM Account"); n != 0 {
		t.Errorf("%d accounts before", n)
	}
	r.org.HoldBulkJobs(false)
	if n, _ := r.org.Count("SELECT Id FROM Account"); n != 1 {
		t.Errorf("%d accounts after, want 1", n)
	}
	r.do("GET", runs, "").is(t, 200)
	if got := r.do("GET", runs, "").object(t); got["state"] != "JobComplete" || got["numberRecordsProcessed"] != 1.0 {
		t.Errorf("job %v", got)
	}
}

// An aborted job does nothing more, keeps its rows as unprocessed, and can be
// deleted; an open one cannot. [D]
func TestBulkAbortAndDelete(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	job := version + "/jobs/ingest/" + r.do("POST", version+"/jobs/ingest", `{"object":"Account","operation":"insert"}`).object(t)["id"].(string)
	r.do("PUT", job+"/batches", "Name\nA\n").is(t, 201)
	r.do("PUT", job+"/batches", "Name\nA\n").is(t, 400)
	r.do("DELETE", job, "").is(t, 400)
	if got := r.do("PATCH", job, `{"state":"Aborted"}`).object(t); got["state"] != "Aborted" {
		t.Fatalf("job %v", got)
	}
	r.do("PATCH", job, `{"state":"UploadComplete"}`).is(t, 400)
	if rest := r.do("GET", job+"/unprocessedrecords", "").body; rest != "\"Name\"\n\"A\"\n" {
		t.Errorf("unprocessed %q", rest)
	}
	r.do("DELETE", job, "").is(t, 204)
	r.do("GET", job, "").is(t, 404)
	if n, _ := r.org.Count("SELECT Id FROM Account"); n != 0 {
		t.Errorf("%d accounts", n)
	}
	closed := version + "/jobs/ingest/" + r.do("POST", version+"/jobs/ingest", `{"object":"Account","operation":"insert"}`).object(t)["id"].(string)
	r.do("PUT", closed+"/batches", "Name\nA\n").is(t, 201)
	r.do("PATCH", closed, `{"state":"UploadComplete"}`).is(t, 200)
	r.do("PATCH", closed, `{"state":"Aborted"}`).is(t, 200)
	if got := r.do("GET", closed, "").object(t); got["state"] != "Aborted" || got["numberRecordsProcessed"] != 1.0 { // what was done stays done
		t.Errorf("job %v", got)
	}
	r.do("PATCH", closed, `{"state":"Aborted"}`).is(t, 400)
}
