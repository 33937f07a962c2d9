package chart

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

const compose = "../../deploy/compose"

// Every alert parses, says what to do, and names a page that is there.
func TestAlerts(t *testing.T) {
	t.Parallel()
	for _, rule := range alerts(t) {
		for _, key := range []string{"summary", "description", "runbook_url"} {
			if rule.Annotations[key] == "" {
				t.Errorf("%s has no %s", rule.Alert, key)
			}
		}
		if s := rule.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: severity %q", rule.Alert, s)
		}
		page, ok := strings.CutPrefix(rule.Annotations["runbook_url"], "https://github.com/rollcall-sync/rollcall/blob/main/")
		if _, err := os.Stat("../../" + page); !ok || err != nil {
			t.Errorf("%s: no page %s (%v)", rule.Alert, page, err)
		}
	}
}

func alerts(t *testing.T) []rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.Parse([]byte(read(t, compose+"/prometheus/alerts.yml")), false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	for _, err := range errs {
		t.Error(err)
	}
	if groups == nil || len(groups.Groups) == 0 {
		t.Fatal("no alerts")
	}
	return groups.Groups[0].Rules
}

// dashboard are the expressions of the dashboard, by panel.
func dashboard(t *testing.T) map[string][]string {
	t.Helper()
	var d struct {
		Panels []struct {
			Title, Description string
			Targets            []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, compose+"/grafana/rollcall.json")), &d); err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, p := range d.Panels {
		if p.Description == "" || len(p.Targets) == 0 || out[p.Title] != nil {
			t.Errorf("panel %q has no description or no expression, or stands twice", p.Title)
		}
		for _, target := range p.Targets {
			out[p.Title] = append(out[p.Title], strings.ReplaceAll(target.Expr, "$org", "demo"))
		}
	}
	return out
}

// Whatever an alert or the dashboard looks at, the services really say.
func TestEveryMetricIsThere(t *testing.T) {
	t.Parallel()
	exprs := dashboard(t)
	for _, rule := range alerts(t) {
		exprs[rule.Alert] = append(exprs[rule.Alert], rule.Expr)
	}
	said := metricsOfADemo(t)
	checkTable(t, said)
	for where, list := range exprs {
		for _, expr := range list {
			for _, missing := range notSaid(t, where, expr, said) {
				t.Errorf("%s looks at %s, which no service says", where, missing)
			}
		}
	}
}

// checkTable wants every metric in the table of docs/observability.md, with its
// labels. What a demo does not count stands there unchecked.
func checkTable(t *testing.T, said map[string]string) {
	t.Helper()
	table := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*`) \\| (.*?) ?\\| .* \\|$").FindAllStringSubmatch(read(t, "../../docs/observability.md"), -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			table[strings.Trim(name, "`")] = row[2]
		}
	}
	label, part := regexp.MustCompile(`(\w+)="`), regexp.MustCompile(`_(bucket|sum|count)$`)
	for name, series := range said {
		if !strings.HasPrefix(name, "rollcall_") {
			continue
		}
		got := map[string]bool{}
		for _, m := range label.FindAllStringSubmatch(series, -1) {
			got[m[1]] = m[1] != "le" && !strings.HasPrefix(m[1], "otel_scope_")
		}
		maps.DeleteFunc(got, func(_ string, ours bool) bool { return !ours })
		want, ok := table[part.ReplaceAllString(name, "")]
		if labels := slices.Collect(strings.SplitSeq(want, ", ")); !ok || !sameSet(got, labels) {
			t.Errorf("docs/observability.md says %s has the labels %q (listed: %t), a demo says %q", name, want, ok, slices.Sorted(maps.Keys(got)))
		}
	}
}

func sameSet(got map[string]bool, want []string) bool {
	want = slices.DeleteFunc(want, func(s string) bool { return s == "" })
	return slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(slices.Values(want)))
}

// notSaid are the metrics and labels of an expression that nobody says. up is
// Prometheus' own.
func notSaid(t *testing.T, where, expr string, said map[string]string) []string {
	t.Helper()
	tree, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	var out []string
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok || v.Name == "up" {
			return nil
		}
		all, ok := said[v.Name]
		if !ok {
			out = append(out, v.Name)
		}
		for _, m := range v.LabelMatchers {
			if ok && m.Name != model.MetricNameLabel && !strings.Contains(all, m.Name+"=") {
				out = append(out, v.Name+"{"+m.Name+"}")
			}
		}
		return nil
	})
	return out
}

// metricsOfADemo runs everything in one process, makes happen what has counters
// of its own, and returns every metric with the labels of its series.
func metricsOfADemo(t *testing.T) map[string]string {
	t.Helper()
	bin, dir := program(t), t.TempDir()
	nats, serve, emulator := address(t), address(t), address(t)
	up := exec.CommandContext(t.Context(), bin, "up", "--demo", "--data", dir, "--listen", nats, "--serve-listen", serve, "--emulator-listen", emulator)
	up.Dir, up.Cancel = dir, func() error { return up.Process.Signal(os.Interrupt) }
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = up.Process.Signal(os.Interrupt); _ = up.Wait() })
	metrics, admin := "http://"+serve+"/metrics", "http://"+emulator+"/_emulator/"
	scrape(t, metrics, []string{"rollcall_retry_parked_total", "rollcall_push_api_used", "rollcall_consumer_pending"})
	// The parked get seats and are retried: one meets a lock, the others come free.
	post(t, admin+"faults", `{"effect": "lock_row", "object": "User", "times": 1}`)
	post(t, admin+"orgs/00DA00000000001MAA/licenses/Salesforce%20Platform", `{"seats": 100}`)
	retry := exec.CommandContext(t.Context(), bin, "tasks", "retry", "--cause", "licence", "--all", "--nats-url", "nats://"+nats)
	retry.Dir = dir
	if out, err := retry.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return scrape(t, metrics, []string{"rollcall_retry_closed_total", "rollcall_retry_scheduled_total"})
}

func post(t *testing.T, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s: %s", url, res.Status)
	}
}

func address(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// scrape reads metrics until all that are wanted are there.
func scrape(t *testing.T, url string, want []string) map[string]string {
	t.Helper()
	series := regexp.MustCompile(`(?m)^([a-z_]+)(\{[^}]*\})? `)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		said := map[string]string{}
		for _, m := range series.FindAllStringSubmatch(get(t, url), -1) {
			said[m[1]] += m[2]
		}
		missing := ""
		for _, name := range want {
			if _, ok := said[name]; !ok {
				missing = name
			}
		}
		if missing == "" {
			return said
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("after a minute there is no %s", missing)
		}
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "" // not up yet
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Every job that the alerts know is scraped, and no other.
func TestScrapedJobs(t *testing.T) {
	t.Parallel()
	var c struct {
		ScrapeConfigs []struct {
			JobName string `json:"job_name"`
		} `json:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(read(t, compose+"/prometheus/prometheus.yml")), &c); err != nil {
		t.Fatal(err)
	}
	jobs := make([]string, 0, len(c.ScrapeConfigs))
	for _, s := range c.ScrapeConfigs {
		jobs = append(jobs, s.JobName)
	}
	if text := strings.Join(jobs, "|"); !strings.Contains(read(t, compose+"/prometheus/alerts.yml"), `job=~"`+text+`"`) {
		t.Errorf("scraped are %s", text)
	}
}

// program builds rollcall.
func program(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "rollcall")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./services/rollcall")
	build.Dir, build.Env = "../..", append(os.Environ(), "GOWORK=") // this module is outside the workspace, the program is not
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}
