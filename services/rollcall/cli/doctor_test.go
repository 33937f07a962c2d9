package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/services/internal/doctor"
	"github.com/rollcall-sync/rollcall/services/rollcall/cli"
	sample "github.com/rollcall-sync/rollcall/services/rollcall/demo"
)

// demoConfig is the configuration file a demo has made in its data folder.
func demoConfig(dir string) string { return filepath.Join(dir, "rollcall.yaml") }

func levels(r doctor.Report, check string) []doctor.Level {
	var out []doctor.Level
	for _, f := range r.Findings {
		if f.Check == check {
			out = append(out, f.Level)
		}
	}
	return out
}

func TestTheDoctorLooksAtTheDemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDemo(t, dir)
	r := run(t, "doctor", "-o", "json", "--nats-url", d.url, "--config", demoConfig(dir))
	rep := decode[doctor.Report](t, r)
	// The demo has too few seats of one licence, and nothing else to look at.
	if r.code != 3 || rep.Worst != doctor.Warn {
		t.Errorf("exit code %d, worst %s", r.code, rep.Worst)
	}
	for _, f := range rep.Findings {
		if f.Level == doctor.Fail || f.Level == doctor.Warn && f.Check != "org.seats" {
			t.Errorf("%+v", f)
		}
	}
	for _, c := range doctor.Checks() {
		if len(levels(rep, c.Name)) == 0 {
			t.Errorf("%s was not done", c.Name)
		}
	}

	text := run(t, "doctor", sample.Org, "--nats-url", d.url, "--config", demoConfig(dir))
	for _, want := range []string{"NATS\n  ok       reachable", "Org demo\n  ok       login", "  warn     seats", "-> Buy seats", "1 to look at, 0 failed."} {
		if !strings.Contains(text.out, want) {
			t.Errorf("not said: %q in\n%s", want, text.out)
		}
	}
	secret, err := os.ReadFile(filepath.Join(dir, sample.SecretFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{r.out, r.err, text.out, text.err} {
		if strings.Contains(out, string(secret)) {
			t.Error("the doctor shows the client secret")
		}
	}
	if r := run(t, "doctor", "nowhere", "--nats-url", d.url, "--config", demoConfig(dir)); r.code != 2 || !strings.Contains(r.err, `no org "nowhere"`) {
		t.Errorf("an org that is not there: %+v", r)
	}
}

func TestTheDoctorWithoutNATS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string][]byte{"rollcall.yaml": sample.ConfigFile, sample.SecretFile: []byte("secret-of-nobody")} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := run(t, "doctor", "-o", "json", "--nats-url", nobody, "--config", demoConfig(dir))
	rep := decode[doctor.Report](t, r)
	if r.code != 1 || rep.Worst != doctor.Fail || levels(rep, "nats.reachable")[0] != doctor.Fail {
		t.Errorf("exit code %d: %+v", r.code, rep.Findings)
	}
	for check, want := range map[string]doctor.Level{"config.file": doctor.OK, "config.expressions": doctor.OK, "org.login": doctor.OK, "org.names": doctor.Skipped} {
		if got := levels(rep, check); len(got) == 0 || got[0] != want {
			t.Errorf("%s: %v, want %s", check, got, want)
		}
	}
	if !strings.Contains(r.err, "still looking at nats.reachable") {
		t.Errorf("nobody was told what was waited for: %q", r.err)
	}
}

func TestTheDoctorReadsAFileThatIsWrong(t *testing.T) {
	t.Parallel()
	path := write(t, "rollcall.yaml", `
natz: {}
orgs:
  emea:
    connect: {loginURL: "https://login.salesforce.com", clientID: k, clientSecretFile: none}
    assign:
      rules: [{name: all, when: "person.", profile: Standard User}]
`)
	r := run(t, "doctor", "-o", "json", "--nats-url", nobody, "--config", path)
	rep := decode[doctor.Report](t, r)
	for _, check := range []string{"config.file", "config.expressions", "org.login"} {
		if got := levels(rep, check); r.code != 1 || len(got) == 0 || got[0] != doctor.Fail {
			t.Errorf("%s: %v\n%+v", check, got, rep.Findings)
		}
	}
	if r := run(t, "doctor", "--config", filepath.Join(t.TempDir(), "none.yaml")); r.code != 2 {
		t.Errorf("no file: %+v", r)
	}
}

func TestTheDoctorsOrgsAreCompleted(t *testing.T) {
	t.Parallel()
	path := write(t, "rollcall.yaml", `
orgs:
  emea: {connect: {loginURL: "https://a.my.salesforce.com", clientID: k, clientSecretFile: s}}
  apac: {connect: {loginURL: "https://b.my.salesforce.com", clientID: k, clientSecretFile: s}}
`)
	r := run(t, "__complete", "doctor", "--config", path, "")
	if !strings.HasPrefix(r.out, "apac\nemea\n") {
		t.Errorf("%q", r.out)
	}
	r = run(t, "__complete", "doctor", "--config", path, "emea", "")
	if !strings.HasPrefix(r.out, "apac\n") || strings.Contains(r.out, "emea") {
		t.Errorf("after one: %q", r.out)
	}
}

// A person who breaks it off is not kept waiting.
func TestTheDoctorEndsWhenItIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := write(t, "rollcall.yaml", string(sample.ConfigFile))
	var out, err watched
	if code := cli.Execute(ctx, []string{"doctor", "--config", path, "--nats-url", nobody}, cli.Streams{Out: &out, Err: &err}); code != 1 {
		t.Errorf("exit code %d", code)
	}
}
