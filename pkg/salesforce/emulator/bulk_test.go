package emulator_test

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func TestBulkIngest(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	a := b.do("POST", version+"/jobs/ingest/", `{"object":"User","operation":"upsert","contentType":"CSV","lineEnding":"LF","externalIdFieldName":"Rollcall_Key__c"}`)
	a.is(t, 200)
	job := a.object(t)
	id := job["id"].(string)
	// [R amp-labs bulk]: no leading slash, a number for the version.
	if keysOf(job) != "apiVersion columnDelimiter concurrencyMode contentType contentUrl createdById createdDate externalIdFieldName id lineEnding object operation state systemModstamp" ||
		job["contentUrl"] != "services/data/v63.0/jobs/ingest/"+id+"/batches" || !strings.Contains(a.body, `"apiVersion":63.0,`) || !strings.HasPrefix(id, "750") {
		t.Fatalf("job %s", a.body)
	}
	profile := b.id("Profile", "Standard User")
	csv := "Rollcall_Key__c,Username,LastName,Email,Alias,TimeZoneSidKey,LocaleSidKey,EmailEncodingKey,LanguageLocaleKey,ProfileId,IsActive\n" +
		"k1,bulk1@people.example,One,bulk1@people.example,b1,GMT,en_US,UTF-8,en_US," + profile + ",true\n" +
		"k2,bulk2@people.example,#N/A,bulk2@people.example,b2,GMT,en_US,UTF-8,en_US," + profile + ",true\n" +
		"k3,bulk3@people.example,Three,bulk3@people.example,b3,GMT,en_US,UTF-8,en_US," + profile + ",perhaps\n"
	if up := b.do("PUT", version+"/jobs/ingest/"+id+"/batches", csv); up.status != 201 || up.body != "" {
		t.Fatalf("upload %v", up)
	}
	closed := b.do("PATCH", version+"/jobs/ingest/"+id, `{"state":"UploadComplete"}`).object(t)
	if closed["state"] != "UploadComplete" || closed["contentUrl"] != nil || closed["lineEnding"] != nil {
		t.Fatalf("closed %v", closed)
	}
	if s := b.do("GET", version+"/jobs/ingest/"+id, "").object(t)["state"]; s != "InProgress" {
		t.Fatalf("state %v", s)
	}
	done := b.do("GET", version+"/jobs/ingest/"+id, "").object(t)
	if done["state"] != "JobComplete" || done["numberRecordsProcessed"] != 3.0 || done["numberRecordsFailed"] != 2.0 || done["jobType"] != "V2Ingest" {
		t.Fatalf("done %v", done)
	}
	bad := b.do("GET", version+"/jobs/ingest/"+id+"/failedResults", "")
	if !strings.HasPrefix(bad.body, `"sf__Id","sf__Error","Rollcall_Key__c"`) ||
		!strings.Contains(bad.body, `"REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --","k2"`) ||
		!strings.Contains(bad.body, `"INVALID_FIELD:Failed to deserialize field at col 10. Due to, 'perhaps' is not a valid value for the type xsd:boolean:IsActive --"`) {
		t.Fatalf("failed results %s", bad.body)
	}
	good := b.do("GET", version+"/jobs/ingest/"+id+"/successfulResults", "")
	u, found := b.org.UserByUsername("bulk1@people.example")
	if !found || !strings.Contains(good.body, "\n\""+u.ID+`","true","k1"`) || good.header.Get("Content-Type") != "text/csv" {
		t.Fatalf("successful results %s", good.body)
	}
	b.do("GET", version+"/jobs/ingest/"+id+"/unprocessedrecords", "").is(t, 200)
	b.do("DELETE", version+"/jobs/ingest/"+id, "").is(t, 204)
	if s := b.org.Summary(); s.MutatingCalls != 1 || s.ByOperation["bulk.close"] != 1 {
		t.Fatalf("summary %+v", s)
	}
}

func TestBulkBadHeaderFailsTheJob(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	id := b.do("POST", version+"/jobs/ingest", `{"object":"User","operation":"insert","externalIdFieldName":""}`).object(t)["id"].(string)
	b.do("PUT", version+"/jobs/ingest/"+id+"/batches", "StageName_invalid_field_on_purpose\nx\n").is(t, 201)
	b.do("PATCH", version+"/jobs/ingest/"+id, `{"id":"`+id+`","state":"UploadComplete"}`).is(t, 200)
	b.do("GET", version+"/jobs/ingest/"+id, "")
	done := b.do("GET", version+"/jobs/ingest/"+id, "").object(t)
	if done["state"] != "Failed" || done["errorMessage"] != "InvalidBatch : Field name not found : StageName_invalid_field_on_purpose" || done["externalIdFieldName"] != nil {
		t.Fatalf("job %v", done)
	}
}

// The cell of a failed row is code:message:fields --. [R amp-labs]
func TestBulkErrorCells(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	locked, lost := b.create("locked"), b.create("lost")
	b.plan(emulator.Fault{Effect: emulator.EffectLockRow, Field: "Id", Value: locked, Times: 1})
	id := b.do("POST", version+"/jobs/ingest", `{"object":"User","operation":"update"}`).object(t)["id"].(string)
	job := version + "/jobs/ingest/" + id
	b.do("PUT", job+"/batches", "Id,ManagerId\n"+locked+","+lost+"\n"+lost+",005000000000001AAA\n").is(t, 201)
	b.do("PATCH", job, `{"state":"UploadComplete"}`).is(t, 200)
	b.do("GET", job, "")
	if done := b.do("GET", job, "").object(t); done["state"] != "JobComplete" || done["numberRecordsFailed"] != 2.0 {
		t.Fatalf("job %v", done)
	}
	bad := b.do("GET", job+"/failedResults", "").body
	for _, cell := range []string{`"UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: ` + locked + `:--"`, `"INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--"`} {
		if !strings.Contains(bad, cell) {
			t.Errorf("no %s in %s", cell, bad)
		}
	}
}
