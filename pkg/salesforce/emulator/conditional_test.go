package emulator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// User rows have no entity tag: times are what a client can hold on to. [D]
func TestConditionalUser(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	user := version + "/sobjects/User/" + r.create("ada")
	first := r.do("GET", user+"?fields=Id", "")
	seen := first.header.Get("Last-Modified")
	if seen != "Sun, 01 Mar 2026 08:00:00 GMT" || first.header.Get("ETag") != "" {
		t.Fatalf("headers %v", first.header)
	}
	if a := r.do("GET", user, "", "If-Modified-Since", seen); a.status != 304 || a.body != "" {
		t.Fatalf("unchanged: %v", a)
	}
	r.do("PATCH", user, `{"Title":"A"}`, "If-Unmodified-Since", seen).is(t, 204)
	r.now = r.now.Add(time.Minute)
	r.do("PATCH", user, `{"Title":"B"}`).is(t, 204)
	r.do("PATCH", user, `{"Title":"C"}`, "If-Unmodified-Since", seen).is(t, 412)
	r.do("DELETE", user, "", "If-Unmodified-Since", seen).is(t, 412)
	r.do("GET", user, "", "If-Unmodified-Since", seen).is(t, 412)
	if got := r.do("GET", user, "", "If-Modified-Since", seen, "If-None-Match", `"x"`).object(t); got["Title"] != "B" {
		t.Fatalf("user %v", got)
	}
}

func TestConditionalAccount(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	row := version + "/sobjects/Account/" + r.do("POST", version+"/sobjects/Account", `{"Name":"A"}`).object(t)["id"].(string)
	tag := r.do("GET", row, "").header.Get("ETag")
	r.do("GET", row, "", "If-None-Match", `"other", `+tag).is(t, 304)
	r.do("GET", row, "", "If-None-Match", strings.TrimSuffix(tag, `"`)+`--gzip"`).is(t, 304)
	r.do("GET", row, "", "If-Match", `"other"`).is(t, 412)
	r.do("PATCH", row, `{"Name":"B"}`, "If-Match", tag).is(t, 204)
	r.do("PATCH", row, `{"Name":"C"}`, "If-Match", tag).is(t, 412)
	r.do("DELETE", row, "", "If-Match", tag).is(t, 412)
	r.do("GET", row, "", "If-None-Match", tag).is(t, 200)
}

func TestConditionalDescribe(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, path := range []string{"/sobjects/User/describe", "/sobjects"} {
		seen := r.do("GET", version+path, "").header.Get("Last-Modified")
		r.do("GET", version+path, "", "If-Modified-Since", seen).is(t, 304)
		r.do("GET", version+path, "", "If-Modified-Since", "Sat, 28 Feb 2026 08:00:00 GMT").is(t, 200)
	}
}

// A part that answers 304 has no body, and shows tag and time. [R, section 2.4]
func TestRecordedCompositeNotModified(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	row := version + "/sobjects/Account/" + r.do("POST", version+"/sobjects/Account", `{"Name":"A"}`).object(t)["id"].(string)
	tag := r.do("GET", row, "").header.Get("ETag")
	quotedTag := string(encodeJSON(t, tag))
	both := r.do("POST", version+"/composite", fmt.Sprintf(`{"allOrNone":true,"compositeRequest":[{"method":"GET","url":"%s","referenceId":"a","httpHeaders":{"If-None-Match":%s}},
		{"method":"POST","url":"%s/sobjects/Account","referenceId":"b","body":{"Name":"B"}}]}`, row, quotedTag, version))
	if n, _ := r.org.Count("SELECT Id FROM Account"); n != 2 { // 304 is no failure, and rolls nothing back
		t.Errorf("%d accounts: %s", n, both.body)
	}
	r.do("POST", version+"/composite", fmt.Sprintf(`{"compositeRequest":[{"method":"GET","url":"%s","referenceId":"a","httpHeaders":{"If-None-Match":%s}}]}`, row, quotedTag)).same(t, 200,
		`{"compositeResponse":[{"body":null,"httpHeaders":{"ETag":`+quotedTag+`,"Last-Modified":"Sun, 01 Mar 2026 08:00:00 GMT"},"httpStatusCode":304,"referenceId":"a"}]}`)
}
