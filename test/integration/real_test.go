package integration

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// realExport is 1,000 rows of an HR export that nobody here wrote. It is no
// part of this repository; where it is not beside it, the test has nothing to read.
const realExport = "../../../shared/data/hr/workers-1000.csv"

// expected counts, independently of the importer, how many people of the
// export can be told apart: two people under one id are nobody's.
func expected(t *testing.T) (usable map[string]bool, unusable int) {
	t.Helper()
	f, err := os.Open(realExport)
	if err != nil {
		t.Skipf("no real export beside the repository: %v", err)
	}
	t.Cleanup(func() { _ = f.Close() })
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	seen := map[string]int{}
	for _, r := range rows[1:] {
		seen[r[column["WorkerID"]]]++
	}
	usable = map[string]bool{}
	for _, r := range rows[1:] {
		id := r[column["WorkerID"]]
		if seen[id] > 1 {
			unusable++
			continue
		}
		usable[id] = r[column["WorkerStatus"]] == "Active"
	}
	return usable, unusable
}

// TestRealExport publishes the real export: every usable row becomes the right
// user, every unusable one is reported by line, and the same export again
// changes nothing.
func TestRealExport(t *testing.T) {
	oneNode(t)
	parallel(t)
	usable, unusable := expected(t)
	r := newRig(t, func(conf string) string {
		return strings.Replace(conf, "Title: ", "Country: person.?addresses[0].?country\n        Title: ", 1)
	})
	report := r.publishReal()
	if report.Published != len(usable) || report.Unusable != unusable || len(report.Problems) < unusable {
		t.Errorf("published %d, want %d; unusable %d, want %d; %d problems named", report.Published, len(usable), report.Unusable, unusable, len(report.Problems))
	}
	for _, p := range report.Problems {
		if p.Line == 0 || p.Reason == "" {
			t.Fatalf("a problem without line or reason: %+v", p)
		}
	}
	r.awaitQuiet(quietWithin)
	users := r.users()
	active := 0
	for id, is := range usable {
		u, has := users[id]
		if is {
			active++
		}
		if has != is || has && !u.IsActive {
			t.Errorf("%s is active %t in HR; user %t, active %t", id, is, has, u.IsActive)
		}
	}
	if len(users) != active {
		t.Errorf("%d users, want %d", len(users), active)
	}
	before := r.summary()
	r.publishReal()
	r.awaitQuiet(quietWithin)
	// One reads the leavers whom it says once more to have left (lane check), and one may
	// be the check's own.
	if after := r.summary(); after.APICalls > before.APICalls+2 {
		t.Errorf("the same export again made %d API calls", after.APICalls-before.APICalls)
	}
	t.Logf("%d rows usable (%d active), %d unusable, %d API calls", len(usable), active, unusable, before.APICalls)
}

type report struct {
	Published int `json:"published"`
	Unusable  int `json:"unusable"`
	Problems  []struct {
		Line   int    `json:"line"`
		Column string `json:"column"`
		Reason string `json:"reason"`
	} `json:"problems"`
}

// publishReal publishes the export and wants it to say that rows were unusable.
func (r *rig) publishReal() report {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), quietWithin)
	defer cancel()
	mapping, err := os.ReadFile("../../examples/hr-workers.yaml")
	if err != nil {
		r.t.Fatal(err)
	}
	own := filepath.Join(r.t.TempDir(), "mapping.yaml") // here the export is source hr's
	if err := os.WriteFile(own, bytes.Replace(mapping, []byte("\nsource: workers\n"), []byte("\nsource: hr\n"), 1), 0o600); err != nil {
		r.t.Fatal(err)
	}
	out, err := r.rollcall(ctx, "publish", abs(r.t, realExport), "--mapping", own, "-o", "json")
	if err == nil {
		r.t.Error("publishing an export with unusable rows succeeded")
	}
	var said report
	if err := json.Unmarshal(out, &said); err != nil {
		r.t.Fatalf("report: %v: %.300s", err, out)
	}
	return said
}
