package emulator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

const (
	clientID     = "3MVG9.rollcall"
	clientSecret = "s3cret"
	version      = "/services/data/v63.0"
)

// rig is one emulator with one org, a web server and a signed-in client.
type rig struct {
	t      *testing.T
	server *emulator.Server
	org    *emulator.Org
	web    *httptest.Server
	token  string
	now    time.Time
}

type answer struct {
	status int
	header http.Header
	body   string
}

func newRig(t *testing.T, change func(cfg *emulator.OrgConfig), opts ...emulator.Option) *rig {
	t.Helper()
	r := &rig{t: t, now: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
	opts = append([]emulator.Option{emulator.WithClock(func() time.Time { return r.now })}, opts...)
	r.server = emulator.New(opts...)
	cfg := emulator.DefaultOrg(clientID, clientSecret)
	if change != nil {
		change(&cfg)
	}
	r.org = r.server.AddOrg(cfg)
	r.web = httptest.NewServer(r.server)
	t.Cleanup(r.web.Close)
	token, err := r.org.AccessToken(emulator.IntegrationUsername)
	if err != nil {
		t.Fatalf("access token: %v", err)
	}
	r.token = token
	return r
}

// try sends a request and gives the error of a connection that broke.
func (r *rig) try(method, path, body string, headers ...string) (answer, error) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.web.URL+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatalf("request: %v", err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Content-Type", "application/json")
	if method == http.MethodPut {
		req.Header.Set("Content-Type", "text/csv") // the rows of a bulk job
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	// On a connection used before, net/http repeats a GET that was dropped by
	// itself; tests must see every drop.
	req.Close = true
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(content)}, err
}

// do asks; headers are pairs of name and value.
func (r *rig) do(method, path, body string, headers ...string) answer {
	r.t.Helper()
	a, err := r.try(method, path, body, headers...)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (r *rig) query(soql string) answer {
	r.t.Helper()
	return r.do("GET", version+"/query/?q="+url.QueryEscape(soql), "")
}

// form posts to an OAuth endpoint.
func (r *rig) form(path string, pairs ...string) answer {
	r.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	res, err := http.Post(r.web.URL+path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	if err != nil {
		r.t.Fatalf("POST %s: %v", path, err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatalf("POST %s: %v", path, err)
	}
	return answer{res.StatusCode, res.Header, string(content)}
}

// person is a complete User body.
func (r *rig) person(name string, more ...string) string {
	fields := map[string]any{"Username": name + "@people.example", "LastName": name, "Email": name + "@people.example",
		"Alias": name[:min(8, len(name))], "TimeZoneSidKey": "Europe/Paris", "LocaleSidKey": "en_US", "EmailEncodingKey": "UTF-8",
		"LanguageLocaleKey": "en_US", "IsActive": true, "ProfileId": r.id("Profile", emulator.StandardUserProfile)}
	for i := 0; i < len(more); i += 2 {
		fields[more[i]] = more[i+1]
		if more[i+1] == "" {
			delete(fields, more[i])
		}
	}
	out, err := json.Marshal(fields)
	if err != nil {
		r.t.Fatalf("person: %v", err)
	}
	return string(out)
}

// typed adds attributes to a record for a collection.
func typed(object, record string) string {
	return `{"attributes":{"type":"` + object + `"},` + record[1:]
}

func collection(allOrNone bool, records ...string) string {
	return fmt.Sprintf(`{"allOrNone":%t,"records":[%s]}`, allOrNone, strings.Join(records, ","))
}

func (r *rig) id(object, name string) string {
	r.t.Helper()
	rows, err := r.org.Query("SELECT Id FROM " + object + " WHERE Name = '" + name + "'")
	if err != nil || len(rows) != 1 {
		r.t.Fatalf("%s %s: %v %v", object, name, rows, err)
	}
	return rows[0]["Id"].(string)
}

// create makes a user over HTTP and gives the id.
func (r *rig) create(name string, more ...string) string {
	r.t.Helper()
	a := r.do("POST", version+"/sobjects/User", r.person(name, more...))
	a.is(r.t, 201)
	return a.object(r.t)["id"].(string)
}

// first is the id of the first row of a query.
func (r *rig) first(soql string) string {
	r.t.Helper()
	rows, err := r.org.Query(soql)
	if err != nil || len(rows) == 0 {
		r.t.Fatalf("%s: %v %v", soql, rows, err)
	}
	return rows[0]["Id"].(string)
}

// login is the id of a user's UserLogin.
func (r *rig) login(user string) string {
	r.t.Helper()
	return r.first("SELECT Id FROM UserLogin WHERE UserId = '" + user + "'")
}

// assign gives a user the permission set HR_Data over HTTP.
func (r *rig) assign(user string) string {
	r.t.Helper()
	a := r.do("POST", version+"/sobjects/PermissionSetAssignment", `{"AssigneeId":"`+user+`","PermissionSetId":"`+r.id("PermissionSet", "HR_Data")+`"}`)
	a.is(r.t, 201)
	return a.object(r.t)["id"].(string)
}

func (a answer) is(t *testing.T, status int) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
}

func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatalf("body %q: %v", a.body, err)
	}
	return out
}

func (a answer) list(t *testing.T) []map[string]any {
	t.Helper()
	var out []map[string]any
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatalf("body %q: %v", a.body, err)
	}
	return out
}

// same compares an answer with a golden body: key for key, byte for byte in
// the texts; only the order of keys and white space may differ.
func (a answer) same(t *testing.T, status int, golden string) {
	t.Helper()
	a.is(t, status)
	if got, want := canonical(t, a.body), canonical(t, golden); got != want {
		t.Fatalf("body\n got %s\nwant %s", got, want)
	}
}

func canonical(t *testing.T, body string) string {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("body %q: %v", body, err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatalf("body: %v", err)
	}
	return strings.TrimSpace(out.String())
}

func (r *rig) plan(f emulator.Fault) string {
	r.t.Helper()
	planned, err := r.server.Plan(f)
	if err != nil {
		r.t.Fatalf("plan: %v", err)
	}
	return planned.ID
}

// struck says how often a planned fault was used.
func (r *rig) struck(id string, times int) {
	r.t.Helper()
	if f, ok := r.server.Fault(id); !ok || f.Used != times {
		r.t.Fatalf("fault %s was used %d times, want %d", id, f.Used, times)
	}
}

func encodeJSON(t *testing.T, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
