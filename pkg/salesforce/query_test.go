package salesforce

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

func TestQueryRecordedAnswer(t *testing.T) {
	t.Parallel()
	// [R amp-labs permission-set.json], with a parent and a large number added
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/services/data/v63.0/query" || req.URL.Query().Get("q") != "SELECT Id FROM PermissionSet WHERE Name = 'a b&c'" {
			t.Errorf("url %s", req.URL)
		}
		answer(200, `{"totalSize":1,"done":true,"records":[{"attributes":{"type":"PermissionSet","url":"/services/data/v60.0/sobjects/PermissionSet/0PSak00000M9uBBGAZ"},"Id":"0PSak00000M9uBBGAZ","Name":"IntegrationCustomFieldVisibility","IsCustom":true,"N":9007199254740993,"Profile":{"attributes":{"type":"Profile"},"Name":"Standard User"},"License":null}]}`)(w, req)
	})
	records, err := r.client.Query(t.Context(), "SELECT Id FROM PermissionSet WHERE Name = 'a b&c'")
	if err != nil || len(records) != 1 {
		t.Fatal(records, err)
	}
	rec := records[0]
	if rec.ID() != "0PSak00000M9uBBGAZ" || rec.Type() != "PermissionSet" || !rec.Bool("iscustom") || rec.Int("N") != 9007199254740993 ||
		rec.String("Profile.Name") != "Standard User" || rec.String("License.Name") != "" || rec.String("N") != "9007199254740993" {
		t.Errorf("record %v", rec)
	}
}

// pages answers a query of three pages of the given size.
func pages(size int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n := 0
		_, _ = fmt.Sscanf(r.URL.Path, "/services/data/v63.0/query/01g-%d", &n)
		var records []string
		for i := range size {
			records = append(records, fmt.Sprintf(`{"Id":%q}`, userID(n*size+i)))
		}
		next := fmt.Sprintf(`,"nextRecordsUrl":"/services/data/v63.0/query/01g-%d"`, n+1)
		if n == 2 {
			next = ""
		}
		answer(200, fmt.Sprintf(`{"totalSize":%d,"done":%v%s,"records":[%s]}`, 3*size, n == 2, next, strings.Join(records, ",")))(w, r)
	}
}

func TestQueryFollowsPages(t *testing.T) {
	t.Parallel()
	r := newRig(t, pages(4))
	records, err := r.client.Query(t.Context(), "SELECT Id FROM User")
	if err != nil || len(records) != 12 || records[11].ID() != userID(11) {
		t.Error(records, err)
	}
	stop := errors.New("enough")
	calls := 0
	err = r.client.QueryEach(t.Context(), "SELECT Id FROM User", func([]Record) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Error(err, calls)
	}
	bounded := newRig(t, pages(4), func(c *Config) { c.MaxRecords = 10 })
	_, err = bounded.client.Query(t.Context(), "SELECT Id FROM User")
	wantError(t, err, Programming, NotApplied)
}

