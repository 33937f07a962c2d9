package salesforce

import (
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const testOrg = "00D000000000001AAA"

// fixedSessions hands out numbered sessions of one host.
type fixedSessions struct {
	url     string
	renewed atomic.Int64
	err     error
	org     string // of the renewed session, when another
}

func (f *fixedSessions) Session(context.Context) (Session, error) {
	return Session{AccessToken: "token-1", InstanceURL: f.url, OrgID: testOrg, Generation: 1}, nil
}

func (f *fixedSessions) Renew(_ context.Context, refused Session) (Session, error) {
	f.renewed.Add(1)
	if f.err != nil {
		return Session{}, f.err
	}
	return Session{AccessToken: "token-2", InstanceURL: f.url, OrgID: cmp.Or(f.org, testOrg), Generation: refused.Generation + 1}, nil
}

type rig struct {
	client   *Client
	sessions *fixedSessions
	server   *httptest.Server
}

func newRig(t *testing.T, handler http.HandlerFunc, change ...func(*Config)) rig {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	r := rig{server: server, sessions: &fixedSessions{url: server.URL}}
	transport := defaultTransport()
	t.Cleanup(transport.CloseIdleConnections)
	cfg := Config{Sessions: r.sessions, AllowLoopbackHTTP: true, Transport: transport}
	for _, f := range change {
		f(&cfg)
	}
	client, err := NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.client = client
	return r
}

// answer returns a handler that gives one answer to everything.
func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func wantError(t *testing.T, err error, class Class, outcome Outcome) *Error {
	t.Helper()
	e, ok := asError(err)
	if !ok {
		t.Fatalf("error is %v, want an *Error", err)
	}
	if e.Class != class || e.Outcome != outcome {
		t.Fatalf("%v: %v/%v, want %v/%v", e, e.Class, e.Outcome, class, outcome)
	}
	return e
}

func TestConfigFaultsAreListedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := NewClient(Config{
		APIVersion: "v63", OrgID: "acme", AllowedHostSuffixes: []string{"*"},
		MaxResponseBytes: -1, CallTimeout: -1, MaxRecords: -1,
	})
	for _, name := range []string{"APIVersion", "Sessions", "OrgID", "AllowedHostSuffixes", "MaxResponseBytes", "CallTimeout", "MaxRecords"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in %v", name, err)
		}
	}
}

const expired = `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`

func TestRenewsOnceAndRepeats(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		calls.Add(1)
		if req.Header.Get("Authorization") != "Bearer token-2" {
			answer(401, expired)(w, req)
			return
		}
		answer(200, `[{"id":"005000000000001AAA","success":true,"errors":[]}]`)(w, req)
	})
	results, err := r.client.CreateRecords(t.Context(), "User", []Record{{"LastName": "x"}})
	if err != nil || !results[0].Success {
		t.Fatal(results, err)
	}
	if calls.Load() != 2 || r.sessions.renewed.Load() != 1 {
		t.Errorf("%d calls, %d renewals", calls.Load(), r.sessions.renewed.Load())
	}
}

func TestRenewalsAreBounded(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name     string
		status   int
		body     string
		header   string
		renewals int64
		class    Class
	}{
		{"a second refusal stops", 401, expired, "", 1, Credentials},
		{"not for REST is not renewed [R]", 401, `[{"message":"This session is not valid for use with the REST API","errorCode":"INVALID_SESSION_ID"}]`, "", 0, Misconfigured},
		{"not attached is not renewed [C]", 401, `[{"message":"Connected app is not attached to Agent","errorCode":"INVALID_SESSION_ID"}]`, "", 0, Misconfigured},
		{"Sfdc-OAuth-Error is renewed [R]", 401, `<html>`, "1703", 1, Credentials},
		{"LOGIN_OAUTH_INVALID_TOKEN is renewed [R]", 401, `<error>LOGIN_OAUTH_INVALID_TOKEN</error>`, "", 1, Credentials},
		{"a bad header is our bug [R]", 401, `[{"message":"INVALID_HEADER_TYPE","errorCode":"INVALID_AUTH_HEADER"}]`, "", 0, Programming},
		{"a 500 is not a refusal of the session", 500, expired, "", 0, Credentials},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
				if tc.header != "" {
					w.Header().Set("Sfdc-OAuth-Error", tc.header)
				}
				answer(tc.status, tc.body)(w, req)
			})
			_, err := r.client.Create(t.Context(), "User", Record{})
			if e, ok := asError(err); !ok || e.Class != tc.class {
				t.Errorf("error %v, want %v", err, tc.class)
			}
			if n := r.sessions.renewed.Load(); n != tc.renewals {
				t.Errorf("%d renewals, want %d", n, tc.renewals)
			}
		})
	}
}

func TestRenewErrorIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, answer(401, expired))
	r.sessions.err = errors.New("no token")
	_, err := r.client.Query(t.Context(), "SELECT Id FROM User")
	e := wantError(t, err, Credentials, NotApplied)
	if !errors.Is(err, r.sessions.err) || e.Code != CodeNoSession {
		t.Errorf("error %v", err)
	}
}

func TestUnbelievableAnswersToAMutatingCall(t *testing.T) {
	t.Parallel()
	cases := map[string]http.HandlerFunc{
		"html with 200":     answer(200, "<html>welcome</html>"),
		"torn json":         answer(200, `[{"id":"005000000000001AAA","succ`),
		"too few":           answer(200, `[]`),
		"too many":          answer(200, `[{"id":"005000000000001AAA","success":true},{"id":"005000000000002AAA","success":true}]`),
		"not a list":        answer(200, `{"id":"005000000000001AAA","success":true}`),
		"trailing":          answer(200, `[{"id":"005000000000001AAA","success":true}] [`),
		"no verdict":        answer(200, `[{"id":"005000000000001AAA"}]`),
		"null":              answer(200, `null`),
		"null element":      answer(200, `[null]`),
		"empty":             answer(200, ``),
		"over-long":         answer(200, `["`+strings.Repeat("x", 4096)+`"]`),
		"503 html":          answer(503, "<html>"),
		"500":               answer(500, `[{"message":"Unexpected Error","errorCode":"INTERNAL_ERROR"}]`),
		"dropped":           func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"shorter than said": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "99") },
		"false gzip": func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			answer(200, `[{"id":"005000000000001AAA","success":true}]`)(w, req)
		},
	}
	for name, handler := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, handler, func(c *Config) { c.MaxResponseBytes = 2048 })
			results, err := r.client.CreateRecords(t.Context(), "User", []Record{{"LastName": "x"}})
			e, ok := asError(err)
			if !ok || e.Outcome != MaybeApplied || len(results) != 0 {
				t.Errorf("results %v, error %v", results, err)
			}
		})
	}
}

func TestReadsHaveNoOutcomeInDoubt(t *testing.T) {
	t.Parallel()
	r := newRig(t, answer(503, "<html>"))
	_, err := r.client.Query(t.Context(), "SELECT Id FROM User")
	wantError(t, err, Unavailable, NotApplied)
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	r := newRig(t, func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		<-release
	}, func(c *Config) { c.CallTimeout = 300 * time.Millisecond }) // enough to connect on a busy machine
	t.Cleanup(func() { close(release) })
	_, err := r.client.Create(t.Context(), "User", Record{"LastName": "x"})
	wantError(t, err, Timeout, MaybeApplied)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v does not wrap the deadline", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.client.Create(cancelled, "User", Record{"LastName": "x"})
	wantError(t, err, Timeout, NotApplied)
}

func TestNothingListens(t *testing.T) {
	t.Parallel()
	r := newRig(t, answer(200, ""))
	r.server.Close()
	_, err := r.client.Create(t.Context(), "User", Record{"LastName": "x"})
	wantError(t, err, Unavailable, NotApplied)
}

