package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/assign"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/rollcall/hrimport"
	"github.com/rollcall-sync/rollcall/services/rollcall/publish"
	"github.com/rollcall-sync/rollcall/services/rollcall/snapshot"
)

// registry is a server, a configuration with source workers, and assignment,
// which runs or does not.
type registry struct {
	*testing.T
	server *bustest.Server
	config string
	keyer  *events.Keyer
	stop   func()
}

func newRegistry(t *testing.T, source string) *registry {
	t.Helper()
	dir := t.TempDir()
	secret := strings.Repeat("k", events.MinDeploymentKeyBytes)
	keyer, err := events.NewKeyer([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	r := &registry{T: t, server: bustest.Start(t, bus.Topology{Orgs: []string{"sales"}}), config: filepath.Join(dir, "rollcall.yaml"), keyer: keyer, stop: func() {}}
	for name, text := range map[string]string{
		"deployment.key": secret,
		"rollcall.yaml": "deployment: {keyFile: deployment.key}\ntokens: {keyFile: tokens.json}\nauthority: [workers, other]\nsources:\n" +
			"  workers: {correlate: enterprise.employeeNumber" + source + "}\n  other: {correlate: enterprise.employeeNumber}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.start()
	return r
}

// start runs assignment.
func (r *registry) start() {
	r.Helper()
	file, err := config.Load(r.config)
	if err != nil {
		r.Fatal(err)
	}
	cfg, err := assign.ConfigFrom(file)
	if err != nil {
		r.Fatal(err)
	}
	svc, err := assign.New(cfg, r.server.As(r, "assignment"), telemetry.Discard())
	if err != nil {
		r.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := svc.Run(ctx); err != nil {
			r.Errorf("assignment: %v", err)
		}
	})
	r.stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	r.Cleanup(r.stop)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for svc.Ready() != nil {
		<-tick.C
	}
}

// snapshot publishes a file as the whole of its source.
func (r *registry) snapshot(text string, more ...string) (ran, whole) {
	r.Helper()
	return r.snapshotFile(write(r.T, "workers.csv", text), more...)
}

func (r *registry) snapshotFile(path string, more ...string) (ran, whole) {
	r.Helper()
	got := run(r.T, append([]string{"publish", path, "--snapshot", "--config", r.config, "--nats-url", r.server.URL(), "--as", "ann", "-o", "json", "--yes"}, more...)...)
	var w whole
	if got.out != "" {
		w = decode[whole](r.T, got)
	}
	return got, w
}

type whole struct {
	Plan    *snapshot.Plan
	DryRun  bool
	Rows    *publish.Result
	Removed *publish.Result
	Spared  int
}

// person is what assignment makes of a person, once it has read everything.
func (r *registry) person(n int) events.SourceState {
	r.Helper()
	b := r.server.Bus(r)
	if err := snapshot.Folded(r.Context(), b); err != nil {
		r.Fatal(err)
	}
	subject := events.PersonSubject(r.keyer.Person(fmt.Sprint(n)))
	have, err := b.Latest(r.Context(), events.StreamRoster, []string{subject})
	if err != nil {
		r.Fatal(err)
	}
	p, err := events.Decode[events.PersonState](have[subject].Data)
	if err != nil {
		r.Fatal(err)
	}
	return p.Sources["workers"]
}

func (r *registry) removed(ns ...int) {
	r.Helper()
	for n := range 40 {
		if got, want := r.person(n+1).Removed, slices.Contains(ns, n+1); got != want {
			r.Errorf("person %d removed: %v, want %v", n+1, got, want)
		}
	}
}

// company is an export of forty people, but for some.
func company(without ...int) string {
	var b strings.Builder
	b.WriteString(columns)
	for n := 1; n <= 40; n++ {
		if !slices.Contains(without, n) {
			b.WriteString(row(fmt.Sprint(n), "Active", fmt.Sprintf("Alder%d", n)))
		}
	}
	return b.String()
}

func TestWhoIsMissingFromASnapshotHasLeft(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "")
	got, w := r.snapshot(company())
	if got.code != 0 || w.Plan.Known != 0 || w.Plan.New != 40 || w.Rows.Published != 40 || w.Removed != nil {
		t.Fatalf("the first file: exit code %d, %+v\n%s", got.code, w, got.err)
	}
	r.removed()

	dry, w := r.snapshot(company(7, 8), "--dry-run")
	if dry.code != 0 || w.Rows != nil || w.Plan.Known != 40 || w.Plan.Snapshot.Absent != 2 || w.Plan.Leaving != 2 || w.Plan.Same != 38 ||
		len(w.Plan.Sample) != 2 || w.Plan.Sample[0].CorrelationID != "7" || w.Plan.Last == nil || w.Plan.Last.People != 40 || w.Plan.LastBy != "ann" {
		t.Fatalf("the dry run: exit code %d, %+v\n%s", dry.code, w.Plan, dry.err)
	}
	r.removed()

	got, w = r.snapshot(company(7, 8))
	if got.code != 0 || w.Rows.Published != 38 || w.Removed.Published != 2 || w.Removed.Batch.Size != 2 || w.Removed.Batch.ID == w.Rows.Batch.ID {
		t.Fatalf("two are missing: exit code %d, %+v\n%s", got.code, w, got.err)
	}
	r.removed(7, 8)

	// One of them is in the next file again, with the record as it was.
	got, w = r.snapshot(company(8, 9))
	if got.code != 0 || w.Plan.New != 1 || w.Plan.Snapshot.Absent != 1 {
		t.Fatalf("one is back: exit code %d, %+v\n%s", got.code, w.Plan, got.err)
	}
	r.removed(8, 9)
	if p := r.person(7); p.Person == nil || p.Removed {
		t.Errorf("who is in the file again is not back: %+v", p)
	}
	log := decode[[]operator.AuditEntry](t, run(t, "audit", "--verb", "snapshot", "--nats-url", r.server.URL(), "-o", "json"))
	if len(log) != 3 || log[2].By != "ann" || log[2].Snapshot == nil || log[2].Snapshot.Absent != 1 || log[2].Snapshot.People != 38 {
		t.Errorf("audit log: %+v", log)
	}
}

// A removal has the version of the record it removes: the same record comes back
// with the next file, an older one does not.
func TestASnapshotOfVersionedRecords(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, ", sourceVersion: number")
	export := func(versions ...int) string {
		var b strings.Builder
		for n, v := range versions {
			if v > 0 {
				fmt.Fprintf(&b, `{"specversion":"1.0","id":"%d-%d","source":"urn:hr","type":%q,"sourceversion":"%d","data":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%d"}}}`+"\n",
					n, v, events.TypePersonUpserted, v, n+1)
			}
		}
		return b.String()
	}
	for i, step := range []struct {
		versions []int
		removed  bool
	}{
		{[]int{5, 5, 5}, false},
		{[]int{0, 5, 5}, true},
		{[]int{4, 5, 5}, true}, // an older record than the one that was removed
		{[]int{5, 5, 5}, false},
		{[]int{0, 5, 5}, true},
		{[]int{6, 5, 5}, false},
	} {
		got, w := r.snapshotFile(write(t, "e.jsonl", export(step.versions...)), "--source", "workers")
		if got.code != 0 {
			t.Fatalf("step %d: exit code %d, %+v\n%s%s", i, got.code, w.Plan, got.out, got.err)
		}
		if p := r.person(1); p.Removed != step.removed {
			t.Errorf("step %d: removed is %v", i, p.Removed)
		}
	}
}

