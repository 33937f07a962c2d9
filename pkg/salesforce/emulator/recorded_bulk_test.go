package emulator_test

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/shapetest"
)

// shape compares an answer with a pattern.
func (r *rig) shape(a answer, status int, pattern string) {
	r.t.Helper()
	a.is(r.t, status)
	if err := shapetest.Like(a.body, pattern); err != nil {
		r.t.Errorf("%v\nbody %s", err, a.body)
	}
}

// An ingest job from its making to its deletion. [R amp-labs bulk]
func TestRecordedBulkJob(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	const head = `{"id":"750<text>","operation":"upsert","object":"User","createdById":"005<text>","createdDate":"2026-03-01T08:00:00.000+0000","systemModstamp":"2026-03-01T08:00:00.000+0000",`
	const middle = `"externalIdFieldName":"Rollcall_Key__c","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":63`
	a := r.do("POST", version+"/jobs/ingest", `{"object":"User","operation":"upsert","contentType":"CSV","lineEnding":"LF","externalIdFieldName":"Rollcall_Key__c"}`)
	r.shape(a, 200, head+`"state":"Open",`+middle+`,"contentUrl":"services/data/v63.0/jobs/ingest/<id>/batches","lineEnding":"LF","columnDelimiter":"COMMA"}`)
	if !strings.Contains(a.body, `"apiVersion":63.0,`) {
		t.Errorf("the version is written %s", a.body)
	}
	job := version + "/jobs/ingest/" + a.object(t)["id"].(string)
	up := r.do("PUT", job+"/batches", "Rollcall_Key__c,Title\nk1,A\n")
	if up.is(t, 201); up.body != "" {
		t.Errorf("upload answers %q", up.body)
	}
	r.shape(r.do("PATCH", job, `{"state":"UploadComplete"}`), 200, head+`"state":"UploadComplete",`+middle+`}`)
	const counters = `"retries":0,"totalProcessingTime":0,"apiActiveProcessingTime":0,"apexProcessingTime":0}`
	const full = middle + `,"jobType":"V2Ingest","lineEnding":"LF","columnDelimiter":"COMMA",`
	r.shape(r.do("GET", job, ""), 200, head+`"state":"InProgress",`+full+`"numberRecordsProcessed":0,"numberRecordsFailed":0,`+counters)
	r.shape(r.do("GET", job, ""), 200, head+`"state":"JobComplete",`+full+`"numberRecordsProcessed":1,"numberRecordsFailed":1,`+counters)
	for which, header := range map[string]string{"successfulResults": `"sf__Id","sf__Created","Rollcall_Key__c","Title"`, "failedResults": `"sf__Id","sf__Error","Rollcall_Key__c","Title"`, "unprocessedrecords": `"Rollcall_Key__c","Title"`} {
		a := r.do("GET", job+"/"+which, "")
		if first, _, _ := strings.Cut(a.body, "\n"); first != header || a.header.Get("Content-Type") != "text/csv" {
			t.Errorf("%s: %v", which, a)
		}
	}
	r.do("DELETE", job, "").is(t, 204)
}

// A bad header fails the whole job. [R amp-labs bulk]
func TestRecordedBulkFailure(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	job, _ := r.ingest(`{"object":"Account","operation":"insert"}`, "StageName_invalid_field_on_purpose\nx\n")
	r.shape(r.do("GET", job, ""), 200, `{"id":"<id>","operation":"insert","object":"Account","createdById":"<id>","createdDate":"<text>","systemModstamp":"<text>","state":"Failed","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":63,
		"jobType":"V2Ingest","lineEnding":"LF","columnDelimiter":"COMMA","numberRecordsProcessed":0,"numberRecordsFailed":0,"retries":0,"totalProcessingTime":0,"apiActiveProcessingTime":0,"apexProcessingTime":0,
		"errorMessage":"InvalidBatch : Field name not found : StageName_invalid_field_on_purpose"}`)
}

// The cells of refused rows, word for word. [R amp-labs bulk]
func TestRecordedBulkErrorCells(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *emulator.OrgConfig) {
		cfg.CustomFields = append(cfg.CustomFields, emulator.CustomField{Name: "CloseDate__c", Type: "date"})
	})
	locked, lost, dated := r.create("locked"), r.create("lost"), r.create("dated")
	r.plan(emulator.Fault{Effect: emulator.EffectRecordError, Field: "Id", Value: locked, Times: 1, Code: "UNABLE_TO_LOCK_ROW",
		Message: "unable to obtain exclusive access to this record or 200 records: " + locked})
	job, _ := r.ingest(`{"object":"User","operation":"update"}`, "Id,ManagerId,LastName,CloseDate__c\n"+locked+",,,\n"+lost+",005000000000001AAA,,\n"+dated+",,,1/2/3\n"+r.create("nameless")+",,#N/A,\n")
	bad := r.do("GET", job+"/failedResults", "").body
	for _, cell := range []string{
		`UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 200 records: ` + locked + `:--`,
		`INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--`,
		`INVALID_FIELD:Failed to deserialize field at col 3. Due to, '1/2/3' is not a valid value for the type xsd:date:CloseDate__c --`,
		`REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --`,
	} {
		if !strings.Contains(bad, `"`+cell+`"`) {
			t.Errorf("no cell %s in\n%s", cell, bad)
		}
	}
}

// How long the fields of User are. [R describe via camel; D sfFieldRef 234]
func TestRecordedLengths(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	want := map[string]float64{"Username": 80, "LastName": 80, "FirstName": 40, "Name": 121, "Alias": 8, "CommunityNickname": 40, "Email": 128,
		"CompanyName": 80, "Department": 80, "Division": 80, "City": 40, "Country": 80, "AboutMe": 1000}
	for _, f := range r.do("GET", version+"/sobjects/User/describe", "").object(t)["fields"].([]any) {
		f := f.(map[string]any)
		name := f["name"].(string)
		length, recorded := want[name]
		if !recorded {
			continue
		}
		delete(want, name)
		if f["length"] != length {
			t.Errorf("%s is %v long", name, f["length"])
		}
		if name != "Name" && name != "Username" && name != "Email" {
			long := strings.Repeat("x", int(length)+1)
			r.shape(r.do("POST", version+"/sobjects/User", r.person("ada", name, long)), 400,
				`[{"message":"`+f["label"].(string)+`: data value too large: `+long+` (max length=<text>)","errorCode":"STRING_TOO_LONG","fields":["`+name+`"]}]`)
		}
	}
	if len(want) > 0 {
		t.Errorf("not described: %v", want)
	}
}
