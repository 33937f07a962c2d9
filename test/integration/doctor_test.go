package integration

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// diagnosis is what the doctor says, as far as it is looked at here.
type diagnosis struct {
	Worst    string `json:"worst"`
	Findings []struct {
		Check, Level, Message, Advice string
	} `json:"findings"`
}

// doctor runs the doctor, whose exit code says how things stand.
func (r *rig) doctor() diagnosis {
	r.t.Helper()
	out, err := r.rollcall(r.t.Context(), "doctor", "-o", "json", "--config", r.configPath())
	var d diagnosis
	if jsonErr := json.Unmarshal(out, &d); jsonErr != nil {
		r.t.Fatalf("the doctor said no JSON: %v, %v\n%s", jsonErr, err, out)
	}
	if (err == nil) != (d.Worst == "ok") {
		r.t.Errorf("the worst is %s, and the exit is %v", d.Worst, err)
	}
	return d
}

// level is the worst level of one check.
func (d diagnosis) level(check string) string {
	found := "not done"
	for _, f := range d.Findings {
		if f.Check == check && (found == "not done" || f.Level == "fail") {
			found = f.Level
		}
	}
	return found
}

// TestTheDoctorSeesTheRunningSystem looks at it well, and with its integration
// user demoted. Containers keep the key of the tokens and the way to Salesforce
// to themselves, so from outside NATS alone is looked at there.
func TestTheDoctorSeesTheRunningSystem(t *testing.T) {
	parallel(t)
	r := newRig(t, nil)
	r.publish(export(t, r.dir, 0, 5, "first"))
	r.awaitQuiet(quietWithin)
	before := r.doctor()
	want := []string{"config.file", "config.expressions", "nats.reachable", "nats.streams", "nats.clock", "org.login", "org.health"}
	inside := strings.HasPrefix(r.sfURL, "http://")
	if inside {
		want = append(want, "config.keys", "org.token", "org.scopes", "org.session", "org.permissions", "org.names", "org.fields", "org.api-version")
	} else {
		want = append(want, "nats.sync", "nats.disk") // as operators may see it
	}
	for _, check := range want {
		if got := before.level(check); got != "ok" {
			t.Errorf("%s: %s\n%+v", check, got, before.Findings)
		}
	}
	if !inside {
		return
	}
	r.must(http.MethodPost, "/_emulator/orgs/-/denials/integration@rollcall.example", `["manage_users"]`)
	if got := r.doctor(); got.level("org.permissions") != "fail" || got.Worst != "fail" {
		t.Errorf("without Manage Users: %+v", got.Findings)
	}
}
