package conformance

import (
	"maps"
	"testing"

	gosalesforce "github.com/k-capehart/go-salesforce/v3"
)

// goSalesforceDriver is a client that others wrote for the real service.
type goSalesforceDriver struct{ client *gosalesforce.Salesforce }

func TestLifeWithGoSalesforce(t *testing.T) {
	t.Parallel()
	o, org := emulated(t)
	o.signIn(t)
	client, err := gosalesforce.Init(gosalesforce.Creds{Domain: o.loginURL, ConsumerKey: o.key, ConsumerSecret: o.secret},
		gosalesforce.WithAPIVersion("v63.0"))
	if err != nil {
		t.Fatal(err)
	}
	life(t, o, org, goSalesforceDriver{client})
	// It signs in again by itself when the session is gone.
	org.ExpireSessions()
	if rows := (goSalesforceDriver{client}).query(t, "SELECT Id FROM Organization"); len(rows) != 1 {
		t.Fatalf("organizations %v", rows)
	}
}

func (d goSalesforceDriver) create(t *testing.T, object string, record map[string]any) string {
	t.Helper()
	r, err := d.client.InsertOne(object, record)
	if err != nil || !r.Success {
		t.Fatal(r, err)
	}
	return r.Id
}

func (d goSalesforceDriver) query(t *testing.T, soql string) []map[string]any {
	t.Helper()
	var rows []map[string]any
	if err := d.client.Query(soql, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func (d goSalesforceDriver) update(t *testing.T, object, id string, change map[string]any) {
	t.Helper()
	change = maps.Clone(change)
	change["Id"] = id
	if err := d.client.UpdateOne(object, change); err != nil {
		t.Fatal(err)
	}
}

func (d goSalesforceDriver) upsert(t *testing.T, object, field, value string, record map[string]any) {
	t.Helper()
	record = maps.Clone(record)
	record[field] = value
	if r, err := d.client.UpsertOne(object, field, record); err != nil || !r.Success {
		t.Fatal(r, err)
	}
}

func (d goSalesforceDriver) remove(t *testing.T, object, id string) {
	t.Helper()
	if err := d.client.DeleteOne(object, map[string]any{"Id": id}); err != nil {
		t.Fatal(err)
	}
}

func (d goSalesforceDriver) refuses(t *testing.T, object string, record map[string]any) error {
	t.Helper()
	_, err := d.client.InsertOne(object, record)
	return err
}

func (d goSalesforceDriver) createMany(t *testing.T, object string, records []map[string]any) []bool {
	t.Helper()
	return successes(t)(d.client.InsertCollection(object, records, 200))
}

func (d goSalesforceDriver) updateMany(t *testing.T, object string, changes []map[string]any) []bool {
	t.Helper()
	return successes(t)(d.client.UpdateCollection(object, changes, 200))
}

func (d goSalesforceDriver) removeMany(t *testing.T, ids []string) []bool {
	t.Helper()
	var rows []map[string]any
	for _, id := range ids {
		rows = append(rows, map[string]any{"Id": id})
	}
	return successes(t)(d.client.DeleteCollection("GroupMember", rows, 200))
}

func (d goSalesforceDriver) load(t *testing.T, object string, records []map[string]any) (good, bad int) {
	t.Helper()
	jobs, err := d.client.InsertBulk(object, records, 10_000, true)
	if err != nil || len(jobs) != 1 {
		t.Fatal(jobs, err)
	}
	job, err := d.client.GetJobResults(jobs[0])
	if err != nil || job.State != "JobComplete" {
		t.Fatal(job, err)
	}
	return len(job.SuccessfulRecords), len(job.FailedRecords)
}

func successes(t *testing.T) func(gosalesforce.SalesforceResults, error) []bool {
	t.Helper()
	return func(results gosalesforce.SalesforceResults, err error) []bool {
		if err != nil {
			t.Fatal(err)
		}
		var out []bool
		for _, r := range results.Results {
			out = append(out, r.Success)
		}
		return out
	}
}
