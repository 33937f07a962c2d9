package events_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"version of tomorrow": {`{"v":3,"key":"k"}`, "version 3, this program reads versions 1 to 2"},
		"no version":          {`{"key":"k"}`, "version 0"},
		"not JSON":            {secret, "is not valid JSON"},
		"duplicate key":       {`{"v":1,"v":1}`, "at /v: stands twice"},
		"wrong type":          {`{"v":1,"userId":"a","attempts":"` + secret + `"}`, "at /attempts: must be a whole number in range, is a string"},
		"number out of range": {`{"v":1,"appliedRevision":-48151623}`, "at /appliedRevision: must be a whole number in range"},
		"time":                {`{"v":1,"at":"` + secret + `"}`, "at /at: must be an RFC 3339 time"},
		"two values":          {`{"v":1}{"v":1}`, "is not valid JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := events.Decode[events.Link]([]byte(c.body))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "48151623") {
				t.Errorf("quotes a value: %v", err)
			}
		})
	}
}

func TestDecodeLetsANewerWritersMembersPass(t *testing.T) {
	t.Parallel()
	got, err := events.Decode[events.Work]([]byte(`{"v":1,"reason":"retry","hint":"later"}`))
	if err != nil || got != (events.Work{V: 1, Reason: events.ReasonRetry}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// unasked is the sample as assignment writes it: whoever cannot be worked out asks for nobody's
// yes.
func unasked() events.Desired {
	d := sampleDesired()
	d.Problem.Asks = nil
	return d
}

func TestHashDesired(t *testing.T) {
	t.Parallel()
	plain := unasked()
	plain.Held = nil // what is held came later, and changes no hash where there is none
	// Links hold this hash for as long as a deployment lives: another way of
	// computing it would push everybody once more.
	if h := hash(t, plain); h != "7346e0f6b4f8cbb22e5cb170bbe93897" {
		t.Errorf("the hash of the sample is %s", h)
	}
	base := hash(t, unasked())
	for name, change := range map[string]func(*events.Desired){
		"version": func(d *events.Desired) { d.V = 7 },
		"lane":    func(d *events.Desired) { d.Lane = events.LaneBackfill },
		"origin":  func(d *events.Desired) { d.Origin = events.Origin{EventID: "other"} },
		"sought":  func(d *events.Desired) { d.Sought = !d.Sought },
		"was":     func(d *events.Desired) { d.Was = nil },
		"hash":    func(d *events.Desired) { d.Hash = "" },
	} {
		d := unasked()
		change(&d)
		if hash(t, d) != base {
			t.Errorf("the hash changes with the %s", name)
		}
	}
	// Every other field is part of the wish.
	for i := range reflect.TypeFor[events.Desired]().NumField() {
		d := unasked()
		name := reflect.TypeOf(d).Field(i).Name
		if name == "V" || name == "Lane" || name == "Sought" || name == "Was" || name == "Origin" || name == "Hash" || onlyInVersion1(name, reflect.TypeOf(d)) {
			continue
		}
		reflect.ValueOf(&d).Elem().Field(i).SetZero()
		if hash(t, d) == base {
			t.Errorf("the hash does not change with %s", name)
		}
	}
}

func hash(t *testing.T, d events.Desired) string {
	t.Helper()
	h, err := events.HashDesired(d)
	if err != nil {
		t.Fatal(err)
	}
	return h
}
