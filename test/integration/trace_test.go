//go:build containers

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// span is what the tests read of a span in Jaeger's answer.
type span struct {
	Name    string `json:"operationName"`
	ID      string `json:"spanID"`
	Process string `json:"processID"`
	// References to spans: CHILD_OF the parent, FOLLOWS_FROM a link.
	References []struct {
		Type    string `json:"refType"`
		TraceID string `json:"traceID"`
		SpanID  string `json:"spanID"`
	} `json:"references"`
	Tags []struct {
		Key   string `json:"key"`
		Value any    `json:"value"`
	} `json:"tags"`
}

type trace struct {
	ID        string `json:"traceID"`
	Spans     []span `json:"spans"`
	Processes map[string]struct {
		Service string `json:"serviceName"`
	} `json:"processes"`
}

// TestOnePersonIsOneTraceInJaeger follows one person from the event over a
// refused create, the dead letter and an admin's retry to the user in
// Salesforce, as somebody does who looks at Jaeger.
func TestOnePersonIsOneTraceInJaeger(t *testing.T) {
	parallel(t)
	r := newRig(t, nil)
	seats := func(n int) {
		r.must(http.MethodPatch, "/_emulator/orgs/-/licenses/Salesforce", fmt.Sprintf(`{"seats":%d}`, n))
	}
	seats(1) // the integration user's own
	r.publish(export(t, r.dir, 0, 1, "first"))
	r.awaitQuiet(quietWithin)
	if st, err := r.status(t.Context()); err != nil || st.Parked["licence"] != 1 {
		t.Fatalf("parked %v, error %v", st.Parked, err)
	}
	seats(10)
	r.run("tasks", "retry", "--cause", "licence", "--all", "--as", "tester", "--reason", "seats bought", "--wait")
	want := []string{
		"assignment: process rollcall.directory.{source}.{kind} < publish rollcall.directory.{source}.{kind}",
		"salesforce-pusher: process rollcall.work.{org}.{lane}.{key} < process rollcall.directory.{source}.{kind}",
		"salesforce-pusher: salesforce create User < process rollcall.work.{org}.{lane}.{key}",
		"retry-scheduler: process rollcall.outcome.{org}.{key} < process rollcall.work.{org}.{lane}.{key}",
		"retry-scheduler: replay rollcall.dead.{org}.{cause}.{key}",
		"salesforce-pusher: process rollcall.work.{org}.{lane}.{key} < replay rollcall.dead.{org}.{cause}.{key}",
	}
	var story []string
	eventually(t, quietWithin, "the trace is whole in Jaeger", func(ctx context.Context) error {
		found, err := r.traces(ctx, "retry-scheduler", "replay rollcall.dead.{org}.{cause}.{key}")
		if err != nil || len(found) != 1 {
			return fmt.Errorf("%d traces with a replay, error %w", len(found), err)
		}
		story = found[0].story()
		for _, w := range want {
			if !slices.ContainsFunc(story, func(line string) bool { return strings.HasPrefix(line, w) }) {
				return fmt.Errorf("not in the trace: %s; there is\n%s", w, strings.Join(story, "\n"))
			}
		}
		creates := slices.DeleteFunc(slices.Clone(story), func(line string) bool { return !strings.Contains(line, ": salesforce create User <") })
		if len(creates) != 2 {
			return fmt.Errorf("%d creates in the trace, want the refused and the successful one", len(creates))
		}
		return nil
	})
	t.Logf("one person's trace:\n%s", strings.Join(story, "\n"))
}

// traces asks Jaeger for the traces that have a span of that name.
func (r *rig) traces(ctx context.Context, service, operation string) ([]trace, error) {
	jaeger, err := r.procs["jaeger"].(*container).address(ctx, "16686/tcp")
	if err != nil {
		return nil, err
	}
	query := url.Values{"service": {service}, "operation": {operation}, "limit": {"20"}, "lookback": {"1h"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+jaeger+"/api/traces?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Data []trace `json:"data"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("Jaeger's answer (%s): %w", resp.Status, err)
	}
	return answer.Data, nil
}

// story lists the spans as "service: name < parent's name".
func (t trace) story() []string {
	names := map[string]string{}
	for _, s := range t.Spans {
		names[s.ID] = s.Name
	}
	var lines []string
	for _, s := range t.Spans {
		line := t.Processes[s.Process].Service + ": " + s.Name
		for _, ref := range s.References {
			if ref.Type == "CHILD_OF" && names[ref.SpanID] != "" {
				line += " < " + names[ref.SpanID]
			}
		}
		lines = append(lines, line)
	}
	return lines
}
