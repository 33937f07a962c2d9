package cli_test

import (
	"context"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/handover"
)

// merging is two people under one username, of whom the first has a user.
func merging(t *testing.T) (s *bustest.Server, at []string) {
	t.Helper()
	s = bustest.Start(t, bus.Topology{Orgs: []string{"acme"}})
	var groups []bus.Group
	add := func(subject string, data []byte, err error) {
		if err != nil {
			t.Fatal(err)
		}
		groups = append(groups, bus.Group{{Subject: subject, Data: data}})
	}
	for key, active := range map[events.Key]bool{"old": false, "new": true} {
		data, err := events.Encode(events.Desired{Org: "acme", Key: key, Active: active, Match: events.Match{Username: "con@acme.example"}, Hash: "h"})
		add(events.DesiredSubject("acme", key), data, err)
	}
	data, err := events.Encode(events.Link{Org: "acme", Key: "old", UserID: "005A"})
	add(events.LinkSubject("acme", "old"), data, err)
	data, err = events.Encode(events.Owner{Key: "old", By: "created"})
	add(events.OwnerSubject("acme", "005A"), data, err)
	if _, err := s.Bus(t).Commit(t.Context(), events.StreamRoster, groups); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	pusher := handover.New(s.As(t, "salesforce-pusher"), telemetry.Discard())
	go func() {
		defer close(done)
		if err := pusher.Run(ctx); err != nil {
			t.Errorf("handover: %v", err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return s, []string{"--nats-url", s.URL(), "--org", "acme"}
}

func TestMergeIsShownBeforeItIsDone(t *testing.T) {
	t.Parallel()
	s, at := merging(t)
	dry := run(t, append([]string{"person", "merge", "old", "new", "--reason", "converted"}, at...)...)
	for _, want := range []string{"005A", "old, con@acme.example, inactive as desired", "new, con@acme.example, active as desired", "Nothing is done yet: say --yes"} {
		if dry.code != 0 || !strings.Contains(dry.out, want) {
			t.Errorf("dry run: %d, want %q in\n%s%s", dry.code, want, dry.out, dry.err)
		}
	}
	if got := decode[[]operator.AuditEntry](t, run(t, "audit", "-o", "json", "--nats-url", s.URL())); len(got) != 0 {
		t.Errorf("a dry run is in the audit log: %+v", got)
	}
	done := run(t, append([]string{"person", "merge", "old", "new", "--reason", "converted", "--as", "grete", "--yes"}, at...)...)
	if done.code != 0 || !strings.Contains(done.out, "Done: the user is that of new") {
		t.Fatalf("%d\n%s%s", done.code, done.out, done.err)
	}
	audit := run(t, "audit", "--nats-url", s.URL())
	for _, want := range []string{"acme old to new", "merged", "grete", "converted"} {
		if !strings.Contains(audit.out, want) {
			t.Errorf("want %q in the audit log:\n%s", want, audit.out)
		}
	}
	show := run(t, "person", "show", "old", "--nats-url", s.URL())
	if !strings.Contains(show.out, "005A, until ") {
		t.Errorf("person show:\n%s", show.out)
	}
	type answer struct {
		DryRun bool
		Result operator.AuditEntry
	}
	let := decode[answer](t, run(t, append([]string{"person", "release", "old", "--reason", "used again", "--as", "grete", "--yes", "-o", "json"}, at...)...))
	if let.DryRun || let.Result.Verb != events.VerbUnlinked {
		t.Errorf("release: %+v", let)
	}
}

func TestMergeSaysWhatToChange(t *testing.T) {
	t.Parallel()
	s, at := merging(t)
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no org":         {[]string{"person", "merge", "old", "new", "--reason", "x", "--nats-url", s.URL()}, 2, "--org is required"},
		"no reason":      {append([]string{"person", "merge", "old", "new"}, at...), 2, "--reason is required"},
		"one person":     {append([]string{"person", "merge", "old", "--reason", "x"}, at...), 2, "two people"},
		"both ways":      {append([]string{"person", "release", "old", "--reason", "x", "--yes", "--dry-run"}, at...), 2, "opposite"},
		"one username":   {append([]string{"person", "merge", "con@acme.example", "new", "--reason", "x"}, at...), 1, "give one of these keys"},
		"nobody":         {append([]string{"person", "merge", "old", "nobody", "--reason", "x"}, at...), 1, "nobody is known"},
		"without a user": {append([]string{"person", "release", "new", "--reason", "x"}, at...), 1, "nothing to move or let go"},
		"unknown fate":   {[]string{"events", "list", "--fate", "lost", "--nats-url", s.URL(), "--config", sourced(t)}, 2, "there are: counts, superseded"},
		"unknown source": {[]string{"events", "list", "--source", "crm", "--nats-url", s.URL(), "--config", sourced(t)}, 2, "there are: hr"},
		"no sources":     {[]string{"events", "list", "--nats-url", s.URL()}, 2, "--config is required"},
		"odd since":      {[]string{"events", "list", "--since", "soon", "--nats-url", s.URL(), "--config", sourced(t)}, 2, "neither a duration"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r := run(t, c.args...); r.code != c.code || !strings.Contains(r.err, c.says) {
				t.Errorf("exit code %d, want %d and %q in:\n%s", r.code, c.code, c.says, r.err)
			}
		})
	}
}

// sourced is a configuration with one source.
func sourced(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	key := dir + "/deployment.key"
	if r := run(t, "keys", "deployment", key); r.code != 0 {
		t.Fatal(r.err)
	}
	return write(t, "rollcall.yaml", "deployment: {keyFile: "+key+"}\ntokens: {keyFile: tokens.json}\nsources:\n  hr: {correlate: userName}\n")
}

func TestEventsListSaysWhatBecameOfEach(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{})
	cfg := sourced(t)
	lines := `{"specversion":"1.0","id":"7","source":"urn:hr","type":"` + events.TypePersonUpserted + `","data":{"userName":"ann@acme.example"}}` + "\n"
	at := []string{"--config", cfg, "--nats-url", s.URL()}
	if r := run(t, append([]string{"publish", write(t, "events.jsonl", lines), "--source", "hr"}, at...)...); r.code != 0 {
		t.Fatal(r.err)
	}
	list := decode[[]operator.Event](t, run(t, append([]string{"events", "list", "--event", "7", "-o", "json"}, at...)...))
	if len(list) != 1 || list[0].Fate != operator.EventWaiting || list[0].Source != "hr" || list[0].Key == "" {
		t.Errorf("%+v", list)
	}
	table := run(t, append([]string{"events", "list"}, at...)...)
	if table.code != 0 || !strings.Contains(table.out, "waiting") || !strings.Contains(table.out, string(list[0].Key)) {
		t.Errorf("%d\n%s%s", table.code, table.out, table.err)
	}
	if none := run(t, append([]string{"events", "list", "--fate", "superseded"}, at...)...); !strings.Contains(none.out, "No event fits") {
		t.Errorf("%s", none.out)
	}
}
