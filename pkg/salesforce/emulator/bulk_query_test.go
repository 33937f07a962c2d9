package emulator_test

import (
	"strings"
	"testing"
)

// A query job: its states, and its rows page by page until the locator is the
// word null.
func TestBulkQuery(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, name := range []string{"ada", "bob", "eve"} {
		r.create(name)
	}
	a := r.do("POST", version+"/jobs/query", `{"operation":"query","query":"SELECT Username, Profile.Name, ManagerId, IsActive FROM User WHERE Email LIKE '%@people.example' ORDER BY Username"}`)
	a.is(t, 200)
	made := a.object(t)
	if keysOf(made) != "apiVersion columnDelimiter concurrencyMode contentType createdById createdDate id lineEnding object operation state systemModstamp" ||
		made["state"] != "UploadComplete" || made["object"] != "User" || made["apiVersion"] != 63.0 {
		t.Fatalf("job %s", a.body)
	}
	job := version + "/jobs/query/" + made["id"].(string)
	r.do("DELETE", job, "").is(t, 400)
	r.do("GET", job, "")
	if done := r.do("GET", job, "").object(t); done["state"] != "JobComplete" || done["numberRecordsProcessed"] != 3.0 || done["jobType"] != "V2Query" {
		t.Fatalf("job %v", done)
	}
	first := r.do("GET", job+"/results?maxRecords=2", "", "Accept", "text/csv")
	locator := first.header.Get("Sforce-Locator")
	if first.header.Get("Sforce-NumberOfRecords") != "2" || locator == "null" || first.header.Get("Content-Type") != "text/csv" ||
		first.body != "\"Username\",\"Profile.Name\",\"ManagerId\",\"IsActive\"\n\"ada@people.example\",\"Standard User\",\"\",\"true\"\n\"bob@people.example\",\"Standard User\",\"\",\"true\"\n" {
		t.Fatalf("first page %v", first)
	}
	last := r.do("GET", job+"/results?maxRecords=2&locator="+locator, "")
	if last.header.Get("Sforce-NumberOfRecords") != "1" || last.header.Get("Sforce-Locator") != "null" || !strings.Contains(last.body, "eve@") {
		t.Fatalf("last page %v", last)
	}
	for _, bad := range []string{"locator=nonsense", "locator=OTk", "maxRecords=0", "maxRecords=-1", "maxRecords=x"} {
		r.do("GET", job+"/results?"+bad, "").is(t, 400)
	}
	r.do("GET", version+"/jobs/query", "").is(t, 200)
	r.do("DELETE", job, "").is(t, 204)
	r.do("GET", job, "").is(t, 404)
}

func TestBulkQueryIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, body := range []string{`{"operation":"query","query":"SELECT"}`, `{"operation":"query","query":"SELECT Nope FROM User"}`, `{"operation":"query","query":"SELECT COUNT() FROM User"}`,
		`{"operation":"insert","query":"SELECT Id FROM User"}`, `{"operation":"query","query":"SELECT FIELDS(STANDARD) FROM User"}`} {
		r.do("POST", version+"/jobs/query", body).is(t, 400)
	}
	job := version + "/jobs/query/" + r.do("POST", version+"/jobs/query", `{"operation":"queryAll","query":"SELECT Id FROM User","columnDelimiter":"TAB","lineEnding":"CRLF"}`).object(t)["id"].(string)
	if a := r.do("GET", job+"/results", ""); !strings.HasPrefix(a.body, "\"Id\"\r\n\"005") {
		t.Fatalf("results %v", a)
	}
	r.do("PATCH", job, `{"state":"Aborted"}`).is(t, 400)
	r.do("PUT", job, "").is(t, 405)
}
