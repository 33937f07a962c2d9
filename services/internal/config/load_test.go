package config_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

const small = `
sources:
  hr: {correlate: enterprise.employeeNumber}
precedence:
  enterprise.department: [hr]
orgs:
  acme:
    connect:
      loginURL: https://acme.example.my.salesforce.com
      clientID: consumer-key
      clientSecretFile: secrets/acme
    push:
      update: false
`

func TestParseFillsDefaultsAndKeepsFalse(t *testing.T) {
	t.Parallel()
	f, err := config.Parse([]byte(small), "/etc/rollcall")
	if err != nil {
		t.Fatal(err)
	}
	org := f.Orgs["acme"]
	if !org.Push.Create || org.Push.Update || !org.Push.Deactivate {
		t.Errorf("push = %+v, want create and deactivate by default, update as the file says", org.Push)
	}
	if org.Push.ClaimTTL != 30*time.Second || org.Connect.Flow != config.FlowClientCredentials || len(org.Assign.Match) != 2 {
		t.Errorf("defaults of an org are missing: %+v", org)
	}
	if !f.NATS.Provision || f.NATS.ConnectTimeout != 10*time.Second {
		t.Errorf("nats = %+v", f.NATS)
	}
	if got := f.Precedence["enterprise.department"]; len(got) != 1 || got[0] != "hr" {
		t.Errorf("a key with a dot was torn apart: %v", f.Precedence)
	}
	if got, want := org.Connect.ClientSecretFile, filepath.Join("/etc/rollcall", "secrets/acme"); got != want {
		t.Errorf("clientSecretFile = %q, want %q", got, want)
	}
}

func TestParseListsEveryUnknownKeyAndWrongTypeAtOnce(t *testing.T) {
	t.Parallel()
	_, err := config.Parse([]byte(`
nats:
  urls: nats://127.0.0.1:4222
  replicas: three
  connectTimeout: 10
log: debug
orgs:
  acme:
    connect: {apiVersion: 63.0}
    push: {create: "yes", create: false}
    assign:
      rules: {name: all}
      fields: {Alias: 3}
colour: red
`), ".")
	wantLines(t, err,
		"line 3: nats.urls: is not a key of this file (did you mean url?)",
		"line 4: nats.replicas: must be a whole number, is text",
		`line 5: nats.connectTimeout: must be a duration like 30s or 50ms, is "10"`,
		"line 6: log: must hold keys, is text",
		"line 9: orgs.acme.connect.apiVersion: must be text, is a number (put it in quotes)",
		"line 10: orgs.acme.push.create: must be true or false, is text",
		"line 10: orgs.acme.push.create: stands twice, first on line 10",
		"line 12: orgs.acme.assign.rules: must be a list, is a set of keys",
		"line 13: orgs.acme.assign.fields.Alias: must be text, is a number (put it in quotes)",
		"line 14: colour: is not a key of this file (there are:",
	)
}

func TestParseListsEveryBadValueAtOnce(t *testing.T) {
	t.Parallel()
	_, err := config.Parse([]byte(`
nats: {url: "nats://user:secret@127.0.0.1:4222", replicas: 2}
serve: {listen: "9464"}
log: {level: loud, format: xml}
sources:
  HR: {correlate: shoeSize, sourceVersion: date, correlationID: {case: Upper, padZeros: -1, pattern: "([0-9]"}}
authority: [HR, payroll, HR]
precedence: {title: [payroll], active: [HR]}
orgs:
  acme:
    connect: {loginURL: "http://acme.example.com", flow: password, apiVersion: "63", hostSuffixes: [salesforce.com]}
    assign:
      match: [shoe, external_id]
      rules:
        - {name: all, when: "true", profile: Standard User}
        - {name: all}
      grants: [{when: "true"}]
    push: {callTimeout: 30s, claimTTL: 30s, check: {interval: 10ms, page: 0, fields: mend}}
    gate: {limit: -1, percent: 101, window: 1s, longWindow: 1ms, urgent: -1, settle: 1h}
`), ".")
	wantLines(t, err,
		"nats.url: must hold no user or password", "nats.replicas: must be 1, 3 or 5, is 2",
		"serve.listen: must be host:port", "log.level: must be one of", "log.format: must be one of",
		"sources.HR: the name must be", "sources.HR.correlate: must be one of", `sources.HR.sourceVersion: must be one of none, number, time, is "date"`,
		`sources.HR.correlationID.case: must be one of upper, lower, is "Upper"`, "sources.HR.correlationID.padZeros: must be 0 to 64, is -1",
		"sources.HR.correlationID.pattern: is not a regular expression: error parsing regexp: missing closing ): `([0-9]`",
		`authority: names source "payroll", which is not under sources`, `authority: names source "HR" twice`,
		"precedence.active: says nothing where authority is set",
		`precedence.title: names source "payroll", which is not under sources`,
		"orgs.acme.connect.loginURL: must begin with https://", "orgs.acme.connect.clientID: is required",
		"orgs.acme.connect.flow: must be one of", "orgs.acme.connect.apiVersion: must be like 63.0",
		"orgs.acme.connect.hostSuffixes[0]: must begin with a dot or be the host of loginURL",
		"orgs.acme.assign.match[0]: must be one of", "orgs.acme.assign.externalIDField: is required",
		`orgs.acme.assign.rules[1].name: "all" stands twice`, "orgs.acme.assign.rules[1].when: is required",
		"orgs.acme.assign.rules[1].profile: is required", "orgs.acme.assign.grants[0]: grants nothing",
		"orgs.acme.push.claimTTL: must be longer than callTimeout",
		"orgs.acme.push.check.interval: must be 0 (never) or at least 1s, is 10ms", "orgs.acme.push.check.page: must be 1 to 500",
		`orgs.acme.push.check.fields: must be one of repair, report, accept, is "mend"`,
		"orgs.acme.gate.limit: must be 0 to 1000000, is -1", "orgs.acme.gate.percent: must be 0 to 100, is 101", "orgs.acme.gate.window: must be 1m0s to 744h0m0s, is 1s",
		"orgs.acme.gate.longWindow: must be window or longer", "orgs.acme.gate.urgent: must be 0 to 1000000", "orgs.acme.gate.settle: must be 0s to 10m0s, is 1h0m0s",
	)
	if strings.Contains(err.Error(), "secret@") {
		t.Error("the error repeats a password")
	}
}

func TestParseAllowsPlainHTTPOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{
		"http://127.0.0.1:8025": true, "http://localhost:8025": true, "http://[::1]:8025": true,
		"http://10.0.0.1:8025": false, "http://127.0.0.1.example.com": false,
	} {
		text := strings.Replace(small, "https://acme.example.my.salesforce.com", `"`+url+`"`+"\n      allowLoopbackHTTP: true", 1)
		if _, err := config.Parse([]byte(text), "."); (err == nil) != ok {
			t.Errorf("%s: err = %v", url, err)
		}
	}
}

func TestLoadSaysWhatIsWrongWithTheFile(t *testing.T) {
	t.Parallel()
	if _, err := config.Load(filepath.Join(t.TempDir(), "none.yaml")); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("missing file: %v", err)
	}
	path := filepath.Join(t.TempDir(), "torn.yaml")
	if err := os.WriteFile(path, []byte("nats: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(path); err == nil || !strings.Contains(err.Error(), "line ") {
		t.Errorf("torn file: %v", err)
	}
}

func TestEnvironmentOverridesWhereThingsAre(t *testing.T) {
	t.Setenv("ROLLCALL_NATS_URL", "nats://nats.internal:4222")
	t.Setenv("ROLLCALL_SERVE_LISTEN", "0.0.0.0:9000")
	t.Setenv("ROLLCALL_NATS_REPLICAS", "3")
	f, err := config.Parse([]byte(small), ".")
	if err != nil {
		t.Fatal(err)
	}
	if f.NATS.URL != "nats://nats.internal:4222" || f.Serve.Listen != "0.0.0.0:9000" || f.NATS.Replicas != 3 {
		t.Errorf("url = %q, listen = %q, replicas = %d", f.NATS.URL, f.Serve.Listen, f.NATS.Replicas)
	}
	t.Setenv("ROLLCALL_NATS_REPLICAS", "three")
	if _, err := config.Parse([]byte(small), "."); err == nil || !strings.Contains(err.Error(), "replicas") {
		t.Errorf("a number of replicas that is none: error %v", err)
	}
}

func TestDefaultIsValid(t *testing.T) {
	t.Parallel()
	f := config.Default()
	if err := f.Validate(); err != nil {
		t.Error(err)
	}
	if !config.DefaultOrg().Push.Deactivate {
		t.Error("an org of which nothing is said may not deactivate")
	}
}

// Every configuration file in the repository is one a user may start from.
func TestEveryCheckedInConfigurationLoads(t *testing.T) {
	t.Parallel()
	for _, root := range []string{"../../../examples", "../../../deploy", "../../rollcall/demo"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" || !strings.HasPrefix(d.Name(), "rollcall") {
				return err
			}
			if _, err := config.Load(path); err != nil {
				t.Error(err)
			}
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
	}
}

func wantLines(t *testing.T, err error, lines ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, line := range lines {
		if !strings.Contains(err.Error(), line) {
			t.Errorf("not said: %s\nin:\n%v", line, err)
		}
	}
}

func TestFaultsOfShapeHideNoFaultsOfValues(t *testing.T) {
	t.Parallel()
	_, err := config.Parse([]byte("nats: {urll: x}\norgs:\n  acme:\n    connect: {loginURL: nowhere}\n"), t.TempDir())
	for _, want := range []string{"nats.urll", "orgs.acme.connect.loginURL"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named: %v", want, err)
		}
	}
}