// Nothing of a file is published that seems not to be whole.
func TestASnapshotThatIsNotWholeIsRefused(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "")
	if got, _ := r.snapshot(company()); got.code != 0 {
		t.Fatal(got.err)
	}
	r.removed()
	before := len(directory(t, r.server))
	all, cutAt := company(), strings.LastIndex(company(), "Media")
	rows := strings.SplitAfter(all, "\n")
	for name, c := range map[string]struct {
		text, doubt, says string
	}{
		"cut in a row":          {all[:cutAt], "cut", "line 41, the last one, is not whole, and no line break"},
		"a line that is no row": {all + "40 people\n", "cut", "line 42, the last one, is not whole"},
		"cut in the last value": {strings.TrimSuffix(all, "\n"), "cut", "no line break follows line 41"},
		"cut between two rows":  {strings.Join(rows[:30], ""), "shrunk", "there are 29 people in the file, and were 40"},
		"only the names":        {columns, "shrunk", "there is nobody in the file"},
		"another source's":      {strings.ReplaceAll(strings.Join(rows, ""), "\n", "\n9"), "shrunk", "is it another source's"},
		"no id in a row":        {all + row("", "Active", "Birch"), "nameless", "line 42 (WorkerID: is empty"},
		"a row of five columns": {strings.Replace(all, row("3", "Active", "Alder3"), "3,Active\n", 1), "nameless", "line 4 (has 2 columns"},
		"columns moved":         {strings.ReplaceAll(all, ",Amber,Alder", ",Alder,Amber"), "shifted", "name.familyName of 40"},
		"everybody left":        {strings.ReplaceAll(all, ",Active,", ",Inactive,"), "shifted", "active of 40"},
	} {
		t.Run(name, func(t *testing.T) {
			one := *r
			one.T = t
			got, w := one.snapshot(strings.TrimSuffix(c.text, "\n9"))
			if got.code != 1 || w.Rows != nil || !slices.ContainsFunc(w.Plan.Faults, func(f snapshot.Fault) bool {
				return string(f.Doubt) == c.doubt && strings.Contains(f.Message, c.says)
			}) {
				t.Errorf("exit code %d, %+v\n%s", got.code, w.Plan, got.err)
			}
			table := run(t, "publish", write(t, "workers.csv", c.text), "--snapshot", "--config", r.config, "--nats-url", r.server.URL(), "--yes")
			if table.code != 1 || !strings.Contains(table.out, "Nothing was published") || !strings.Contains(table.out, "--accept "+c.doubt) {
				t.Errorf("exit code %d\n%s%s", table.code, table.out, table.err)
			}
		})
	}
	if n := len(directory(t, r.server)); n != before {
		t.Errorf("%d events were published all the same", n-before)
	}
	got, w := r.snapshot(strings.Join(rows[:30], ""), "--accept", "shrunk")
	if got.code != 0 || w.Removed.Published != 11 || !slices.Equal(w.Plan.Accepted, []string{"shrunk"}) {
		t.Errorf("accepted: exit code %d, %+v\n%s", got.code, w, got.err)
	}
}