func TestQueryAnswersThatCannotBeTrusted(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{}`, `null`, `[]`, `{"totalSize":0,"done":true}`, `{"done":true,"records":[]}`, `{"totalSize":0,"records":[]}`,
		`{"totalSize":2,"done":true,"records":[{"Id":"1"}]}`,
		`{"totalSize":1,"done":true,"records":[{"Id":"1"},{"Id":"2"}]}`,
		`{"totalSize":2,"done":false,"records":[{"Id":"1"}]}`,
		`{"totalSize":2,"done":false,"nextRecordsUrl":"https://evil.example/","records":[{"Id":"1"}]}`,
		`{"totalSize":2,"done":false,"nextRecordsUrl":"/services/data/v63.0/query/01g","records":[]}`,
		`{"totalSize":2,"done":false,"nextRecordsUrl":"/services/data/../../evil","records":[{"Id":"1"}]}`,
		`[{"message":"x","errorCode":"UNKNOWN_EXCEPTION"}]`,
	} {
		r := newRig(t, answer(200, body))
		records, err := r.client.Query(t.Context(), "SELECT Id FROM User")
		if _, ok := asError(err); !ok || records != nil {
			t.Errorf("%s = %v, %v", body, records, err)
		}
	}
}

func TestQueryCount(t *testing.T) {
	t.Parallel()
	r := newRig(t, answer(200, `{"totalSize":42,"done":true,"records":[]}`))
	n, err := r.client.QueryCount(t.Context(), "SELECT count() FROM User")
	if err != nil || n != 42 {
		t.Error(n, err)
	}
}

// [R amp-labs unknown-object.json] the log holds the sentence, not the query
func TestQueryErrorText(t *testing.T) {
	t.Parallel()
	r := newRig(t, answer(400, `[{"message":"\nName,BillingCity,IsDeleted FROM Accout WHERE Name = 'Secret'\n                                ^\nERROR at Row:1:Column:43\nsObject type 'Accout' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.","errorCode":"INVALID_TYPE"}]`))
	_, err := r.client.Query(t.Context(), "SELECT Name,BillingCity,IsDeleted FROM Accout")
	e := wantError(t, err, Misconfigured, NotApplied)
	if strings.Contains(e.Error(), "Secret") || !strings.Contains(e.Error(), "type 'Accout' is not supported") {
		t.Errorf("text %q", e.Error())
	}
}

func TestSOQLEscaping(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`O'Brien`:       `'O\'Brien'`,
		`back\slash`:    `'back\\slash'`,
		`\' OR Id != '`: `'\\\' OR Id != \''`,
		"line\nbreak":   `'line\nbreak'`,
		`say "hi"`:      `'say \"hi\"'`,
		`Łukasz 東`:      `'Łukasz 東'`,
		"":              `''`,
	}
	for in, want := range cases {
		if got := Quote(in); got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
	}
	if got := In("Username", []string{"a", "b'"}); got != `Username IN ('a','b\'')` {
		t.Error(got)
	}
	if got := In("Username", nil); strings.Contains(got, "IN ()") {
		t.Error(got)
	}
}

func TestInQueryChunks(t *testing.T) {
	t.Parallel()
	long := make([]string, 500)
	for i := range long {
		long[i] = fmt.Sprintf("ünïcode'%d@example.com", i)
	}
	q := InQuery{
		Fields: []string{"id", "Username", "IsActive"}, From: "User", Where: "UserType = 'Standard'",
		Any: []InTerm{{Field: "FederationIdentifier", Values: long}, {Field: "Username", Values: slices.Concat(long, long)}},
	}
	soqls, err := q.queries()
	if err != nil {
		t.Fatal(err)
	}
	values := 0
	for _, soql := range soqls {
		uri := "/services/data/v63.0/query?" + url.Values{"q": {soql}}.Encode()
		if len(uri) > maxURI {
			t.Errorf("a URI of %d bytes", len(uri))
		}
		if !strings.HasPrefix(soql, "SELECT Id,Username,IsActive FROM User WHERE (") || !strings.HasSuffix(soql, ") AND (UserType = 'Standard')") {
			t.Errorf("query %.80s", soql)
		}
		values += strings.Count(soql, "@example.com")
	}
	if values != 1000 || len(soqls) < 4 {
		t.Errorf("%d values in %d queries", values, len(soqls))
	}
	few, err := InQuery{From: "User", Any: []InTerm{{"A", []string{"1", "1", "2"}}, {"B", []string{"3"}}}, MaxValues: 2}.queries()
	if want := []string{"SELECT Id FROM User WHERE (A IN ('1','2'))", "SELECT Id FROM User WHERE (B IN ('3'))"}; err != nil || !reflect.DeepEqual(few, want) {
		t.Error(few, err)
	}
	both, _ := InQuery{From: "User", Any: []InTerm{{"A", []string{"1"}}, {"B", nil}, {"C", []string{"3"}}}}.queries()
	if want := []string{"SELECT Id FROM User WHERE (A IN ('1') OR C IN ('3'))"}; !reflect.DeepEqual(both, want) {
		t.Error(both)
	}
}

func TestInQueryRefusals(t *testing.T) {
	t.Parallel()
	for _, q := range []InQuery{
		{From: "User u, Group", Any: []InTerm{{"Id", []string{"x"}}}},
		{From: "User", Any: []InTerm{{"Id) OR (Name", []string{"x"}}}},
		{From: "User", Fields: []string{"Id FROM Group"}, Any: []InTerm{{"Id", []string{"x"}}}},
		{From: "User", MaxValues: -1},
		{From: "User", Any: []InTerm{{"Id", []string{strings.Repeat("x", maxURI)}}}},
	} {
		_, err := q.queries()
		wantError(t, err, Programming, NotApplied)
	}
}

// Several queries travel in one call, and a row found twice is returned once.
func TestQueryInUsesOneCallForFiveQueries(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		calls.Add(1)
		var body struct{ CompositeRequest []compositeSub }
		if err := decodeBody(req, &body); err != nil {
			t.Error(err)
		}
		var subs []string
		for _, s := range body.CompositeRequest {
			subs = append(subs, fmt.Sprintf(`{"body":{"totalSize":2,"done":true,"records":[{"Id":%q},{"Id":%q}]},"httpHeaders":{},"httpStatusCode":200,"referenceId":%q}`,
				userID(1), userID(int(calls.Load())*10), s.ReferenceID))
		}
		answer(200, `{"compositeResponse":[`+strings.Join(subs, ",")+`]}`)(w, req)
	})
	values := make([]string, 7)
	for i := range values {
		values[i] = fmt.Sprint(i)
	}
	records, err := r.client.QueryIn(t.Context(), InQuery{From: "User", Any: []InTerm{{"Username", values}}, MaxValues: 1})
	if err != nil || calls.Load() != 2 || len(records) != 3 {
		t.Errorf("%d calls, %v, %v", calls.Load(), records, err)
	}
	if got, err := r.client.QueryIn(t.Context(), InQuery{From: "User", Any: []InTerm{{"Username", nil}}}); got != nil || err != nil || calls.Load() != 2 {
		t.Error("without values there is nothing to ask")
	}
}

func TestCompositeQueriesJudgesEach(t *testing.T) {
	t.Parallel()
	r := newRig(t, answer(200, `{"compositeResponse":[
		{"body":{"totalSize":0,"done":true,"records":[]},"httpHeaders":{},"httpStatusCode":200,"referenceId":"ref0"},
		{"body":[{"errorCode":"INVALID_FIELD","message":"No such column 'x' on entity 'User'"}],"httpHeaders":{},"httpStatusCode":400,"referenceId":"ref1"},
		{"body":{"done":true},"httpHeaders":{},"httpStatusCode":200,"referenceId":"ref2"}]}`))
	records, errs, err := r.client.CompositeQueries(t.Context(), []string{"a", "b", "c"})
	if err != nil || errs[0] != nil || len(records[0]) != 0 {
		t.Fatal(records, errs, err)
	}
	wantError(t, errs[1], Misconfigured, NotApplied)
	wantError(t, errs[2], Unavailable, NotApplied)
	_, _, err = r.client.CompositeQueries(t.Context(), make([]string, 6))
	wantError(t, err, Programming, NotApplied)
	failing := newRig(t, answer(503, ""))
	_, _, err = failing.client.CompositeQueries(t.Context(), []string{"a"})
	wantError(t, err, Unavailable, NotApplied) // it only reads
}

func TestLimits(t *testing.T) {
	t.Parallel()
	// [R apache/camel limits.json]
	r := newRig(t, answer(200, `{"DailyApiRequests":{"Max":15000,"Remaining":14999},"PermissionSets":{"Max":1500,"Remaining":1498,"CreateCustom":{"Max":1000,"Remaining":998}}}`))
	limits, err := r.client.Limits(t.Context())
	want := Limits{"DailyApiRequests": {15000, 14999}, "PermissionSets": {1500, 1498}, "PermissionSets.CreateCustom": {1000, 998}}
	if err != nil || !reflect.DeepEqual(limits, want) {
		t.Error(limits, err)
	}
	if l, ok := limits.DailyAPIRequests(); !ok || l.Remaining != 14999 {
		t.Error(l, ok)
	}
	empty := newRig(t, answer(200, `{}`))
	_, err = empty.client.Limits(t.Context())
	wantError(t, err, Unavailable, NotApplied)
}

func TestVersionsNeedNoToken(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "" || req.URL.Path != "/services/data" {
			t.Errorf("%s with %v", req.URL, req.Header)
		}
		answer(200, `[{"version":"20.0","url":"/services/data/v20.0","label":"Winter '11"},{"version":"67.0","url":"/services/data/v67.0","label":"Summer '26"}]`)(w, req)
	})
	versions, err := r.client.Versions(t.Context())
	if err != nil || len(versions) != 2 || versions[1].Version != "67.0" {
		t.Error(versions, err)
	}
}

func TestRecordsAreMarshalledAsGiven(t *testing.T) {
	t.Parallel()
	out, err := json.Marshal(Record{"LastName": nil, "attributes": "dropped"}.typed("User"))
	if err != nil || string(out) != `{"LastName":null,"attributes":{"type":"User"}}` {
		t.Error(string(out), err)
	}
}
