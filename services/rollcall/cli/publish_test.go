package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/rollcall/publish"
)

const (
	columns = "WorkerID,WorkerStatus,WorkerType,UserID,FirstName,LastName,FullName,GenderPronoun,ManagerID,HireDate,OnLeave,Department,Division,CostCenter,Company,Location,JobTitle,StreetAddress,City,CountryCode,OfficePhone,Custom01,Custom02,ZipCode\n"
	rest    = ",,,,False,Sales,Media,C1,Acme,Europe,Clerk,,Berlin,DE,,,,\n"
)

func row(id, status, family string) string {
	return id + "," + status + ",Employee,EMP" + id + ",Amber," + family + ",Amber " + family + rest
}

func directory(t *testing.T, s *bustest.Server) []bus.Entry {
	t.Helper()
	var out []bus.Entry
	if err := s.Bus(t).Scan(t.Context(), events.StreamDirectory, events.DirectoryAll, 1, func(e bus.Entry) error {
		out = append(out, e)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPublishReportsUnusableRowsAndGoesOn(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{})
	path := write(t, "workers.csv", columns+
		row("1", "Active", "Alder")+
		row("2", "Perhaps", "Birch")+ // a status nobody translates
		row("3", "Active", "Ced\xffar")+ // not UTF-8
		row("4", "Active", "Elder")+row("4", "Active", "Fern")+ // two people, one key
		row("5", "Active", "Larch")+row("5", "Active", "Larch")) // said twice

	r := run(t, "publish", path, "--nats-url", s.URL(), "-o", "json")
	got := decode[publish.Result](t, r)
	if r.code != 1 || got.Rows != 7 || got.Published != 2 || got.Unusable != 4 || got.Repeated != 1 {
		t.Errorf("exit code %d, %+v\n%s", r.code, got, r.err)
	}
	said := map[int]string{}
	for _, p := range got.Problems {
		said[p.Line] = p.Column + ": " + p.Reason
	}
	for line, want := range map[int]string{3: "WorkerStatus", 4: "UTF-8", 5: "WorkerID", 6: "WorkerID"} {
		if !strings.Contains(said[line], want) {
			t.Errorf("line %d: %q, want it to name %s", line, said[line], want)
		}
	}
	stored := directory(t, s)
	if len(stored) != 2 || stored[0].Subject != "rollcall.directory.workers.person" {
		t.Fatalf("%d events stored", len(stored))
	}
	if tp := stored[0].Header[events.HeaderTraceparent]; len(tp) != 1 || tp[0] == stored[1].Header[events.HeaderTraceparent][0] {
		t.Errorf("traceparent: %v, want one per event", tp)
	}

	table := run(t, "publish", path, "--nats-url", s.URL())
	if table.code != 1 || !strings.Contains(table.err, "why the row was not published") || !strings.Contains(table.out, "7 rows: 2 published, 4 unusable, 1 repeated") {
		t.Errorf("exit code %d\n%s%s", table.code, table.out, table.err)
	}
	if n := len(directory(t, s)); n != 4 {
		t.Errorf("%d events after publishing the file again, want 4: whether it changes anything is not for a message id to say", n)
	}
}

// A correction that is taken back says, word for word, what was said before it.
func TestPublishTakesAChangeBack(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{})
	here, gone := write(t, "here.csv", columns+row("1", "Active", "Alder")), write(t, "gone.csv", columns+row("1", "Inactive", "Alder"))
	event := func(name string) string {
		return `{"specversion":"1.0","id":"1001","source":"urn:hr","type":"` + events.TypePersonUpserted + `","data":{"userName":"` + name + `"}}` + "\n"
	}
	once, twice := write(t, "once.jsonl", event("amber")), write(t, "twice.jsonl", event("birch")+event("birch")+event("cedar"))
	stored := 0
	for i, step := range []struct {
		args  []string
		count int
	}{
		{[]string{here}, 1}, {[]string{gone}, 1}, {[]string{here}, 1}, {[]string{here}, 1},
		{[]string{once, "--source", "hr"}, 1}, {[]string{twice, "--source", "hr"}, 3}, {[]string{once, "--source", "hr"}, 1},
	} {
		r := run(t, append(append([]string{"publish"}, step.args...), "--nats-url", s.URL(), "-o", "json")...)
		got := decode[publish.Result](t, r)
		stored += step.count
		if n := len(directory(t, s)); r.code != 0 || got.Published != step.count || got.Duplicate != 0 || n != stored {
			t.Fatalf("step %d: exit code %d, %+v, and %d are stored, want %d\n%s", i, r.code, got, n, stored, r.err)
		}
	}
	seen := map[string]bool{}
	for _, e := range directory(t, s) {
		id := e.Header["Nats-Msg-Id"]
		if len(id) != 1 || seen[id[0]] || len(id[0]) < 20 {
			t.Errorf("message id %v: want one that nobody can guess", id)
		}
		seen[id[0]] = true
	}
}

func TestPublishTakesCloudEvents(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{})
	good := `{"specversion":"1.0","id":"1","source":"urn:hr","type":"` + events.TypePersonUpserted + `","data":{"userName":"amber"}}`
	large := `{"specversion":"1.0","id":"2","source":"urn:hr","type":"` + events.TypePersonUpserted + `","data":{"userName":"` + strings.Repeat("a", 2<<20) + `"}}`
	in := good + "\n\n" + large + "\n{\"id\":3}\n" + strings.Replace(good, `"1"`, `"4"`, 1) + "\n"

	r := runIn(t, strings.NewReader(in), "publish", "-", "--source", "hr", "--nats-url", s.URL(), "-o", "json")
	got := decode[publish.Result](t, r)
	if r.code != 1 || got.Published != 2 || got.Unusable != 2 || len(got.Problems) < 2 {
		t.Fatalf("exit code %d, %+v\n%s", r.code, got, r.err)
	}
	if p := got.Problems[0]; p.Line != 3 || !strings.Contains(p.Reason, "bytes") {
		t.Errorf("the large one: %+v", p)
	}
	if stored := directory(t, s); len(stored) != 2 || !strings.HasSuffix(string(stored[0].Data), good[1:]) {
		t.Errorf("%d stored, the first %s", len(stored), stored[0].Data)
	}
}

