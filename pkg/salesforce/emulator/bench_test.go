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

// bench is one emulator with one org, a web server and a signed-in client.
type bench struct {
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

func newBench(t *testing.T, change func(cfg *emulator.OrgConfig), opts ...emulator.Option) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
	opts = append([]emulator.Option{emulator.WithClock(func() time.Time { return b.now })}, opts...)
	b.server = emulator.New(opts...)
	cfg := emulator.DefaultOrg(clientID, clientSecret)
	if change != nil {
		change(&cfg)
	}
	b.org = b.server.AddOrg(cfg)
	b.web = httptest.NewServer(b.server)
	t.Cleanup(b.web.Close)
	token, err := b.org.AccessToken(emulator.IntegrationUsername)
	if err != nil {
		t.Fatalf("access token: %v", err)
	}
	b.token = token
	return b
}

// try sends a request and gives the error of a connection that broke.
func (b *bench) try(method, path, body string, headers ...string) (answer, error) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.web.URL+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatalf("request: %v", err)
	}
	req.Header.Set("Authorization", "Bearer "+b.token)
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
func (b *bench) do(method, path, body string, headers ...string) answer {
	b.t.Helper()
	a, err := b.try(method, path, body, headers...)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (b *bench) query(soql string) answer {
	b.t.Helper()
	return b.do("GET", version+"/query/?q="+url.QueryEscape(soql), "")
}

// form posts to an OAuth endpoint.
func (b *bench) form(path string, pairs ...string) answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	res, err := http.Post(b.web.URL+path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatalf("POST %s: %v", path, err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatalf("POST %s: %v", path, err)
	}
	return answer{res.StatusCode, res.Header, string(content)}
}

// person is a complete User body.
func (b *bench) person(name string, more ...string) string {
	fields := map[string]any{"Username": name + "@people.example", "LastName": name, "Email": name + "@people.example",
		"Alias": name[:min(8, len(name))], "TimeZoneSidKey": "Europe/Paris", "LocaleSidKey": "en_US", "EmailEncodingKey": "UTF-8",
		"LanguageLocaleKey": "en_US", "IsActive": true, "ProfileId": b.id("Profile", emulator.StandardUserProfile)}
	for i := 0; i < len(more); i += 2 {
		fields[more[i]] = more[i+1]
		if more[i+1] == "" {
			delete(fields, more[i])
		}
	}
	out, err := json.Marshal(fields)
	if err != nil {
		b.t.Fatalf("person: %v", err)
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

func (b *bench) id(object, name string) string {
	b.t.Helper()
	rows, err := b.org.Query("SELECT Id FROM " + object + " WHERE Name = '" + name + "'")
	if err != nil || len(rows) != 1 {
		b.t.Fatalf("%s %s: %v %v", object, name, rows, err)
	}
	return rows[0]["Id"].(string)
}

// create makes a user over HTTP and gives the id.
func (b *bench) create(name string, more ...string) string {
	b.t.Helper()
	a := b.do("POST", version+"/sobjects/User", b.person(name, more...))
	a.is(b.t, 201)
	return a.object(b.t)["id"].(string)
}

// first is the id of the first row of a query.
func (b *bench) first(soql string) string {
	b.t.Helper()
	rows, err := b.org.Query(soql)
	if err != nil || len(rows) == 0 {
		b.t.Fatalf("%s: %v %v", soql, rows, err)
	}
	return rows[0]["Id"].(string)
}

// login is the id of a user's UserLogin.
func (b *bench) login(user string) string {
	b.t.Helper()
	return b.first("SELECT Id FROM UserLogin WHERE UserId = '" + user + "'")
}

// assign gives a user the permission set HR_Data over HTTP.
func (b *bench) assign(user string) string {
	b.t.Helper()
	a := b.do("POST", version+"/sobjects/PermissionSetAssignment", `{"AssigneeId":"`+user+`","PermissionSetId":"`+b.id("PermissionSet", "HR_Data")+`"}`)
	a.is(b.t, 201)
	return a.object(b.t)["id"].(string)
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

func (b *bench) plan(f emulator.Fault) string {
	b.t.Helper()
	planned, err := b.server.Plan(f)
	if err != nil {
		b.t.Fatalf("plan: %v", err)
	}
	return planned.ID
}

// struck says how often a planned fault was used.
func (b *bench) struck(id string, times int) {
	b.t.Helper()
	if f, ok := b.server.Fault(id); !ok || f.Used != times {
		b.t.Fatalf("fault %s was used %d times, want %d", id, f.Used, times)
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
