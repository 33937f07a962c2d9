package conformance

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// rollcallDriver is the project's own client.
type rollcallDriver struct{ client *salesforce.Client }

func TestLifeWithRollcall(t *testing.T) {
	t.Parallel()
	o, org := emulated(t)
	o.signIn(t)
	oauth, err := salesforce.NewOAuth(salesforce.OAuthConfig{
		LoginURL: o.loginURL, ClientID: o.key, ClientSecret: func() (string, error) { return o.secret, nil },
		ExpectedOrgID: org.ID(), AllowLoopbackHTTP: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := salesforce.NewClient(salesforce.Config{Sessions: salesforce.SessionsFrom(oauth.ClientCredentials), OrgID: org.ID(), AllowLoopbackHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	life(t, o, org, rollcallDriver{client})
}

func (d rollcallDriver) create(t *testing.T, object string, record map[string]any) string {
	t.Helper()
	r, err := d.client.Create(t.Context(), object, record)
	if err != nil || r.Err() != nil {
		t.Fatal(r, err)
	}
	return r.ID
}

func (d rollcallDriver) query(t *testing.T, soql string) []map[string]any {
	t.Helper()
	records, err := d.client.Query(t.Context(), soql)
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]any
	for _, r := range records {
		out = append(out, r)
	}
	return out
}

func (d rollcallDriver) update(t *testing.T, object, id string, change map[string]any) {
	t.Helper()
	if err := d.client.Update(t.Context(), object, id, change); err != nil {
		t.Fatal(err)
	}
}

func (d rollcallDriver) upsert(t *testing.T, object, field, value string, record map[string]any) {
	t.Helper()
	if _, err := d.client.Upsert(t.Context(), object, field, value, record); err != nil {
		t.Fatal(err)
	}
}

func (d rollcallDriver) remove(t *testing.T, object, id string) {
	t.Helper()
	if err := d.client.Delete(t.Context(), object, id); err != nil {
		t.Fatal(err)
	}
}

func (d rollcallDriver) refuses(t *testing.T, object string, record map[string]any) error {
	t.Helper()
	r, err := d.client.Create(t.Context(), object, record)
	if err != nil {
		return err
	}
	return r.Err()
}

func (d rollcallDriver) createMany(t *testing.T, object string, records []map[string]any) []bool {
	t.Helper()
	return verdicts(t)(d.client.CreateRecords(t.Context(), object, recordsOf(records)))
}

func (d rollcallDriver) updateMany(t *testing.T, object string, changes []map[string]any) []bool {
	t.Helper()
	return verdicts(t)(d.client.UpdateRecords(t.Context(), object, recordsOf(changes)))
}

func (d rollcallDriver) removeMany(t *testing.T, ids []string) []bool {
	t.Helper()
	return verdicts(t)(d.client.DeleteRecords(t.Context(), ids))
}

func (d rollcallDriver) load(t *testing.T, object string, records []map[string]any) (good, bad int) {
	t.Helper()
	columns := []string{}
	for name := range records[0] {
		columns = append(columns, name)
	}
	_, results, err := d.client.BulkIngest(t.Context(), salesforce.BulkLoad{
		Object: object, Operation: salesforce.BulkInsert, MatchColumn: "Username", Columns: columns, Records: recordsOf(records),
		Delay: func(int) time.Duration { return time.Millisecond },
	})
	for _, ok := range verdicts(t)(results, err) {
		if ok {
			good++
		} else {
			bad++
		}
	}
	return good, bad
}

func verdicts(t *testing.T) func([]salesforce.Result, error) []bool {
	t.Helper()
	return func(results []salesforce.Result, err error) []bool {
		if err != nil {
			t.Fatal(err)
		}
		out := make([]bool, len(results))
		for i, r := range results {
			out[i] = r.Success
		}
		return out
	}
}

func recordsOf(list []map[string]any) []salesforce.Record {
	out := make([]salesforce.Record, len(list))
	for i, r := range list {
		out[i] = r
	}
	return out
}