// With the configuration at hand, a row that would be parked is refused with its
// line, and not sent.
func TestPublishRefusesIDsThatTheConfigurationRefuses(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{})
	cfg := write(t, "rollcall.yaml", "deployment: {keyFile: deployment.key}\ntokens: {keyFile: tokens.json}\nsources:\n"+
		"  workers: {correlate: enterprise.employeeNumber, correlationID: {padZeros: 5, pattern: \"[0-9]{5}\"}}\n"+
		"  hr: {correlate: userName}\n")
	export := write(t, "workers.csv", columns+row("1", "Active", "Alder")+row("4.56E+11", "Active", "Birch")+row("E7", "Active", "Cedar"))
	event := `{"specversion":"1.0","id":"1","source":"urn:hr","type":"` + events.TypePersonUpserted + `","data":{"userName":"1.2e+05"}}` + "\n"

	got := decode[publish.Result](t, run(t, "publish", export, "--config", cfg, "--nats-url", s.URL(), "-o", "json"))
	if got.Published != 1 || got.Unusable != 2 || len(got.Problems) != 2 {
		t.Fatalf("%+v", got)
	}
	for i, says := range []string{"scientific notation", "does not look like one"} {
		if p := got.Problems[i]; p.Line != 3+i || p.Column != "WorkerID" || !strings.Contains(p.Reason, says) {
			t.Errorf("%+v, want line %d of WorkerID to say %q", p, 3+i, says)
		}
	}
	lines := decode[publish.Result](t, run(t, "publish", write(t, "events.jsonl", event), "--source", "hr", "--config", cfg, "--nats-url", s.URL(), "-o", "json"))
	if lines.Published != 0 || lines.Unusable != 1 || !strings.Contains(lines.Problems[0].Reason, "scientific notation") {
		t.Errorf("%+v", lines)
	}
	if n := len(directory(t, s)); n != 1 {
		t.Errorf("%d events stored, want 1", n)
	}
	all := decode[publish.Result](t, run(t, "publish", export, "--nats-url", s.URL(), "-o", "json"))
	if all.Published != 3 {
		t.Errorf("without the configuration: %+v, want everything sent, for assignment to judge", all)
	}
}

// A file whose columns have moved is not published in part: what fits by chance
// would be somebody else's.
func TestPublishRefusesAFileMostOfWhichDoesNotFit(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{})
	cfg := write(t, "rollcall.yaml", "deployment: {keyFile: deployment.key}\ntokens: {keyFile: tokens.json}\nsources:\n"+
		"  workers: {correlate: enterprise.employeeNumber, correlationID: {pattern: \"[0-9]{5}\"}}\n")
	moved := columns
	for n := range 12 {
		if n < 5 {
			moved += row(fmt.Sprintf("1000%d", n), "Active", "Alder")
			continue
		}
		moved += row(fmt.Sprintf("EMP%d", n), "Active", "Birch")
	}
	path := write(t, "workers.csv", moved)
	got := run(t, "publish", path, "--config", cfg, "--nats-url", s.URL())
	if got.code != 1 || !strings.Contains(got.err, "7 of 12 rows have no id that looks like one, the first in line 7 (WorkerID: does not look like one") {
		t.Errorf("exit code %d\n%s", got.code, got.err)
	}
	if n := len(directory(t, s)); n != 0 {
		t.Errorf("%d events were published", n)
	}
	if all := decode[publish.Result](t, run(t, "publish", path, "--config", cfg, "--nats-url", s.URL(), "--accept", "shifted", "-o", "json")); all.Published != 5 || all.Unusable != 7 {
		t.Errorf("accepted: %+v", all)
	}
}

func TestPublishSaysWhatToChange(t *testing.T) {
	t.Parallel()
	export := write(t, "workers.csv", columns+row("1", "Active", "Alder"))
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no file":       {nil, 2, "takes one file"},
		"no such file":  {[]string{"none.csv"}, 2, "none.csv: no such file"},
		"a folder":      {[]string{t.TempDir()}, 2, "is a folder"},
		"other columns": {[]string{write(t, "x.csv", "a,b\n1,2\n")}, 2, "name it with --mapping"},
		"no mapping":    {[]string{export, "--mapping", "none.yaml"}, 2, "none.yaml"},
		"no source":     {[]string{write(t, "x.jsonl", "{}\n")}, 2, "--source is required"},
		"stray source":  {[]string{export, "--source", "hr"}, 2, "--source is for CloudEvents"},
		"unreachable":   {[]string{export, "--nats-url", nobody}, 1, "nobody answered"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, append([]string{"publish"}, c.args...)...)
			if r.code != c.code || !strings.Contains(r.err, c.says) {
				t.Errorf("exit code %d, want %d and %q in:\n%s", r.code, c.code, c.says, r.err)
			}
		})
	}
}
