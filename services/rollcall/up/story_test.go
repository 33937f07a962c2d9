package up

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry/telemetrytest"
)

// TestOnePersonIsOneTrace follows one person from the event over a refused
// create, the dead letter and an admin's retry to the Salesforce user, and wants
// all of it in one trace, each step below the one that caused it.
func TestOnePersonIsOneTrace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rec := telemetrytest.Recording(t)
	if err := r.org.SetSeats(emulator.SalesforceLicense, 1); err != nil { // the integration user's own
		t.Fatal(err)
	}
	stop := r.startWith(t, rec.Telemetry)
	admin := operator.New(r.bus, rec.Telemetry, nil)

	ctx, root := rec.Tracer.Start(t.Context(), "publish rollcall.directory.{source}.{kind}", trace.WithSpanKind(trace.SpanKindProducer))
	header := bus.Header{}
	telemetry.Inject(ctx, header)
	if _, err := r.bus.Commit(ctx, events.StreamDirectory, []bus.Group{{{
		Subject: events.DirectorySubject("hr", events.KindPerson), Data: benchEvent(t, 1, events.LaneChange), Header: header,
	}}}); err != nil {
		t.Fatal(err)
	}
	root.End()

	tasks := r.parked(t, admin, 1)
	if got := tasks[0].Letter.Failure.Cause; got != events.CauseLicence {
		t.Fatalf("parked under %s", got)
	}
	if err := r.org.SetSeats(emulator.SalesforceLicense, 10); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Request(t.Context(), events.VerbRetry, "tester", "seats bought", tasks); err != nil {
		t.Fatal(err)
	}
	r.parked(t, admin, 0)
	stop()

	story := storyOf(rec, root.SpanContext().TraceID())
	want := []string{
		"process rollcall.directory.{source}.{kind} < publish rollcall.directory.{source}.{kind}",
		"process rollcall.work.{org}.{lane}.{key} < process rollcall.directory.{source}.{kind}",
		"salesforce create User < process rollcall.work.{org}.{lane}.{key}",
		"process rollcall.outcome.{org}.{key} < process rollcall.work.{org}.{lane}.{key}",
		"process rollcall.work.{org}.{lane}.{key} < replay rollcall.dead.{org}.{cause}.{key}",
	}
	for _, w := range want {
		if !slices.Contains(story, w) {
			t.Errorf("not in the trace: %s", w)
		}
	}
	if creates := count(story, "salesforce create User < "); creates != 2 {
		t.Errorf("%d creates in the trace, want the refused and the successful one", creates)
	}
	if t.Failed() {
		t.Logf("the trace is:\n%s", strings.Join(story, "\n"))
	}
	wantLinks(t, rec)
	wantNoPersonalData(t, rec)
}

// storyOf lists the spans of a trace as "name < parent's name".
func storyOf(rec *telemetrytest.Recorder, id trace.TraceID) []string {
	names := map[trace.SpanID]string{}
	for _, s := range rec.Spans() {
		names[s.SpanContext().SpanID()] = s.Name()
	}
	var story []string
	for _, s := range rec.Spans() {
		if s.SpanContext().TraceID() == id && s.Parent().IsValid() {
			story = append(story, s.Name()+" < "+names[s.Parent().SpanID()])
		}
	}
	return story
}

func count(story []string, prefix string) int {
	n := 0
	for _, s := range story {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	return n
}

// wantLinks wants a person's call linked to the HTTP request that carried it,
// and the replay to the admin's request.
func wantLinks(t *testing.T, rec *telemetrytest.Recorder) {
	t.Helper()
	for _, name := range []string{"salesforce create User", "replay rollcall.dead.{org}.{cause}.{key}"} {
		if !slices.ContainsFunc(rec.Named(name), func(s sdktrace.ReadOnlySpan) bool { return len(s.Links()) > 0 }) {
			t.Errorf("span %q has no link", name)
		}
	}
}

// wantNoPersonalData looks for the person's values in everything traced or logged.
func wantNoPersonalData(t *testing.T, rec *telemetrytest.Recorder) {
	t.Helper()
	for _, canary := range []string{"n0000001@bench.example", "Familyn0000001", "secret"} {
		if strings.Contains(rec.LogText(), canary) {
			t.Errorf("the log holds %q", canary)
		}
		for _, s := range rec.Spans() {
			for _, a := range s.Attributes() {
				if strings.Contains(a.Value.String(), canary) {
					t.Errorf("span %q holds %q in %s", s.Name(), canary, a.Key)
				}
			}
		}
	}
}

// parked waits until exactly n people are parked.
func (r *rig) parked(t *testing.T, admin *operator.Operator, n int) []operator.Task {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	changed := make(chan struct{}, 1)
	for _, stream := range []string{events.StreamDead, events.StreamOperator} {
		go func() {
			_ = r.bus.Watch(ctx, stream, "rollcall.>", func(bus.Entry) {
				select {
				case changed <- struct{}{}:
				default:
				}
			})
		}()
	}
	tick := time.NewTicker(20 * time.Millisecond) // a removed letter is no message
	defer tick.Stop()
	for {
		tasks, err := admin.List(ctx, operator.Filter{})
		if err != nil {
			t.Fatalf("list tasks: %v", err)
		}
		if len(tasks) == n {
			return tasks
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%d people parked, want %d", len(tasks), n)
		}
	}
}
