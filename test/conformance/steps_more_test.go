package conformance

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// One good row and one bad one: the job is complete, the bad row is told apart.
func (o *target) bulkSteps(t *testing.T) {
	t.Helper()
	path := version + "/jobs/ingest"
	a := o.do(t, http.MethodPost, path, `{"object":"User","operation":"insert","contentType":"CSV","lineEnding":"LF"}`)
	a.must(t, 200, `{"id":"750<text>","operation":"insert","object":"User","createdById":"<id>","createdDate":"<text>","systemModstamp":"<text>","state":"Open",
		"concurrencyMode":"Parallel","contentType":"CSV","apiVersion":63,"contentUrl":"services/data/v63.0/jobs/ingest/<id>/batches","lineEnding":"LF","columnDelimiter":"COMMA"}`)
	job := path + "/" + a.idOf(t)
	columns := []string{"Username", "LastName", "Email", "Alias", "ProfileId", "TimeZoneSidKey", "LocaleSidKey", "EmailEncodingKey", "LanguageLocaleKey", "IsActive"}
	rows := strings.Join(columns, ",") + "\n"
	for _, name := range []string{"bulk", "nobody"} {
		p := o.person(t, name)
		p["IsActive"] = "false"
		if name == "nobody" {
			p["LastName"] = "#N/A"
		}
		for i, c := range columns {
			rows += map[bool]string{true: ",", false: ""}[i > 0] + p[c].(string)
		}
		rows += "\n"
	}
	o.upload(t, job+"/batches", rows)
	o.do(t, http.MethodPatch, job, `{"state":"UploadComplete"}`).must(t, 200, `{"id":"<id>","operation":"insert","object":"User","createdById":"<id>","createdDate":"<text>",
		"systemModstamp":"<text>","state":"UploadComplete","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":63}`)
	if done := o.finished(t, job); done.State != "JobComplete" || done.JobType != "V2Ingest" || done.Processed != 2 || done.Failed != 1 {
		t.Fatalf("job %+v", done)
	}
	good := o.do(t, http.MethodGet, job+"/successfulResults", nil)
	if !strings.HasPrefix(good.body, `"sf__Id","sf__Created",`) || !strings.Contains(good.body, o.username("bulk")) || good.header.Get("Content-Type") != "text/csv" {
		t.Errorf("successful results %v %s", good.header, good.body)
	}
	bad := o.do(t, http.MethodGet, job+"/failedResults", nil)
	if !strings.HasPrefix(bad.body, `"sf__Id","sf__Error",`) || !strings.Contains(bad.body, `"REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"`) {
		t.Errorf("failed results %s", bad.body)
	}
	o.do(t, http.MethodDelete, job, nil).must(t, 204, "")
}

func (o *target) upload(t *testing.T, path, rows string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, o.instance+path, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+o.token)
	req.Header.Set("Content-Type", "text/csv")
	send(t, req).must(t, 201, "")
}

type ingestJob struct {
	State     string `json:"state"`
	JobType   string `json:"jobType"`
	Processed int    `json:"numberRecordsProcessed"`
	Failed    int    `json:"numberRecordsFailed"`
}

// finished looks at the job until it is done, ten minutes at most.
func (o *target) finished(t *testing.T, path string) ingestJob {
	t.Helper()
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		var job ingestJob
		a := o.do(t, http.MethodGet, path, nil)
		if err := json.Unmarshal([]byte(a.body), &job); err != nil {
			t.Fatalf("job: HTTP %d %s", a.status, a.body)
		}
		switch job.State {
		case "JobComplete", "Failed", "Aborted":
			return job
		}
		select {
		case <-time.After(wait):
		case <-t.Context().Done():
			t.Fatalf("job is still %s", job.State)
		}
	}
}

// Freezing and leaving, and coming back.
func (o *target) leavingSteps(t *testing.T) {
	t.Helper()
	id := o.id(t, "SELECT Id FROM User WHERE Username = '"+o.username("ada")+"'")
	// UserLogin may have no row for somebody who never signed in.
	if rows := o.rows(t, "SELECT Id, IsFrozen FROM UserLogin WHERE UserId = '"+id+"'"); len(rows) == 1 {
		login := version + "/sobjects/UserLogin/" + rows[0]["Id"].(string)
		o.do(t, http.MethodPatch, login, `{"IsFrozen":true}`).must(t, 204, "")
		o.do(t, http.MethodPatch, login, `{"IsFrozen":false}`).must(t, 204, "")
	}
	o.do(t, http.MethodPatch, version+"/sobjects/User/"+id, `{"IsActive":false}`).must(t, 204, "")
	o.do(t, http.MethodPatch, version+"/sobjects/User/"+id, `{"IsActive":true}`).must(t, 204, "")
	if a := o.do(t, http.MethodDelete, version+"/sobjects/User/"+id, nil); a.status < 400 {
		t.Errorf("a user was deleted: HTTP %d", a.status) // [D]; which refusal is not recorded
	}
}

// A second assignment is refused with two spaces and ids of 15 characters.
func (o *target) assignmentSteps(t *testing.T) {
	t.Helper()
	if o.set == "" {
		t.Skip("no permission set is given: set ROLLCALL_CONFORMANCE_PERMISSION_SET (see docs/conformance.md)")
	}
	id := o.id(t, "SELECT Id FROM User WHERE Username = '"+o.username("ada")+"'")
	set := o.id(t, "SELECT Id FROM PermissionSet WHERE Name = '"+o.set+"' AND IsOwnedByProfile = false")
	grant := map[string]any{"AssigneeId": id, "PermissionSetId": set}
	a := o.do(t, http.MethodPost, version+"/sobjects/PermissionSetAssignment", grant)
	a.must(t, 201, `{"id":"0Pa<text>","success":true,"errors":[]}`)
	row := a.idOf(t)
	o.do(t, http.MethodPost, version+"/sobjects/PermissionSetAssignment", grant).must(t, 400, text(
		`[{"message":"Duplicate PermissionSetAssignment.  Assignee: %s; Permission Set: %s","errorCode":"DUPLICATE_VALUE","fields":["AssigneeId","PermissionSetId"]}]`, id[:15], set[:15]))
	o.do(t, http.MethodDelete, version+"/composite/sobjects?ids="+row, nil).must(t, 200, `[{"id":"`+row+`","success":true,"errors":[]}]`)
}
