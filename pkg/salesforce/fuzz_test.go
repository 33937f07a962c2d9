package salesforce

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// cannedClient is a client of a server that gives one answer, in process.
func cannedClient(t *testing.T, status int, body []byte) *Client {
	t.Helper()
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Request: r, Body: io.NopCloser(bytes.NewReader(body)),
			Header: http.Header{"Content-Type": {"application/json"}},
		}, nil
	})
	session := oneSession{AccessToken: "t", InstanceURL: "https://acme.my.salesforce.com", OrgID: testOrg}
	client, err := NewClient(Config{Sessions: session, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// literal reads a SOQL string literal on its own, as the documentation has it.
func literal(t *testing.T, quoted string) string {
	t.Helper()
	inner, ok := strings.CutPrefix(quoted, "'")
	if !ok || !strings.HasSuffix(inner, "'") {
		t.Fatalf("%q is not quoted", quoted)
	}
	inner = inner[:len(inner)-1]
	named := map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'f': '\f', '\'': '\'', '"': '"', '\\': '\\'}
	var out []byte
	for i := 0; i < len(inner); i++ {
		switch c := inner[i]; c {
		case '\'', '\n', '\r':
			t.Fatalf("%q ends early", quoted)
		case '\\':
			i++
			if i == len(inner) || named[inner[i]] == 0 {
				t.Fatalf("%q has a bad escape", quoted)
			}
			out = append(out, named[inner[i]])
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// What is quoted is read back the same, and names nobody else.
func FuzzSOQLEscaping(f *testing.F) {
	for _, seed := range []string{"O'Brien", `\`, `\'`, "' OR Id != '", "\n\r\t\b\f", `"`, "東京", "') OR (Id != null", "\x00\xff", "100%_"} {
		f.Add(seed)
	}
	org := emulator.New().AddOrg(emulator.DefaultOrg("consumer", "secret"))
	f.Fuzz(func(t *testing.T, text string) {
		if got := literal(t, Quote(text)); got != text {
			t.Fatalf("%q comes back as %q", text, got)
		}
		if strings.TrimSpace(text) == "" {
			return // an empty title is everybody's
		}
		rows, err := org.Query("SELECT Id FROM User WHERE " + In("Title", []string{text, text + "'"}))
		if err != nil || len(rows) != 0 {
			t.Fatalf("%q finds %v, %v", text, rows, err)
		}
	})
}

// No answer to an update makes a success that it does not hold.
func FuzzCollectionAnswer(f *testing.F) {
	one := `{"id":"` + userID(1) + `","success":true,"errors":[]}`
	two := `{"id":"` + userID(2) + `","success":true,"errors":[]}`
	for _, seed := range []string{
		"[" + one + "," + two + "]", "[" + two + "," + one + "]", "[" + one + "]", "[" + one + "," + two + "," + one + "]",
		"[" + one + "," + two, "[" + one + "," + strings.Replace(two, "true", "false", 1) + "]", `[{"success":true},{"success":true}]`,
		"<html>", "", "null", "[null,null]", "[1,2]", `{"id":1}`, "[[],[]]", `[{"success":"true"},{"success":1}]`,
		`[{"SUCCESS":true,"id":"` + userID(1) + `"},{"success":true,"success":false,"id":"` + userID(2) + `"}]`,
	} {
		f.Add([]byte(seed), uint16(0)) // is 200
	}
	f.Add([]byte(`[{"errorCode":"UNABLE_TO_LOCK_ROW","message":"x"}]`), uint16(200)) // is 400
	f.Add([]byte("<html>"), uint16(303))                                             // is 503
	sent := []Record{{"Id": userID(1)}, {"Id": userID(2)}}
	f.Fuzz(func(t *testing.T, body []byte, status uint16) {
		code := 200 + int(status)%400
		results, err := cannedClient(t, code, body).UpdateRecords(t.Context(), "User", sent)
		if err != nil {
			if results != nil {
				t.Fatal("results beside an error")
			}
			if e, ok := asError(err); !ok || (code < 300 && e.Outcome != MaybeApplied) {
				t.Fatalf("%v", err)
			}
			return
		}
		var list []struct {
			ID      string
			Success bool
		}
		if json.Unmarshal(body, &list) != nil || len(list) != len(sent) || len(results) != len(sent) || code > 299 {
			t.Fatalf("HTTP %d %q made %v", code, body, results)
		}
		for i, r := range results {
			if r.Success && (!list[i].Success || !sameID(r.ID, sent[i].ID())) {
				t.Fatalf("%q made a success of %d", body, i)
			}
			if !r.Success && r.Err() == nil {
				t.Fatalf("%q made a failure without an error", body)
			}
		}
	})
}

// No answer to a query passes for a complete list that it is not.
func FuzzQueryAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"totalSize":1,"done":true,"records":[{"Id":"1"}]}`, `{"totalSize":2,"done":true,"records":[{"Id":"1"}]}`,
		`{"totalSize":1,"done":false,"nextRecordsUrl":"/services/data/v63.0/query/01g","records":[{"Id":"1"}]}`,
		`{"totalSize":-1,"done":true,"records":[]}`, `{"totalSize":5,"done":true,"records":[]}`, `{"totalSize":1e99,"done":true,"records":[]}`, `{}`, `[]`, `null`, `<html>`, `{"totalSize":1,"done":true,"records":[null]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		records, err := cannedClient(t, 200, body).Query(t.Context(), "SELECT Id FROM User")
		if err != nil {
			if _, ok := asError(err); !ok || records != nil {
				t.Fatalf("%v, %v", records, err)
			}
			return
		}
		var page struct{ TotalSize int }
		if json.Unmarshal(body, &page) != nil || len(records) != page.TotalSize {
			t.Fatalf("%q made %d records", body, len(records))
		}
		for _, r := range records {
			_, _, _ = r.ID(), r.Type(), r.Int("Profile.N")
		}
	})
}

// Whatever a message quotes, the text for the log does not.
func FuzzErrorText(f *testing.F) {
	for _, row := range catalogue() {
		f.Add(row.code, row.message, "Username")
	}
	f.Fuzz(func(t *testing.T, code, message, field string) {
		const address, id, token = "jane.doe@corp.example", "005xx000001Sv6AAAS", "00Dxx0000001gER!AQcAQH0dMHZfz972"
		e := classify(refusal{status: 400, code: code, message: message + " " + address + " " + id + " " + token + " " + message, fields: []string{field, address}})
		for _, secret := range []string{address, id, token} {
			if strings.Contains(e.Error(), secret) && !strings.Contains(code+field, secret) {
				t.Fatalf("%q is in %q", secret, e.Error())
			}
		}
	})
}

func FuzzBulkResults(f *testing.F) {
	f.Add([]byte("\"sf__Id\",\"sf__Error\",\"Username\"\n\"\",\"A:b:c --\",\"x\"\n"))
	f.Add([]byte("<html>"))
	f.Add([]byte("a,a\n\"1,2"))
	f.Fuzz(func(t *testing.T, body []byte) {
		rows, ok := readCSV(body)
		if !ok {
			return
		}
		for _, list := range []BulkRows{BulkSuccessful, BulkFailed, BulkUnprocessed} {
			verdicts := map[string]Result{}
			err := judgeRows(verdicts, rows, list, "Username", BulkJob{Processed: 1})
			for _, v := range verdicts {
				if v.Success && (list != BulkSuccessful || !plausibleID(v.ID)) {
					t.Fatalf("%q made a success, %v", body, err)
				}
			}
		}
	})
}

// Ten megabytes of anything are an error, not a panic or a success.
func TestTenMegabytes(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		strings.Repeat("[", 10<<20), "<html>" + strings.Repeat("x", 10<<20), `["` + strings.Repeat("y", 10<<20), strings.Repeat(" ", 10<<20) + "[]",
	} {
		client := cannedClient(t, 200, []byte(body))
		results, err := client.UpdateRecords(t.Context(), "User", []Record{{"Id": userID(1)}})
		if e, ok := asError(err); !ok || e.Outcome != MaybeApplied || results != nil {
			t.Errorf("%.10q: %v, %v", body, results, err)
		}
	}
	if _, err := cannedClient(t, 200, []byte(strings.Repeat("[", 10<<20))).Query(t.Context(), "SELECT Id FROM User"); err == nil {
		t.Error("brackets are no answer to a query")
	}
}