// Who has a row is not absent, whatever is wrong with the row.
func TestARowThatCannotBeUsedRemovesNobody(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "")
	if got, _ := r.snapshot(company()); got.code != 0 {
		t.Fatal(got.err)
	}
	r.removed() // a file's time is no finer than a few milliseconds
	faulty := strings.Replace(company(9), row("4", "Active", "Alder4"), row("4", "Perhaps", "Alder4"), 1) + row("9", "Active", "Alder9") + row("9", "Active", "Birch")
	got, w := r.snapshot(faulty)
	if got.code != 1 || w.Plan.Snapshot.Absent+w.Plan.Later != 0 || w.Rows.Unusable != 3 || w.Removed != nil {
		t.Fatalf("exit code %d, %+v\n%s", got.code, w, got.err)
	}
	r.removed()
}

// What came of somebody after the file was made counts, and what came while the
// question was open too.
func TestASnapshotSaysNothingOfLaterNews(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "")
	if got, _ := r.snapshot(company()); got.code != 0 {
		t.Fatal(got.err)
	}
	r.removed()
	got, w := r.snapshot(company(5), "--exported-at", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
	if got.code != 0 || w.Plan.Later != 1 || w.Plan.Snapshot.Absent != 0 {
		t.Errorf("exit code %d, %+v\n%s", got.code, w.Plan, got.err)
	}
	r.removed()
}

