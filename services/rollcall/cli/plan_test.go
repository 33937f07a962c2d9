package cli_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/preview"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
	sample "github.com/rollcall-sync/rollcall/services/rollcall/demo"
	"github.com/rollcall-sync/rollcall/services/rollcall/plan"
)

// TestPlanBeforeApply is how a configuration is changed safely: one letter in a
// rule is seen before anybody loses anything.
func TestPlanBeforeApply(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDemo(t, dir)
	same := filepath.Join(dir, "rollcall.yaml")
	text := strings.ReplaceAll(string(sample.ConfigFile), `== "Sales"`, `== "sales"`)
	text = strings.ReplaceAll(text, "[Support_Base]", "[Suport_Base]")
	text = strings.ReplaceAll(text, `when: "true"`, `when: "false"`)
	typo := filepath.Join(dir, "new.yaml")
	if err := os.WriteFile(typo, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	before := stored(t, d)

	r := run(t, "plan", "--config", typo, "--nats-url", d.url, "-o", "json")
	got := decode[plan.Report](t, r)
	o := got.Plan.Orgs[0]
	if r.code != 3 || !got.Over || got.InForce == nil || got.Hash == got.InForce.Hash || got.Plan.People != 196 {
		t.Errorf("exit code %d, %+v\n%s", r.code, got, r.err)
	}
	if o.What[preview.Deactivated] != 116 || o.Unmatched != 116 || o.WithoutUser != 2 || o.Active != (preview.Count{Before: 192, After: 76}) || o.What[preview.Updated] != 38 {
		t.Errorf("%v, %d unmatched, %d without user, %v active", o.What, o.Unmatched, o.WithoutUser, o.Active)
	}
	if s := got.Supplies; len(s) != 1 || s[0].Unasked != "" || len(s[0].Missing) != 1 || !strings.Contains(s[0].Missing[0].Message, "Suport_Base") || len(s[0].Licences) != 2 {
		t.Errorf("the org says %+v", s)
	}
	table := run(t, "plan", "--config", typo, "--nats-url", d.url)
	for _, want := range []string{"OVER THE LIMIT: 116 people lose their user", "employed, and no rule matches", "lose permission set Support_Base", "Suport_Base", "Seats of Salesforce: 115 fewer."} {
		if !strings.Contains(table.out, want) {
			t.Errorf("the table lacks %q:\n%s", want, table.out)
		}
	}
	for line := range strings.SplitSeq(table.out, "\n") {
		if n := len([]rune(line)); n > 100 {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}

	r = run(t, "plan", "--config", same, "--nats-url", d.url, "-o", "json", "--offline")
	if got := decode[plan.Report](t, r); r.code != 0 || got.Plan.Changed != 0 || got.Plan.People != 196 || got.Hash != got.InForce.Hash || len(got.Supplies) != 0 {
		t.Errorf("what is in force: exit code %d, %+v\n%s", r.code, got, r.err)
	}
	whole := run(t, "plan", "--config", typo, "--nats-url", d.url, "--offline", "--person", "sample+d1001@example.com")
	for _, want := range []string{"loses access", "profile: Standard User → nothing", `where person.enterprise.department = "Sales"`, `== "sales" is false`} {
		if !strings.Contains(whole.out, want) {
			t.Errorf("one person: exit code %d, lacks %q:\n%s%s", whole.code, want, whole.out, whole.err)
		}
	}
	planFile(t, d, dir, same)
	if after := stored(t, d); before != after {
		t.Errorf("something was stored: %s, then %s", before, after)
	}
}

// planFile plans an export in which one has left, one is renamed and one row cannot
// be used.
func planFile(t *testing.T, d demo, dir, config string) {
	t.Helper()
	lines := strings.Split(strings.ReplaceAll(string(sample.Export), "2026-01-15T08:00:00Z", "2026-11-15T08:00:00Z"), "\n")[:4]
	lines[1] = strings.Replace(lines[1], ",active,", ",left,", 1)
	lines[2] = strings.Replace(lines[2], ",active,Azure,", ",active,Azur,", 1)
	lines[3] = strings.Replace(lines[3], ",active,", ",perhaps,", 1)
	export := filepath.Join(dir, "workers.csv")
	if err := os.WriteFile(export, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"plan", export, "--config", config, "--nats-url", d.url, "-o", "json"}
	r := run(t, args...)
	got := decode[plan.Report](t, r)
	if o := got.Plan.Orgs[0]; r.code != 1 || got.Plan.People != 2 || got.Plan.Rows.Events != 2 || o.What[preview.Deactivated] != 1 || o.Fields["FirstName"] != 1 {
		t.Errorf("exit code %d, %+v\n%s", r.code, got.Plan, r.err)
	}
	if !strings.Contains(r.err, "line 4 Status: the value has no translation") || !strings.Contains(r.err, "1 of 3 rows cannot be used") {
		t.Errorf("standard error: %s", r.err)
	}
}

// stored says how much there is in the streams that only people write to, and which
// configuration is in force.
func stored(t *testing.T, d demo) string {
	t.Helper()
	b, err := bus.Connect(context.Background(), bus.Options{URL: d.url, Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	all, err := b.Streams(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	have, err := b.Latest(t.Context(), events.StreamRoster, []string{events.ConfigurationSubject()})
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("register %d", have[events.ConfigurationSubject()].Seq)
	for _, s := range all {
		if s.Name != events.StreamRoster { // where assignment gives signs of life
			text += fmt.Sprintf(", %s %d", s.Name, s.LastSeq)
		}
	}
	return text
}

func TestPlanSaysWhatToChange(t *testing.T) {
	t.Parallel()
	faulty := write(t, "faulty.yaml", strings.ReplaceAll(string(sample.ConfigFile), `person.?enterprise.?department.orValue("") == "Sales"`, `person.?enterprise.?departmnt.orValue("") == "Sales"`))
	good := write(t, "good.yaml", string(sample.ConfigFile))
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"two files":   {[]string{"a.csv", "b.csv"}, 2, "one file at most"},
		"no config":   {nil, 2, "--config is required"},
		"a fault":     {[]string{"--config", faulty}, 2, `a person has no attribute "departmnt"`},
		"no file":     {[]string{"none.csv", "--config", good}, 2, "none.csv: no such file"},
		"unreachable": {[]string{"--config", good, "--nats-url", nobody}, 1, "nobody answered"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, append([]string{"plan"}, c.args...)...)
			if r.code != c.code || !strings.Contains(r.err, c.says) {
				t.Errorf("exit code %d, want %d and %q in:\n%s", r.code, c.code, c.says, r.err)
			}
		})
	}
}

// TestWhoIsCoveredByNoRuleIsKnown, whatever they are called by, and also while the
// org is held.
func TestWhoIsCoveredByNoRuleIsKnown(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{Orgs: []string{"demo"}})
	cfg := write(t, "rollcall.yaml", string(sample.ConfigFile[:strings.Index(string(sample.ConfigFile), "        - name: everybody else")])+
		"      fields: {LastName: person.name.familyName, Username: person.userName, Email: person.userName, Alias: person.userName}\n")
	if err := os.WriteFile(filepath.Join(filepath.Dir(cfg), "deployment.key"), []byte(strings.Repeat("k", events.MinDeploymentKeyBytes)), 0o600); err != nil {
		t.Fatal(err)
	}
	key := events.Key("nobodyskey")
	person := events.PersonState{Key: key, CorrelationID: "N7", Sources: map[string]events.SourceState{"hr": {Person: &events.Person{
		UserName: "amber.nobody", Emails: []events.Email{{Value: "Amber@example.com"}},
		Enterprise: &events.Enterprise{EmployeeNumber: "0007", Department: "sales"},
	}}}}
	put(t, s, events.PersonSubject(key), person)
	put(t, s, events.DesiredSubject("demo", key), events.Desired{Org: "demo", Key: key, Match: events.Match{Username: "amber@crm.example.com"}})
	put(t, s, events.HealthSubject("demo"), events.Health{Org: "demo", State: events.HealthHeld, Failure: &events.Failure{Cause: events.CauseUnavailable}})
	twin := person
	twin.Key, twin.CorrelationID = "othernobody", "N8"
	for _, name := range []string{"N7", "amber.nobody", "amber@EXAMPLE.com", "0007", "amber@crm.example.com", string(key)} {
		r := run(t, "person", "show", name, "--nats-url", s.URL(), "--config", cfg, "-o", "json")
		got := decode[struct {
			operator.PersonView
			Rules []rules.Coverage `json:"rules"`
		}](t, r)
		if r.code != 0 || got.Key != key || len(got.Rules) != 1 || got.Rules[0].Standing != rules.StandingUnmatched || len(got.Rules[0].Conditions) != 3 {
			t.Errorf("%s: exit code %d, %+v\n%s", name, r.code, got.Rules, r.err)
		}
	}
	shown := run(t, "person", "show", "0007", "--nats-url", s.URL(), "--config", cfg)
	for _, want := range []string{"Rules of org demo: no rule matches", `sales: person.?enterprise.?department.orValue("") == "Sales" is false`, `where person.enterprise.department = "sales"`} {
		if !strings.Contains(shown.out, want) {
			t.Errorf("lacks %q:\n%s%s", want, shown.out, shown.err)
		}
	}
	put(t, s, events.PersonSubject(twin.Key), twin)
	if r := run(t, "person", "show", "0007", "--nats-url", s.URL(), "--config", cfg); r.code != 1 || !strings.Contains(r.err, "several people") || !strings.Contains(r.err, "othernobody") {
		t.Errorf("two of one number: exit code %d\n%s", r.code, r.err)
	}
	if r := run(t, "person", "show", "nobody at all", "--nats-url", s.URL(), "--config", cfg); r.code != 1 || !strings.Contains(r.err, "employee number") {
		t.Errorf("nobody: exit code %d\n%s", r.code, r.err)
	}
}

func put[P events.Payload](t *testing.T, s *bustest.Server, subject string, p P) {
	t.Helper()
	data, err := events.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Bus(t).Commit(t.Context(), events.StreamRoster, []bus.Group{{{Subject: subject, Data: data}}}); err != nil {
		t.Fatal(err)
	}
}
