package cli_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/services/rollcall/up"
)

func once(dir string) []string {
	return []string{
		"up", "--demo", "--once", "-o", "json", "--data", dir,
		"--listen", "", "--emulator-listen", "127.0.0.1:0", "--serve-listen", "", "--once-timeout", "50s",
	}
}

func TestUpOnceGoesFromExportToUsersAndASecondTimeChangesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	r := run(t, once(dir)...)
	first := decode[up.Summary](t, r)
	if r.code != 0 {
		t.Fatalf("exit code %d:\n%s", r.code, r.err)
	}
	parked := 0
	for _, n := range first.Parked {
		parked += n
	}
	if first.People < 190 || first.Created < 180 || first.Parked["licence"] == 0 || first.Parked["mapping"] != 1 {
		t.Errorf("summary: %+v", first)
	}
	if int(first.Created)+parked > first.People {
		t.Errorf("%d created and %d parked of %d people", first.Created, parked, first.People)
	}
	if first.APICalls == 0 || first.APICalls > 15 {
		t.Errorf("%d API calls for one batch", first.APICalls)
	}
	if !strings.Contains(r.err, "assignment") || !strings.Contains(r.err, "parked") {
		t.Errorf("no progress in:\n%s", r.err)
	}

	second := decode[up.Summary](t, run(t, once(dir)...))
	// The one call there may be reads what Salesforce has (lane check).
	if second.Created+second.Updated+second.Deactivated != 0 || second.APICalls > 1 || second.People != first.People {
		t.Errorf("the second time: %+v", second)
	}
}

func TestUpKeepsItsKeysToItself(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	if r := run(t, once(dir)...); r.code != 0 {
		t.Fatalf("exit code %d:\n%s", r.code, r.err)
	}
	for _, name := range []string{"deployment.key", "tokens.json", "emulator-client-secret", "emulator.json"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "deployment.key")); err != nil {
		t.Fatal(err)
	}
	if r := run(t, once(dir)...); r.code != 2 || !strings.Contains(r.err, "put it back") {
		t.Errorf("a second deployment key was made: exit code %d:\n%s", r.code, r.err)
	}
}

// TestUpShowsWhatAChangedConfigurationChanges before anything starts.
func TestUpShowsWhatAChangedConfigurationChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if r := run(t, once(dir)...); r.code != 0 || strings.Contains(r.err, "has changed") {
		t.Fatalf("exit code %d:\n%s", r.code, r.err)
	}
	path := filepath.Join(dir, "rollcall.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), `== "Sales"`, `== "sales"`)), 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, once(dir)...)
	before, _, _ := strings.Cut(r.err, "directory ") // the first line of progress
	for _, want := range []string{"The configuration has changed.", "OVER THE LIMIT", "lose permission set Sales_Base", "Nothing was sent, nothing was written."} {
		if !strings.Contains(before, want) {
			t.Errorf("exit code %d; lacks %q:\n%s", r.code, want, r.err)
		}
	}
}

func TestUpSaysWhatToChange(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	port := taken.Addr().String()
	demoText, err := os.ReadFile("../demo/rollcall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	badCEL := strings.Replace(string(demoText), "Username: person.userName", "Username: person.userNaem +", 1)
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no config":      {[]string{"up"}, 2, "--config is required"},
		"no such config": {[]string{"up", "--config", "none.yaml"}, 2, "none.yaml does not exist"},
		"unknown key":    {[]string{"up", "--config", write(t, "rollcall.yaml", "colour: red\n")}, 2, "line 1: colour: is not a key"},
		"bad CEL":        {append(once(t.TempDir()), "--config", write(t, "rollcall.yaml", badCEL)), 2, "field Username: line 1"},
		"NATS port":      {append(once(t.TempDir()), "--listen", port), 1, port + " is taken by another program: is NATS or another rollcall running? Choose another port with --listen"},
		"emulator port":  {append(once(t.TempDir()), "--emulator-listen", port), 1, "choose another port with --emulator-listen"},
		"probes port":    {append(once(t.TempDir()), "--serve-listen", port), 1, "--serve-listen"},
		"unknown flag":   {[]string{"up", "--colour"}, 2, "unknown flag: --colour"},
		"bad format":     {[]string{"up", "-o", "xml"}, 2, "must be table or json"},
		"argument":       {[]string{"up", "now"}, 2, "takes no argument"},
		"no command":     {[]string{"tusks"}, 2, `unknown command "tusks"`},
		"no subcommand":  {[]string{"tasks", "lost"}, 2, `unknown command "lost" for "rollcall tasks"`},
		"nothing picked": {[]string{"tasks", "retry"}, 2, "numbers, filters, or --all"},
		"no such cause":  {[]string{"tasks", "list", "--cause", "rain"}, 2, "is not a cause"},
		"no such time":   {[]string{"tasks", "list", "--since", "soon"}, 2, "neither a duration"},
		"not a number":   {[]string{"tasks", "show", "first"}, 2, "is not the number of a task"},
		"both":           {[]string{"tasks", "retry", "1", "--all"}, 2, "neither filters nor --all"},
		"emulator":       {[]string{"emulator"}, 2, "--client-id, and --client-secret-file or --client-secret, are required"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := c.args
			if args[0] == "up" && len(args) > 1 && args[1] == "--config" {
				args = append(args, "--data", t.TempDir())
			}
			r := run(t, args...)
			if r.code != c.code || !strings.Contains(r.err, c.says) {
				t.Errorf("exit code %d, want %d and %q in:\n%s", r.code, c.code, c.says, r.err)
			}
			if r.out != "" {
				t.Errorf("standard output: %s", r.out)
			}
		})
	}
}
