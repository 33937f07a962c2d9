package events_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// TestGoldenPayloads pins the bytes of every payload: what is stored today must
// be read by tomorrow's program. UPDATE_GOLDEN=1 writes the files anew.
func TestGoldenPayloads(t *testing.T) {
	t.Parallel()
	golden(t, "person_state.v2", samplePersonState())
	golden(t, "group_state.v2", sampleGroupState())
	golden(t, "desired.v3", sampleDesired())
	golden(t, "work", events.Work{V: 1, Reason: events.ReasonReplay})
	golden(t, "link.v2", sampleLink())
	golden(t, "owner", events.Owner{V: 1, Key: sampleKey, By: "created", From: "e2"})
	golden(t, "outcome", sampleOutcome())
	golden(t, "discarded", events.Discarded{V: 1, Revision: 22, By: "admin@example.com", At: at(3), Request: "req-1"})
	golden(t, "rejection", events.Rejection{
		V: 1, Origin: sampleOrigin(), Subject: "rollcall.directory.hr.person", Failure: ptr(sampleFailure()),
		Resolved: true, Attempt: 2, FirstAt: at(0), At: at(1),
	})
	golden(t, "dead_letter", sampleDeadLetter())
	golden(t, "health", sampleHealth())
	golden(t, "token_record", sampleTokenRecord())
	golden(t, "configuration", sampleConfiguration())
	golden(t, "beat", events.Beat{V: 1, Replica: "assignment-1/K3QXB2", ConfigurationID: sampleConfiguration().ConfigurationID, Generation: 3, Refused: true, Left: true})
	golden(t, "sweep", events.Sweep{V: 1, Generation: 3, Replica: "assignment-1/K3QXB2", Done: true, People: 1200, Changed: 7})
	golden(t, "held", sampleHeld())
	golden(t, "guard", sampleGuard())
	golden(t, "release", sampleRelease())
	golden(t, "operator_request", events.OperatorRequest{
		Asks: ptr(sampleAsks()),
		V:    1, ID: "req-1", By: "admin@example.com", At: at(3), Reason: "seats bought", Targets: []events.Target{sampleTarget()},
		UserID: "005000000000001AAA", Drops: "005000000000002AAA",
		Scope: &events.Scope{Org: "production", Lane: events.LaneChange, Source: "hr"}, Pause: "req-0",
		Snapshot: &events.Snapshot{Source: "hr", ExportedAt: at(0), Digest: "5e8ff9bf55ba3508", EndsInNewline: true,
			Rows: 410, People: 400, Known: 405, Absent: 7, Leaving: 5, Accepted: []string{"shrunk"}},
		Urgent: true, Select: sampleSelection(),
	})
	golden(t, "operator_result", events.OperatorResult{
		V: 1, Request: "req-1", By: "admin@example.com", At: at(3), Target: sampleTarget(), Scope: &events.Scope{Org: "production", Lane: events.LaneChange, Source: "hr"},
		Revision: 22, Note: "looked at again", Select: sampleSelection(), Count: 1,
	})
	golden(t, "pauses", events.Pauses{
		V: 1, At: at(3), Settled: []events.SettledPause{{Request: "req-1", Verb: events.VerbPaused, Note: "release"}},
		Paused: []events.Pause{{
			Scope: events.Scope{Org: "production", Lane: events.LaneChange, Source: "hr"}, By: "admin@example.com", Reason: "release", Since: at(3), Request: "req-1",
		}},
	})
	golden(t, "aside", events.Aside{V: 1, Source: "hr", From: 17, To: 420, Passed: 12, At: at(3)})
	golden(t, "check", sampleCheck())
}

func golden[P events.Payload](t *testing.T, name string, sample P) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		everyFieldSet(t, name, reflect.ValueOf(sample))
		got, err := events.Encode(sample)
		if err != nil {
			t.Fatal(err)
		}
		want := goldenFile(t, filepath.Join("testdata", "golden", name+".json"), got)
		if !bytes.Equal(got, want) {
			t.Errorf("encoded:\n%s\nthe golden file says:\n%s", got, want)
		}
		back, err := events.Decode[P](want)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, sample) {
			t.Errorf("decoded:\n%+v\nwant:\n%+v", back, sample)
		}
	})
}

func TestGoldenEvents(t *testing.T) {
	t.Parallel()
	for name, sample := range sampleEvents() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := events.EncodeEvent(sample)
			if err != nil {
				t.Fatal(err)
			}
			want := goldenFile(t, filepath.Join("testdata", "events", name+".json"), got)
			if !bytes.Equal(got, want) {
				t.Errorf("encoded:\n%s\nthe golden file says:\n%s", got, want)
			}
			back, err := events.DecodeEvent(events.DirectorySubject("hr", events.Kind(sample.Type)), want)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(back, sample) {
				t.Errorf("decoded:\n%+v\nwant:\n%+v", back, sample)
			}
		})
	}
	everyFieldSet(t, "person", reflect.ValueOf(*samplePerson()))
	everyFieldSet(t, "group", reflect.ValueOf(*sampleGroup()))
}

// goldenFile reads a golden file, less its last line break.
func goldenFile(t *testing.T, path string, got []byte) []byte {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, append(bytes.Clone(got), '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(want, []byte("\n"))
}

// onlyInVersion1 names what is read of old payloads and never written.
func onlyInVersion1(field string, of reflect.Type) bool {
	return of == reflect.TypeFor[events.Desired]() && (field == "PermissionSets" || field == "Groups")
}

// everyFieldSet sees to it that a field added to a payload is in its sample,
// and so in the golden file.
func everyFieldSet(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		everyFieldSet(t, path, v.Elem())
	case reflect.Slice:
		if v.Len() > 0 && v.Type().Elem().Kind() == reflect.Struct {
			everyFieldSet(t, path+"[0]", v.Index(0))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			everyFieldSet(t, path+"["+key.String()+"]", v.MapIndex(key))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			name := path + "." + v.Type().Field(i).Name
			if onlyInVersion1(v.Type().Field(i).Name, v.Type()) {
				continue
			}
			if v.Field(i).IsZero() {
				t.Errorf("the sample does not set %s", name)
				continue
			}
			everyFieldSet(t, name, v.Field(i))
		}
	default:
	}
}

func TestEncodeIsDeterministic(t *testing.T) {
	t.Parallel()
	first, err := events.Encode(sampleDesired())
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		again, err := events.Encode(sampleDesired())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, again) {
			t.Fatalf("equal payloads, different bytes:\n%s\n%s", first, again)
		}
	}
}