func TestCompressionBothWays(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Content-Encoding") != "gzip" || req.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("headers %v", req.Header)
		}
		in, err := gzip.NewReader(req.Body)
		if err != nil {
			t.Error(err)
			return
		}
		var body struct{ Records []map[string]any }
		if err := json.NewDecoder(in).Decode(&body); err != nil || len(body.Records) != 1 {
			t.Error(err, body)
		}
		w.Header().Set("Content-Encoding", "gzip")
		out := gzip.NewWriter(w)
		_, _ = io.WriteString(out, `[{"id":"005000000000001AAA","success":true,"errors":[]}]`)
		_ = out.Close()
	})
	results, err := r.client.CreateRecords(t.Context(), "User", []Record{{"AboutMe": strings.Repeat("long ", 400)}})
	if err != nil || results[0].ID != "005000000000001AAA" {
		t.Error(results, err)
	}
}

// A small body that unpacks to a huge one is bounded like any other.
func TestDecompressionIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		out := gzip.NewWriter(w)
		_, _ = io.WriteString(out, strings.Repeat(" ", 10<<20))
		_ = out.Close()
	}, func(c *Config) { c.MaxResponseBytes = 1 << 20 })
	_, err := r.client.Query(t.Context(), "SELECT Id FROM User")
	if e := wantError(t, err, Unavailable, NotApplied); e.Code != CodeUnreadable {
		t.Error(e)
	}
}

// An answer without an end is given up as soon as it is too long.
func TestEndlessAnswerIsGivenUp(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for chunk := make([]byte, 64<<10); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}, func(c *Config) { c.MaxResponseBytes, c.CallTimeout = 1<<20, 5*time.Second })
	_, err := r.client.Query(t.Context(), "SELECT Id FROM User")
	wantError(t, err, Unavailable, NotApplied)
}

// Sessions that have no newer session than the refused one are not asked twice.
func TestNoNewerSessionNoRepeat(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		calls.Add(1)
		answer(401, `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`)(w, req)
	})
	client, err := NewClient(Config{Sessions: oneSession{AccessToken: "a", InstanceURL: r.server.URL, OrgID: "00D000000000001AAA", Generation: 3}, AllowLoopbackHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Query(t.Context(), "SELECT Id FROM User")
	wantError(t, err, Credentials, NotApplied)
	if calls.Load() != 1 {
		t.Errorf("%d calls, want one", calls.Load())
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	var seen Usage
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Sforce-Limit-Info", "api-usage=18/5000; per-app-api-usage=17/250(appName=sample)")
		answer(200, `{"totalSize":0,"done":true,"records":[]}`)(w, req)
	}, func(c *Config) { c.OnUsage = func(u Usage) { seen = u } })
	if _, err := r.client.Query(t.Context(), "SELECT Id FROM User"); err != nil {
		t.Fatal(err)
	}
	if seen != (Usage{Used: 18, Limit: 5000}) || seen.Remaining() != 4982 {
		t.Errorf("usage %v", seen)
	}
	for _, odd := range []string{"", "api-usage=", "api-usage=1", "api-usage=-1/5", "api-usage=a/b", "per-app-api-usage=1/2"} {
		if u, ok := parseUsage(odd); ok {
			t.Errorf("%q = %v", odd, u)
		}
	}
}

func TestSessionsFrom(t *testing.T) {
	t.Parallel()
	var fetched atomic.Int64
	s := SessionsFrom(func(context.Context) (Grant, error) {
		fetched.Add(1)
		return Grant{AccessToken: "t", InstanceURL: "https://x.my.salesforce.com", OrgID: testOrg}, nil
	})
	first, err := s.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, _ := s.Session(t.Context())
	second, _ := s.Renew(t.Context(), first)
	shared, _ := s.Renew(t.Context(), first)
	if again != first || second.Generation != 2 || shared != second || fetched.Load() != 2 {
		t.Errorf("%v %v %v %v, %d fetches", first, again, second, shared, fetched.Load())
	}
	if strings.Contains(first.String()+first.GoString(), "token") {
		t.Error("the token is in the text")
	}
}

// A renewal that comes with another org's session is not used.
func TestRenewedSessionOfAnotherOrg(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		calls.Add(1)
		answer(401, expired)(w, req)
	})
	r.sessions.org = "00D000000000002AAA"
	_, err := r.client.Query(t.Context(), "SELECT Id FROM User")
	if e := wantError(t, err, Credentials, NotApplied); e.Code != CodeOrgRefused || calls.Load() != 1 {
		t.Errorf("%v after %d calls", e, calls.Load())
	}
}
