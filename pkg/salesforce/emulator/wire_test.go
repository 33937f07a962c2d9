package emulator_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func TestGzipBothWays(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	var packed strings.Builder
	z := gzip.NewWriter(&packed)
	if _, err := io.WriteString(z, r.person("zip")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.web.URL+version+"/sobjects/User", strings.NewReader(packed.String()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "OAuth "+r.token) // [C WSO2]
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	unzip, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatalf("status %d: %v", res.StatusCode, err)
	}
	if body, err := io.ReadAll(unzip); err != nil || !strings.Contains(string(body), `"success":true`) {
		t.Fatalf("body %s: %v", body, err)
	}
}

func TestPrettyPrintAndMethodOverride(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.create("ada")
	r.do("POST", version+"/sobjects/User/"+id+"?_HttpMethod=PATCH", `{"Title":"A"}`).is(t, 204) // [D]
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.web.URL+version+"/limits", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("X-PrettyPrint", "1")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || !strings.HasPrefix(string(body), "{\n  ") {
		t.Fatalf("body %.40q: %v", body, err)
	}
}

func TestLongURIIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.query("SELECT Id FROM User WHERE Username = '"+strings.Repeat("x", 17000)+"'").is(t, 414) // [D]
	r.query("SELECT Id FROM User WHERE Username = '"+strings.Repeat("x", 16220)+"'").is(t, 431) // [D]
}

func TestBadHeaderAndDailyLimit(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.org.SetDailyLimit(1)
	r.do("GET", version+"/limits", "").is(t, 200)
	r.do("GET", version+"/limits", "").same(t, 403, `[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`)
	r.now = r.now.AddDate(0, 0, 1)
	r.token, _ = r.org.AccessToken(emulator.IntegrationUsername)
	r.do("GET", version+"/limits", "").is(t, 200)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.web.URL+version+"/limits", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Basic eA==")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer{res.StatusCode, res.Header, string(body)}.same(t, 401, `[{"message":"INVALID_HEADER_TYPE","errorCode":"INVALID_AUTH_HEADER"}]`) // [R restforce #811]
}

func TestDescribeUser(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	got := r.do("GET", version+"/sobjects/user/describe/", "").object(t)
	if got["deletable"] != false || got["undeletable"] != false || got["keyPrefix"] != "005" { // [R camel user.json]
		t.Fatalf("describe %v", got)
	}
	for _, f := range got["fields"].([]any) {
		if f := f.(map[string]any); f["name"] == "Username" &&
			(f["idLookup"] != true || f["unique"] != false || f["caseSensitive"] != false || f["nillable"] != false || f["length"] != 80.0) {
			t.Fatalf("Username %v", f)
		}
	}
	r.do("GET", version+"/sobjects", "").is(t, 200)
}

// TestManyClientsAtOnce is for the race detector: writers, readers, faults and
// the journal together.
func TestManyClientsAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	profile := r.id("Profile", "Standard User")
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 5 {
				name := fmt.Sprintf("w%dx%d", worker, i)
				record := strings.ReplaceAll(r.person(name), "PROFILE", profile)
				r.do("POST", version+"/composite/sobjects", collection(false, typed("User", record)))
				r.query("SELECT Id, Profile.Name FROM User WHERE Username = '" + name + "@people.example'")
				r.do("GET", "/_emulator/state", "")
				r.form(tokenPath, "grant_type", "client_credentials", "client_id", clientID, "client_secret", clientSecret)
			}
		})
	}
	group.Wait()
	if n, err := r.org.Count("SELECT Id FROM User"); n != 21 || err != nil {
		t.Fatalf("%d users, %v", n, err)
	}
}

// A slash in an external id is sent as %2F, and is no separator.
func TestEscapedSlashBelongsToTheValue(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	path := version + "/sobjects/User/Rollcall_Key__c/emea%2F42%20b%2F"
	a := r.do("PATCH", path, r.person("ada"))
	a.is(t, 201)
	if got := r.do("GET", path, "").object(t); got["Rollcall_Key__c"] != "emea/42 b/" || got["Id"] != a.object(t)["id"] {
		t.Fatalf("record %v", got)
	}
	a = r.do("POST", version+"/composite", `{"compositeRequest":[{"method":"PATCH","url":"`+path+`","referenceId":"u","body":{"Title":"Boss"}}]}`)
	if u, _ := r.org.UserByUsername("ada@people.example"); u.Fields["Title"] != "Boss" {
		t.Fatalf("user %v: %s", u, a.body)
	}
}

// A reference that leads nowhere is sent, if wrong: it is not missing.
func TestLostReferenceIsNotAMissingField(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	lost := r.person("ada", "ProfileId", "00e000000000001AAA")
	want := `"INVALID_CROSS_REFERENCE_KEY","message":"invalid cross reference id","fields":[]`
	for name, a := range map[string]answer{
		"collection": r.do("POST", version+"/composite/sobjects", collection(false, typed("User", lost))),
		"upsert":     r.do("PATCH", version+"/composite/sobjects/User/Rollcall_Key__c", collection(false, typed("User", r.person("ada", "ProfileId", "00e000000000001AAA", "Rollcall_Key__c", "k")))),
		"update":     r.do("PATCH", version+"/composite/sobjects", collection(false, `{"attributes":{"type":"User"},"id":"`+r.create("grace")+`","ProfileId":"00e000000000001AAA"}`)),
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("%s: %s", name, a.body)
		}
	}
}