// Of whom something came while the question was open, is left as they are.
func TestASnapshotRemovesNobodyWhoChangedMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "")
	if got, _ := r.snapshot(company()); got.code != 0 {
		t.Fatal(got.err)
	}
	r.removed()
	b := r.server.Bus(t)
	ids, err := correlation.New("workers", config.Source{Correlate: "enterprise.employeeNumber"})
	if err != nil {
		t.Fatal(err)
	}
	known := func() map[string]snapshot.Person {
		all, err := snapshot.Known(t.Context(), b, "workers")
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := known()
	compared := snapshot.Compare(before, ids)
	for id, p := range before {
		if id != "1" && id != "2" && id != "3" {
			if err := compared.Row(hrimport.Row{Person: id, Named: id, Event: &events.Event{Type: events.TypePersonUpserted, Person: p.State.Person}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	plan := compared.Plan(events.Snapshot{Source: "workers", ExportedAt: time.Now()})
	// One is hired anew, one has left by a word of their own.
	said := fmt.Sprintf(`{"specversion":"1.0","id":"x","source":"urn:hr","type":%q,"data":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"1"}}}`, events.TypePersonUpserted) + "\n"
	said += strings.Replace(strings.Replace(said, `"1"`, `"2"`, 1), events.TypePersonUpserted, events.TypePersonRemoved, 1)
	if got := run(t, "publish", write(t, "live.jsonl", said), "--source", "workers", "--nats-url", r.server.URL()); got.code != 0 {
		t.Fatal(got.err)
	}
	r.removed(2)
	if still := plan.Still(known()); len(plan.Absent()) != 3 || len(still) != 1 || still[0].ID != "3" {
		t.Errorf("%d were absent, %+v still are", len(plan.Absent()), still)
	}
}

func TestASnapshotWaitsForAssignment(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "")
	r.stop()
	if got := run(t, "publish", write(t, "workers.csv", company()), "--nats-url", r.server.URL()); got.code != 0 {
		t.Fatal(got.err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if err := snapshot.Folded(ctx, r.server.Bus(t)); err == nil || !strings.Contains(err.Error(), "40 wait") {
		t.Errorf("got %v", err)
	}
	r.start()
	if got, w := r.snapshot(company(3)); got.code != 0 || w.Removed.Published != 1 {
		t.Errorf("exit code %d, %+v\n%s", got.code, w, got.err)
	}
}

// With a file that is not the whole, absence means nothing, and the summary says
// how many that is about.
func TestWithoutSnapshotNobodyLeaves(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "")
	if got, _ := r.snapshot(company()); got.code != 0 {
		t.Fatal(got.err)
	}
	r.removed()
	part := write(t, "part.csv", company(1, 2, 3))
	got := run(t, "publish", part, "--config", r.config, "--nats-url", r.server.URL())
	if got.code != 0 || !strings.Contains(got.out, "3 people whom source workers has as active are not in the file. They stay as they are") {
		t.Errorf("exit code %d\n%s%s", got.code, got.out, got.err)
	}
	var lacks struct{ Lacking *int }
	if err := json.Unmarshal([]byte(run(t, "publish", part, "--config", r.config, "--nats-url", r.server.URL(), "-o", "json").out), &lacks); err != nil || lacks.Lacking == nil || *lacks.Lacking != 3 {
		t.Errorf("%+v, %v", lacks, err)
	}
	if got := run(t, "publish", part, "--nats-url", r.server.URL()); !strings.Contains(got.out, "is not known: name the configuration") {
		t.Errorf("without a configuration:\n%s", got.out)
	}
	r.removed()
}

// The nkey of a source publishes, that of an operator reads: neither does the
// other's.
func TestASnapshotTakesTwoKeys(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "")
	source, admin := r.server.Seed(bus.RolePublisher("workers")), r.server.Seed(bus.RoleOperator)
	for _, text := range []string{company(), company(6)} {
		if got, w := r.snapshot(text, "--nkey", source, "--operator-nkey", admin); got.code != 0 {
			t.Fatalf("exit code %d, %+v\n%s", got.code, w.Plan, got.err)
		}
		if err := snapshot.Folded(t.Context(), r.server.Bus(t)); err != nil {
			t.Fatal(err)
		}
	}
	r.removed(6)
	for _, role := range []string{bus.RolePublisher("workers"), bus.RoleOperator} {
		if refused := r.server.Refused(role); len(refused) > 0 {
			t.Errorf("%s is not allowed: %v", role, refused)
		}
	}
	plain := run(t, "publish", write(t, "workers.csv", company(6)), "--config", r.config, "--nats-url", r.server.URL(), "--nkey", source)
	if plain.code != 0 || !strings.Contains(plain.out, "is not known: the nkey of a source may not read it") {
		t.Errorf("exit code %d\n%s%s", plain.code, plain.out, plain.err)
	}
}

func TestASnapshotSaysWhatItNeeds(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "")
	if got, _ := r.snapshot(company()); got.code != 0 {
		t.Fatal(got.err)
	}
	export := write(t, "workers.csv", company(1))
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no configuration": {nil, "--snapshot needs the configuration that has source workers"},
		"one key":          {[]string{"--config", r.config, "--nkey", r.server.Seed(bus.RolePublisher("workers"))}, "--operator-nkey"},
		"no word":          {[]string{"--config", r.config}, "1 people would be removed: say --yes"},
		"json, no word":    {[]string{"--config", r.config, "-o", "json"}, "-o json asks nothing"},
		"no such doubt":    {[]string{"--config", r.config, "--accept", "all"}, `there is no "all", only cut, shrunk`},
		"no time":          {[]string{"--config", r.config, "--exported-at", "noon"}, "--exported-at: must be a time like"},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, append([]string{"publish", export, "--snapshot", "--nats-url", r.server.URL()}, c.args...)...)
			if got.code != 2 || !strings.Contains(got.err, c.says) {
				t.Errorf("exit code %d, want %q in:\n%s", got.code, c.says, got.err)
			}
		})
	}
}
